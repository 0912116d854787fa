//! A backend: servers, and how one is chosen.

use std::collections::BTreeMap;
use std::fmt::Write;

use pallet_core::prelude::*;

use super::configuration::{Part, Presence, put, yes};
use super::names::{check_proxy, check_word};
use super::servers::{Server, chosen};

parameters! {
    /// Declares servers that frontends pass requests on to.
    ///
    /// The servers are the nodes of a group or of a role, or are listed. HAProxy checks each of
    /// them, and passes nothing on to one that does not answer. Declare a backend before the
    /// frontends that use it. A server that is drained stays drained.
    ///
    /// Example: `haproxy.backend(request, "app", group = "app", server_port = 8080, check = "/health")`
    pub(crate) struct Backend {
        /// Names the backend and its file: letters, digits, `-`, `_` and `.`.
        name: String,
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
        /// The number of seconds after which a server that sends nothing is given up.
        #[serde(default = "default_timeout")]
        timeout: u32,
        /// Weights of servers, by the name of a node or as they are listed: 0 to 256. Default: 1.
        #[serde(default)]
        weights: BTreeMap<String, u32>,
        /// Servers that get requests only if no other one is up, by the name of a node or as they
        /// are listed.
        #[serde(default)]
        backups: Vec<String>,
        /// Name of a cookie by which a client keeps its server.
        #[serde(default)]
        cookie: Option<String>,
        /// Connect to the servers with TLS. Their certificates must be of an authority that the
        /// system trusts, or of `ca_file`.
        #[serde(default)]
        tls: bool,
        /// File on the node with the authorities of the servers' certificates.
        #[serde(default)]
        ca_file: Option<String>,
        /// Number of connections to each server at the same time. Default: any.
        #[serde(default)]
        max_connections: Option<u32>,
        /// Whether there is a backend.
        #[serde(default)]
        action: Presence,
        /// Reload HAProxy now if something changed. Otherwise `haproxy.service` does.
        #[serde(default = "yes")]
        reload: bool,
    }
}

/// How a server is chosen.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pallet_core::serde", rename_all = "lowercase")]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) enum Balance {
    /// Each in turn.
    #[default]
    RoundRobin,
    /// The one with the fewest connections.
    LeastConn,
    /// The same one for the same address of a client.
    Source,
}

/// What is passed on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pallet_core::serde", rename_all = "lowercase")]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) enum Mode {
    /// Requests of HTTP, with the client's address in `X-Forwarded-For`.
    #[default]
    Http,
    /// Connections, whatever is in them.
    Tcp,
}

impl Mode {
    pub(crate) fn word(self) -> &'static str {
        if self == Mode::Http { "http" } else { "tcp" }
    }
}

pub(crate) fn default_port() -> u16 {
    80
}

pub(crate) fn default_interval() -> u32 {
    2
}

pub(crate) fn default_timeout() -> u32 {
    60
}

pub(crate) fn backend(request: &mut Request, wanted: Backend) -> Result<()> {
    let name = &wanted.name;
    check_proxy(name)?;
    let file = format!("{name}.cfg");
    if wanted.action == Presence::Absent {
        let part = Part { file, content: None, private: false, reload: wanted.reload };
        return put(request, part);
    }
    let options = Servers {
        name,
        check: wanted.check.as_deref(),
        interval: wanted.interval,
        balance: wanted.balance,
        mode: wanted.mode,
        timeout: wanted.timeout,
        weights: &wanted.weights,
        backups: &wanted.backups,
        cookie: wanted.cookie.as_deref(),
        tls: wanted.tls,
        ca_file: wanted.ca_file.as_deref(),
        max_connections: wanted.max_connections,
    };
    ensure!(wanted.server_port > 0, "backend {name}: there is no port 0");
    let choice = (wanted.servers.as_deref(), wanted.group.as_deref(), wanted.role.as_deref());
    let servers = chosen(request, name, choice, wanted.server_port)?;
    options.validate(&servers)?;
    let content = format!("# written by pallet\n{}", options.render(&servers)?);
    put(request, Part { file, content: Some(content), private: false, reload: wanted.reload })
}

/// A backend whose servers are known.
pub(crate) struct Servers<'a> {
    pub(crate) name: &'a str,
    pub(crate) check: Option<&'a str>,
    pub(crate) interval: u32,
    pub(crate) balance: Balance,
    pub(crate) mode: Mode,
    pub(crate) timeout: u32,
    pub(crate) weights: &'a BTreeMap<String, u32>,
    pub(crate) backups: &'a [String],
    pub(crate) cookie: Option<&'a str>,
    pub(crate) tls: bool,
    pub(crate) ca_file: Option<&'a str>,
    pub(crate) max_connections: Option<u32>,
}

