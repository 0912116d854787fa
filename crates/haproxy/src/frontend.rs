//! A frontend: what is listened on, and which backend gets a request.

use std::fmt::Write;

use pallet_core::prelude::*;

use super::backend::{Mode, default_port, default_timeout};
use super::configuration::{Part, Presence, put, yes};
use super::names::{check_proxy, check_server, check_word};
use super::tls::{Listen, Plain, find, follow};

parameters! {
    /// Listens for requests, and passes them on to backends, by the host and the path.
    ///
    /// With certificates, it is at `https://` on `tls_port`, and requests to `port` are sent there.
    /// The backends must be declared before.
    ///
    /// Example: `haproxy.frontend(request, "public", backend = "web", routes = [{"path": "/api/", "backend": "api"}], certificates = ["shop"])`
    pub(crate) struct Frontend {
        /// Names the frontend and its file: letters, digits, `-`, `_` and `.`.
        name: String,
        /// The backend for requests that no route is for. Default: they are answered with 503.
        #[serde(default)]
        backend: Option<String>,
        /// Routes; the first that fits a request gets it.
        #[serde(default)]
        routes: Vec<Route>,
        /// The TCP port to listen on for requests without TLS.
        #[serde(default = "default_port")]
        port: u16,
        /// The address to listen on; otherwise all of IPv4.
        #[serde(default)]
        listen: Option<String>,
        /// Certificates of this node, as the crate `certificates` names them. A client gets the one
        /// with the name that it asks for, or the first.
        #[serde(default)]
        certificates: Vec<String>,
        /// Files on the node with a key, a certificate and its chain each.
        #[serde(default)]
        certificate_files: Vec<String>,
        /// The TCP port to listen on for requests with TLS. Default: 443.
        #[serde(default = "default_tls_port")]
        tls_port: u16,
        /// What to do for requests without TLS, if there are certificates.
        #[serde(default)]
        plain: Plain,
        /// Number of seconds for which browsers shall use only HTTPS (HSTS). Default: 0, not said.
        #[serde(default)]
        hsts: u32,
        /// What is passed on.
        #[serde(default)]
        mode: Mode,
        /// The number of seconds after which a client that sends nothing is given up.
        #[serde(default = "default_timeout")]
        timeout: u32,
        /// Number of connections at the same time. Default: that of `haproxy.settings`.
        #[serde(default)]
        max_connections: Option<u32>,
        /// Whether there is a frontend.
        #[serde(default)]
        action: Presence,
        /// Reload HAProxy now if something changed. Otherwise `haproxy.service` does.
        #[serde(default = "yes")]
        reload: bool,
    }

    /// Which requests a backend gets: those with the host, and with a path that begins so.
    pub(crate) struct Route {
        /// The backend.
        backend: String,
        /// The host: `shop.example.com`, or `*.example.com`.
        #[serde(default)]
        host: Option<String>,
        /// What the path begins with: `/api/`.
        #[serde(default)]
        path: Option<String>,
    }
}

pub(crate) fn default_tls_port() -> u16 {
    443
}

pub(crate) fn frontend(request: &mut Request, wanted: Frontend) -> Result<()> {
    let Frontend { name, backend, routes, listen, timeout, .. } = &wanted;
    check_proxy(name)?;
    let file = format!("{name}.frontend");
    if wanted.action == Presence::Absent {
        let part = Part { file, content: None, private: false, reload: wanted.reload };
        return put(request, part);
    }
    if let Some(listen) = listen {
        check_server(listen)?;
    }
    ensure!((1..=86_400).contains(timeout), "the timeout must be 1 to 86400 seconds");
    ensure!(wanted.max_connections != Some(0), "max_connections must be at least 1");
    ensure!(
        backend.is_some() || !routes.is_empty(),
        "frontend {name} has no backend; give backend or routes"
    );
    let certificates = find(request, &wanted.certificates, &wanted.certificate_files)?;
    let listen = Listen {
        address: listen.as_deref().unwrap_or("*"),
        port: wanted.port,
        tls_port: wanted.tls_port,
        certificates: &certificates,
        plain: wanted.plain,
        http: wanted.mode == Mode::Http,
        hsts: wanted.hsts,
    };
    listen.check(name)?;
    let content = format!("# written by pallet\n{}", render(&wanted, &listen)?);
    follow(request, &wanted.certificates)?;
    put(request, Part { file, content: Some(content), private: false, reload: wanted.reload })
}

