//! A load balancer: a frontend, and a backend with its servers.

use std::collections::BTreeMap;
use std::fmt::Write;

use pallet_core::prelude::*;

use super::backend::{Balance, Mode, Servers, default_interval, default_port, default_timeout};
use super::configuration::{Part, Presence, put, yes};
use super::frontend::{default_tls_port, section};
use super::names::{check_proxy, check_server};
use super::servers::{Server, chosen};
use super::tls::{Listen, Plain, find, follow};

parameters! {
    /// Passes requests on to servers: a frontend that listens, and a backend of the same name.
    ///
    /// The servers are the nodes of a group or of a role, or are listed. HAProxy checks each of
    /// them, and passes nothing on to one that does not answer. The whole configuration is checked
    /// before it is put in place, and HAProxy is reloaded if it changed. A server that is drained
    /// stays drained.
    ///
    /// Example: `haproxy.proxy(request, "app", group = "web", check = "/health")`
    pub(crate) struct Proxy {
        /// Names the frontend, the backend and their file: letters, digits, `-`, `_` and `.`.
        name: String,
        /// The TCP port to listen on.
        #[serde(default = "default_port")]
        port: u16,
        /// The address to listen on; otherwise all of IPv4.
        #[serde(default)]
        listen: Option<String>,
        /// The servers, each an address or host name, with `:PORT` where that is not `server_port`.
        #[serde(default)]
        servers: Option<Vec<String>>,
        /// The group whose nodes are the servers.
        #[serde(default)]
        group: Option<String>,
        /// The role whose nodes are the servers.
        #[serde(default)]
        role: Option<String>,
        /// The TCP port of the servers.
        #[serde(default = "default_port")]
        server_port: u16,
        /// The path that a server must answer with status 2xx or 3xx to get requests; otherwise it
        /// must accept connections.
        #[serde(default)]
        check: Option<String>,
        /// The number of seconds between two checks of a server. Two good checks put it in, three
        /// bad ones take it out.
        #[serde(default = "default_interval")]
        interval: u32,
        /// How a server is chosen.
        #[serde(default)]
        balance: Balance,
        /// What is passed on.
        #[serde(default)]
        mode: Mode,
        /// The number of seconds after which a client or a server that sends nothing is given up.
        #[serde(default = "default_timeout")]
        timeout: u32,
        /// Certificates of this node, as the crate `certificates` names them.
        #[serde(default)]
        certificates: Vec<String>,
        /// The TCP port to listen on for requests with TLS. Default: 443.
        #[serde(default = "default_tls_port")]
        tls_port: u16,
        /// What to do for requests without TLS, if there are certificates.
        #[serde(default)]
        plain: Plain,
        /// Number of seconds for which browsers shall use only HTTPS (HSTS). Default: 0, not said.
        #[serde(default)]
        hsts: u32,
        /// Whether there is a proxy.
        #[serde(default)]
        action: Presence,
        /// Reload HAProxy now if something changed. Otherwise `haproxy.service` does.
        #[serde(default = "yes")]
        reload: bool,
    }
}

pub(crate) fn proxy(request: &mut Request, proxy: Proxy) -> Result<()> {
    let name = &proxy.name;
    check_proxy(name)?;
    let file = format!("{name}.cfg");
    if proxy.action == Presence::Absent {
        return put(request, Part { file, content: None, private: false, reload: proxy.reload });
    }
    if let Some(listen) = &proxy.listen {
        check_server(listen)?;
    }
    let none = BTreeMap::new();
    let options = options(&proxy, &none);
    options.validate(&[])?;
    ensure!(proxy.port > 0 && proxy.server_port > 0, "proxy {name}: there is no port 0");
    let choice = (proxy.servers.as_deref(), proxy.group.as_deref(), proxy.role.as_deref());
    let servers = chosen(request, name, choice, proxy.server_port)?;
    let certificates = find(request, &proxy.certificates, &[])?;
    let content = render(&proxy, &certificates, &servers)?;
    follow(request, &proxy.certificates)?;
    put(request, Part { file, content: Some(content), private: false, reload: proxy.reload })
}

fn options<'a>(proxy: &'a Proxy, weights: &'a BTreeMap<String, u32>) -> Servers<'a> {
    Servers {
        name: &proxy.name,
        check: proxy.check.as_deref(),
        interval: proxy.interval,
        balance: proxy.balance,
        mode: proxy.mode,
        timeout: proxy.timeout,
        weights,
        backups: &[],
        cookie: None,
        tls: false,
        ca_file: None,
        max_connections: None,
    }
}