impl Servers<'_> {
    /// Refuses what makes no backend.
    pub(crate) fn validate(&self, servers: &[Server]) -> Result<()> {
        let name = self.name;
        if let Some(check) = self.check {
            ensure!(check.starts_with('/'), "the check {check:?} is no path: begin with /");
            check_word("check", check)?;
        }
        for (what, value) in [("interval", self.interval), ("timeout", self.timeout)] {
            ensure!((1..=86_400).contains(&value), "the {what} must be 1 to 86400 seconds");
        }
        for (server, weight) in self.weights {
            ensure!(*weight <= 256, "the weight of {server} must be 0 to 256");
        }
        for server in self.weights.keys().chain(self.backups) {
            ensure!(
                servers.iter().any(|known| known.name == *server),
                "backend {name} has no server {server}"
            );
        }
        if let Some(cookie) = self.cookie {
            check_word("cookie", cookie)?;
            ensure!(self.mode == Mode::Http, "backend {name}: a cookie is only for the mode http");
        }
        if let Some(file) = self.ca_file {
            check_word("ca_file", file)?;
            ensure!(
                self.tls && file.starts_with('/'),
                "backend {name}: ca_file is an absolute path, and only for one with tls"
            );
        }
        ensure!(self.max_connections != Some(0), "max_connections must be at least 1");
        Ok(())
    }

    /// The section of the backend.
    pub(crate) fn render(&self, servers: &[Server]) -> Result<String> {
        let Servers { name, interval, timeout, .. } = self;
        let balance = match self.balance {
            Balance::RoundRobin => "roundrobin",
            Balance::LeastConn => "leastconn",
            Balance::Source => "source",
        };
        let mut out = format!(
            "backend {name}\n    mode {}\n    balance {balance}\n    timeout server {timeout}s\n",
            self.mode.word()
        );
        if let Some(check) = self.check {
            writeln!(out, "    option httpchk\n    http-check send meth GET uri {check}")?;
        }
        if let Some(cookie) = self.cookie {
            writeln!(out, "    cookie {cookie} insert indirect nocache httponly")?;
        }
        write!(
            out,
            "    default-server check inter {interval}s fastinter 500ms downinter {interval}s \
             rise 2 fall 3"
        )?;
        if self.tls {
            let file = self.ca_file.unwrap_or("@system-ca");
            write!(out, " ssl verify required ca-file {file}")?;
        }
        if let Some(number) = self.max_connections {
            write!(out, " maxconn {number}")?;
        }
        out.push('\n');
        for Server { name: server, address } in servers {
            write!(out, "    server {server} {address}")?;
            if let Some(weight) = self.weights.get(server) {
                write!(out, " weight {weight}")?;
            }
            if self.cookie.is_some() {
                write!(out, " cookie {server}")?;
            }
            if self.backups.contains(server) {
                out.push_str(" backup");
            }
            out.push('\n');
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Haproxy;
    use super::*;

    #[test]
    fn servers_have_what_is_declared_for_them() {
        let mut recorder = Recorder::<Haproxy>::on("debian 12");
        recorder
            .call(
                "backend",
                json!({"name": "app", "servers": ["192.0.2.10", "192.0.2.11"], "tls": true,
                    "server_port": 8443, "weights": {"192.0.2.10": 3}, "cookie": "node",
                    "backups": ["192.0.2.11"], "max_connections": 9}),
            )
            .unwrap();
        let actions = recorder.actions();
        let part = actions.iter().find(|one| one.subject.ends_with("/app.cfg")).unwrap();
        assert_eq!(
            part.arguments["content"],
            "# written by pallet\nbackend app\n    mode http\n    balance roundrobin\n    \
             timeout server 60s\n    cookie node insert indirect nocache httponly\n    \
             default-server check inter 2s fastinter 500ms downinter 2s rise 2 fall 3 ssl \
             verify required ca-file @system-ca maxconn 9\n    \
             server 192.0.2.10 192.0.2.10:8443 weight 3 cookie 192.0.2.10\n    \
             server 192.0.2.11 192.0.2.11:8443 cookie 192.0.2.11 backup\n"
        );
        let check = "sh /usr/local/lib/pallet/haproxy-servers check app.cfg";
        assert_eq!(part.arguments["verify"], check);
    }

    #[test]
    fn what_is_no_backend_is_refused() {
        let servers = json!(["192.0.2.1"]);
        for (arguments, said) in [
            (json!({"name": "a", "servers": servers, "weights": {"b": 1}}), "no server b"),
            (json!({"name": "a", "servers": servers, "weights": {"192.0.2.1": 300}}), "0 to 256"),
            (json!({"name": "a", "servers": servers, "backups": ["b"]}), "no server b"),
            (json!({"name": "a", "servers": servers, "cookie": "a b"}), "cannot stand in"),
            (json!({"name": "a", "servers": servers, "ca_file": "/a"}), "only for one with tls"),
            (
                json!({"name": "a", "servers": servers, "mode": "tcp", "cookie": "a"}),
                "only for the mode http",
            ),
        ] {
            let error =
                Recorder::<Haproxy>::on("debian 12").call("backend", &arguments).unwrap_err();
            assert!(error.to_string().contains(said), "{arguments}: {error}");
        }
    }
}
