//! A load balancer: a server block that passes requests on to other machines.

use std::collections::BTreeMap;
use std::fmt::Write;

use pallet_core::prelude::*;

use super::file::{Part, check_name, default_port, put_site, yes};
use super::names::names;
use super::server_block::ServerBlock;
use super::servers::{self, chosen};
use super::site::{any, default_tls_port, default_webroot};
use super::tls::{self, Plain, Protocols};
use super::upstream::{self, Balance};

parameters! {
    /// Passes requests on to other machines in turn; one that does not answer is left out for a
    /// while.
    ///
    /// nginx is reloaded if that changed anything. A machine that is drained stays drained. nginx
    /// checks the configuration with the proxy before its file is put in place.
    ///
    /// `nginx.upstream` with `nginx.site` and `nginx.location` does more: it finds the machines by
    /// their group, and has weights.
    ///
    /// Example: `nginx.proxy(request, "hello", ["192.0.2.10", "192.0.2.11:8080"], port = 80)`
    pub(crate) struct Proxy {
        /// Names the proxy's file and its group of machines: letters, digits, `-`, `_` and `.`.
        name: String,
        /// The machines, each an address or host name, with `:PORT` where that is not 80. There
        /// must be one.
        backends: Vec<String>,
        /// The TCP port to listen on.
        #[serde(default = "default_port")]
        port: u16,
        /// The host names that it answers to, with spaces between; `_` is any.
        #[serde(default = "any")]
        server_name: String,
        /// Leaves the default site that the package of Debian or Alpine brings in place.
        #[serde(default)]
        default_site: bool,
        /// How a machine is chosen.
        #[serde(default)]
        balance: Balance,
        /// A certificate of this node, as the crate `certificates` names it.
        #[serde(default)]
        certificate: Option<String>,
        /// File on the node with a certificate and its chain, instead of `certificate`.
        #[serde(default)]
        certificate_file: Option<String>,
        /// File on the node with its key.
        #[serde(default)]
        key_file: Option<String>,
        /// The TCP port to listen on for requests with TLS. Default: 443.
        #[serde(default = "default_tls_port")]
        tls_port: u16,
        /// Which clients can connect.
        #[serde(default)]
        protocols: Protocols,
        /// What to do for requests without TLS, if there is a certificate.
        #[serde(default)]
        plain: Plain,
        /// Number of seconds for which browsers shall use only HTTPS (HSTS). Default: 0, not said.
        #[serde(default)]
        hsts: u32,
        /// Largest body of a request: `10m`; `0` is any. Default: nginx's own, 1m.
        #[serde(default)]
        max_body: Option<String>,
        /// Let in only the users of this list, as `nginx.basic_auth` names it.
        #[serde(default)]
        basic_auth: Option<String>,
        /// Reload nginx now if something changed. Otherwise `nginx.service` does.
        #[serde(default = "yes")]
        reload: bool,
    }
}

pub(crate) fn proxy(request: &mut Request, proxy: Proxy) -> Result<()> {
    let name = &proxy.name;
    check_name(name)?;
    let servers = chosen(request, name, (Some(&proxy.backends), None, None), None)?;
    let files = (
        proxy.certificate.as_deref(),
        proxy.certificate_file.as_deref(),
        proxy.key_file.as_deref(),
    );
    let headers = BTreeMap::new();
    let webroot = default_webroot();
    let block = ServerBlock {
        name,
        port: proxy.port,
        server_name: &proxy.server_name,
        certificate: tls::find(request, files)?,
        tls_port: proxy.tls_port,
        protocols: proxy.protocols,
        plain: proxy.plain,
        hsts: proxy.hsts,
        acme_webroot: &webroot,
        ipv6: false,
        headers: &headers,
        max_body: proxy.max_body.as_deref(),
        basic_auth: proxy.basic_auth.as_deref(),
    };
    block.check()?;
    let mut body = format!("\n    location / {{\n        proxy_pass http://{name};\n");
    body.push_str(&forwarded("        ")?);
    body.push_str("    }\n");
    let file = block.render(names(request)?, &body)?;
    let content = file.replacen(
        "# written by pallet\n",
        &format!("# written by pallet\n{}\n", upstream::render(name, proxy.balance, None)?),
        1,
    );
    let part = Part::of(name, proxy.reload);
    part.begin(request)?;
    servers::put(request, &part, name, &servers)?;
    if let Some(certificate) = &block.certificate {
        certificate.follow(request)?;
    }
    block.put_headers(request, &part)?;
    put_site(request, part, name, content, proxy.default_site)
}

/// What a server is told about the client.
pub(crate) fn forwarded(indent: &str) -> Result<String> {
    let mut out = String::new();
    for (header, value) in [
        ("Host", "$host"),
        ("X-Forwarded-For", "$proxy_add_x_forwarded_for"),
        ("X-Forwarded-Proto", "$scheme"),
    ] {
        writeln!(out, "{indent}proxy_set_header {header} {value};")?;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::super::Nginx;
    use super::*;

    #[test]
    fn requests_go_to_each_backend() {
        let mut recorder = Recorder::<Nginx>::on("debian 12");
        recorder
            .call("proxy", json!({"name": "hello", "backends": ["192.0.2.10", "192.0.2.11:8080"]}))
            .unwrap();
        let content = |path: &str| {
            let file = recorder.actions().into_iter().find(|file| file.arguments["path"] == path);
            file.unwrap().arguments["content"].as_str().unwrap().to_owned()
        };
        assert_eq!(
            content("/etc/nginx/pallet/hello.servers"),
            "# written by pallet\nserver 192.0.2.10;\nserver 192.0.2.11:8080;\n"
        );
        assert_eq!(
            content("/etc/nginx/sites-available/hello"),
            "# written by pallet\nupstream hello \
             {\n    include /etc/nginx/pallet/hello.active;\n}\n\n\
             server {\n    listen 80;\n    \
             server_name _;\n\n    location / {\n        proxy_pass http://hello;\n        \
             proxy_set_header Host $host;\n        \
             proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n        \
             proxy_set_header X-Forwarded-Proto $scheme;\n    }\n    \
             include /etc/nginx/pallet/hello.locations/*.conf;\n}\n"
        );
    }

    #[test]
    fn what_is_no_machine_is_refused() {
        for (backends, said) in [
            (json!([]), "has no backend"),
            (json!(["a b"]), "has a space"),
            (json!(["a;"]), "cannot stand in"),
        ] {
            let error = Recorder::<Nginx>::on("debian 12")
                .call("proxy", json!({"name": "hello", "backends": backends}))
                .unwrap_err();
            assert!(error.to_string().contains(said), "{error}");
        }
    }
}