fn render(proxy: &Proxy, certificates: &[String], servers: &[Server]) -> Result<String> {
    let name = &proxy.name;
    let listen = Listen {
        address: proxy.listen.as_deref().unwrap_or("*"),
        port: proxy.port,
        tls_port: proxy.tls_port,
        certificates,
        plain: proxy.plain,
        http: proxy.mode == Mode::Http,
        hsts: proxy.hsts,
    };
    listen.check(name)?;
    let mut out = String::from("# written by pallet\n");
    out.push_str(&section(name, &listen, proxy.mode, proxy.timeout)?);
    let none = BTreeMap::new();
    write!(out, "    default_backend {name}\n\n{}", options(proxy, &none).render(servers)?)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::super::Haproxy;
    use super::*;

    fn part(arguments: Value) -> String {
        let mut recorder = Recorder::<Haproxy>::on("debian 12");
        recorder.call("proxy", arguments).unwrap();
        let actions = recorder.actions();
        let is_part = |path: &Value| path.as_str().is_some_and(|path| path.ends_with(".cfg"));
        let part = actions.iter().find(|action| is_part(&action.arguments["path"])).unwrap();
        part.arguments["content"].as_str().unwrap().to_owned()
    }

    #[test]
    fn requests_go_to_each_server() {
        assert_eq!(
            part(json!({"name": "app", "servers": ["192.0.2.10", "192.0.2.11:8080"],
                "check": "/health", "balance": "leastconn"})),
            "# written by pallet\n\
             frontend app\n    bind *:80\n    mode http\n    timeout client 60s\n    \
             option httplog\n    option forwardfor\n    \
             http-request set-header X-Forwarded-Proto http\n    \
             default_backend app\n\n\
             backend app\n    mode http\n    balance leastconn\n    timeout server 60s\n    \
             option httpchk\n    http-check send meth GET uri /health\n    \
             default-server check inter 2s fastinter 500ms downinter 2s rise 2 fall 3\n    \
             server 192.0.2.10 192.0.2.10:80\n    server 192.0.2.11:8080 192.0.2.11:8080\n"
        );
    }

    #[test]
    fn connections_are_passed_on_as_they_are() {
        let text = part(json!({"name": "database", "mode": "tcp", "port": 5432,
            "server_port": 5432, "listen": "127.0.0.1", "servers": ["192.0.2.10"]}));
        assert!(text.contains("bind 127.0.0.1:5432") && text.contains("mode tcp"), "{text}");
        assert!(!text.contains("http") && text.contains("server 192.0.2.10 192.0.2.10:5432"));
    }

    #[test]
    fn a_proxy_writes_its_part_and_then_the_whole() {
        let mut recorder = Recorder::<Haproxy>::on("debian 12");
        recorder.call("proxy", json!({"name": "app", "servers": ["192.0.2.10"]})).unwrap();
        assert_eq!(
            recorder.declared(),
            [
                "directory /usr/local/lib/pallet",
                "remote_file /usr/local/lib/pallet/haproxy-servers",
                "directory /etc/haproxy/pallet",
                "remote_file /etc/haproxy/pallet/global",
                "remote_file /etc/haproxy/pallet/app.cfg",
                "exec_checked_script write haproxy.cfg",
                "service haproxy",
                "service haproxy",
            ]
        );
    }

    #[test]
    fn what_makes_no_proxy_is_refused() {
        let servers = json!(["192.0.2.1"]);
        for (arguments, said) in [
            (json!({"name": "app"}), "exactly one of servers, group and role"),
            (json!({"name": "app", "group": "web", "role": "web"}), "exactly one of"),
            (json!({"name": "app", "group": "web"}), "has no server"),
            (json!({"name": "app", "servers": []}), "has no server"),
            (json!({"name": "app", "servers": ["a b"]}), "cannot be a server"),
            (json!({"name": "app", "servers": ["a\nlisten b"]}), "cannot be a server"),
            (json!({"name": "app", "servers": ["a", "a"]}), "two servers a"),
            (json!({"name": "a/b", "servers": servers}), "cannot name a proxy"),
            (json!({"name": "app", "servers": servers, "check": "health"}), "is no path"),
            (json!({"name": "app", "servers": servers, "check": "/a\n b"}), "cannot stand in"),
            (json!({"name": "app", "servers": servers, "listen": "*:80 a"}), "cannot be a server"),
            (json!({"name": "app", "servers": servers, "interval": 0}), "1 to 86400 seconds"),
            (json!({"name": "app", "servers": servers, "port": 0}), "no port 0"),
            (json!({"name": "app", "servers": servers, "balance": "x"}), "unknown variant"),
        ] {
            let error = Recorder::<Haproxy>::on("debian 12").call("proxy", &arguments).unwrap_err();
            assert!(error.to_string().contains(said), "{arguments}: {error}");
        }
    }
}