fn render(wanted: &Frontend, listen: &Listen<'_>) -> Result<String> {
    let mut out = section(&wanted.name, listen, wanted.mode, wanted.timeout)?;
    if let Some(number) = wanted.max_connections {
        writeln!(out, "    maxconn {number}")?;
    }
    for (index, Route { backend, host, path }) in wanted.routes.iter().enumerate() {
        check_proxy(backend)?;
        ensure!(
            wanted.mode == Mode::Http,
            "frontend {}: routes are only for the mode http",
            wanted.name
        );
        let mut conditions = String::new();
        if let Some(host) = host {
            check_server(host.trim_start_matches("*."))?;
            let (way, text) = match host.strip_prefix('*') {
                Some(end) => ("end", end),
                None => ("str", host.as_str()),
            };
            writeln!(
                out,
                "    acl host_{index} req.hdr(host),field(1,:) -i -m {way} {}",
                text.to_ascii_lowercase()
            )?;
            write!(conditions, " host_{index}")?;
        }
        if let Some(path) = path {
            ensure!(path.starts_with('/'), "the path {path:?} of a route must begin with /");
            check_word("path", path)?;
            writeln!(out, "    acl path_{index} path -m beg {path}")?;
            write!(conditions, " path_{index}")?;
        }
        ensure!(
            !conditions.is_empty(),
            "a route to {backend} has neither host nor path; for all other requests, give backend"
        );
        writeln!(out, "    use_backend {backend} if{conditions}")?;
    }
    if let Some(backend) = &wanted.backend {
        check_proxy(backend)?;
        writeln!(out, "    default_backend {backend}")?;
    }
    Ok(out)
}

/// The beginning of the section of a frontend.
pub(crate) fn section(name: &str, listen: &Listen<'_>, mode: Mode, timeout: u32) -> Result<String> {
    let mut out = format!("frontend {name}\n{}", listen.binds()?);
    writeln!(out, "    mode {}\n    timeout client {timeout}s", mode.word())?;
    if mode == Mode::Http {
        out.push_str("    option httplog\n    option forwardfor\n");
        out.push_str(&listen.rules()?);
    } else {
        out.push_str("    option tcplog\n");
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::super::Haproxy;
    use super::*;

    fn recorder() -> Recorder<Haproxy> {
        let combined = "/etc/pallet/certificates/shop/combined.pem";
        let files = json!({"shop": {"combined": combined, "key": "/k"}});
        Recorder::<Haproxy>::on("debian 12").settings("certificates", files)
    }

    fn part(arguments: Value) -> String {
        let mut recorder = recorder();
        recorder.call("frontend", arguments).unwrap();
        let actions = recorder.actions();
        let part = actions.iter().find(|one| one.subject.ends_with(".frontend")).unwrap();
        part.arguments["content"].as_str().unwrap().to_owned()
    }

    #[test]
    fn requests_are_routed_by_host_and_path() {
        let text = part(json!({"name": "public", "backend": "web", "routes": [
            {"host": "*.Api.example", "path": "/v1/", "backend": "api"},
            {"path": "/x", "backend": "x"}]}));
        assert_eq!(
            text,
            "# written by pallet\nfrontend public\n    bind *:80\n    mode http\n    \
             timeout client 60s\n    option httplog\n    option forwardfor\n    \
             http-request set-header X-Forwarded-Proto http\n    \
             acl host_0 req.hdr(host),field(1,:) -i -m end .api.example\n    \
             acl path_0 path -m beg /v1/\n    use_backend api if host_0 path_0\n    \
             acl path_1 path -m beg /x\n    use_backend x if path_1\n    \
             default_backend web\n"
        );
    }

    #[test]
    fn certificates_bring_tls() {
        let wanted = json!({"name": "public", "backend": "web", "certificates": ["shop"],
            "hsts": 60});
        let text = part(wanted.clone());
        for line in [
            "    bind *:80\n",
            "    bind *:443 ssl crt /etc/pallet/certificates/shop/combined.pem alpn h2,http/1.1\n",
            "code 301 unless { ssl_fc } or { path_beg /.well-known/acme-challenge/ }\n",
            "Strict-Transport-Security max-age=60 if { ssl_fc }\n",
        ] {
            assert!(text.contains(line), "{line}{text}");
        }
        let mut recorder = recorder();
        recorder.call("frontend", wanted).unwrap();
        let follows = "remote_file /etc/pallet/certificates/shop/reload/haproxy".to_owned();
        assert!(recorder.declared().contains(&follows));
    }

    #[test]
    fn what_makes_no_frontend_is_refused() {
        for (arguments, said) in [
            (json!({"name": "a"}), "has no backend"),
            (json!({"name": "a", "backend": "b\nc"}), "cannot name a proxy"),
            (json!({"name": "a", "routes": [{"backend": "b"}]}), "neither host nor path"),
            (json!({"name": "a", "routes": [{"backend": "b", "path": "x"}]}), "must begin with /"),
            (
                json!({"name": "a", "routes": [{"backend": "b", "host": "a }"}]}),
                "cannot be a server",
            ),
            (json!({"name": "a", "backend": "b", "certificates": ["x"]}), "no certificate x"),
            (
                json!({"name": "a", "backend": "b", "certificate_files": ["x"]}),
                "must be an absolute path",
            ),
            (json!({"name": "a", "backend": "b", "hsts": 1}), "only for one with a certificate"),
            (
                json!({"name": "a", "mode": "tcp", "routes": [{"backend": "b", "path": "/"}]}),
                "only for the mode http",
            ),
        ] {
            let error = recorder().call("frontend", &arguments).unwrap_err();
            assert!(error.to_string().contains(said), "{arguments}: {error}");
        }
    }
}
