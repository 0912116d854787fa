//! A load balancer: a server block that passes requests on to other machines.

use std::fmt::Write;

use pallet_core::prelude::*;

use super::file::{check_name, default_port, put};
use super::servers;
use super::syntax::plain;

parameters! {
    /// Passes requests on to other machines in turn; one that does not answer is left out for a
    /// while.
    ///
    /// nginx is reloaded if that changed anything. A machine that is drained stays drained.
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
        /// Leaves the default site that Debian's package brings in place.
        #[serde(default)]
        default_site: bool,
    }
}

fn any() -> String {
    "_".to_owned()
}

pub(crate) fn proxy(request: &mut Request, proxy: Proxy) -> Result<()> {
    check_name(&proxy.name)?;
    ensure!(
        !proxy.backends.is_empty(),
        "proxy {} has no backend: name one machine, or declare it only where there is one",
        proxy.name
    );
    plain("server_name", &proxy.server_name)?;
    for backend in &proxy.backends {
        plain("backend", backend)?;
        ensure!(
            !backend.contains(char::is_whitespace),
            "the backend {backend:?} has a space in it"
        );
    }
    servers::put(request, &proxy.name, &proxy.backends)?;
    let content = render(&proxy)?;
    put(request, &proxy.name, content, proxy.default_site)
}

fn render(proxy: &Proxy) -> Result<String> {
    let Proxy { name, port, server_name, .. } = proxy;
    let mut out = format!("# written by pallet\nupstream {name} {{\n");
    write!(
        out,
        "    include {};\n}}\n\nserver {{\n    listen {port};\n    \
         server_name {server_name};\n\n    location / {{\n        proxy_pass http://{name};\n",
        servers::active(name)
    )?;
    for (header, value) in [
        ("Host", "$host"),
        ("X-Forwarded-For", "$proxy_add_x_forwarded_for"),
        ("X-Forwarded-Proto", "$scheme"),
    ] {
        writeln!(out, "        proxy_set_header {header} {value};")?;
    }
    out.push_str("    }\n}\n");
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
             proxy_set_header X-Forwarded-Proto $scheme;\n    }\n}\n"
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
