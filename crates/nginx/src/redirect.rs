//! A site that sends everybody elsewhere: to HTTPS, or to another host.

use std::fmt::Write;

use pallet_core::prelude::*;

use super::file::{Part, Presence, check_name, default_port, put_site, remove_site, yes};
use super::names::{Names, names};
use super::server_block::acme;
use super::site::{default_tls_port, default_webroot};
use super::syntax::{self, plain, word};
use super::tls::{self, Certificate, Protocols, listen};

parameters! {
    /// Sends requests for some host names elsewhere: without `to`, to HTTPS of the same host.
    ///
    /// Requests of ACME are answered, so it can be declared before there is a certificate.
    ///
    /// Example: `nginx.redirect(request, "shop-http", server_name = "shop.example.com")`
    ///
    /// Example: `nginx.redirect(request, "www", server_name = "www.example.com", to =
    /// "https://example.com", certificate = "www")`
    pub(crate) struct Redirect {
        /// Names the file: letters, digits, `-`, `_` and `.`.
        name: String,
        /// The host names whose requests are redirected, with spaces between; `_` is any.
        server_name: String,
        /// Where to: `https://example.com`. Default: HTTPS of the same host.
        #[serde(default)]
        to: Option<String>,
        /// Add the path of the request to `to`.
        #[serde(default = "yes")]
        keep_path: bool,
        /// Status of the answers: 301, 302, 303, 307 or 308. Default: 301.
        #[serde(default = "default_status")]
        status: u16,
        /// The TCP port to listen on for requests without TLS.
        #[serde(default = "default_port")]
        port: u16,
        /// A certificate of this node, as the crate `certificates` names it, with which requests
        /// with TLS are redirected too.
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
        /// Directory in which certbot leaves the files of a challenge. Default: `/var/www/html`.
        #[serde(default = "default_webroot")]
        acme_webroot: String,
        /// Listen on IPv6 too.
        #[serde(default)]
        ipv6: bool,
        /// Leaves the default site that the package of Debian or Alpine brings in place.
        #[serde(default)]
        default_site: bool,
        /// Whether there is a redirect.
        #[serde(default)]
        action: Presence,
        /// Reload nginx now if something changed. Otherwise `nginx.service` does.
        #[serde(default = "yes")]
        reload: bool,
    }
}

fn default_status() -> u16 {
    301
}

pub(crate) fn redirect(request: &mut Request, wanted: Redirect) -> Result<()> {
    let Redirect { name, status, .. } = &wanted;
    check_name(name)?;
    let part = Part::of(name, wanted.reload);
    if wanted.action == Presence::Absent {
        remove_site(request, &part, name)?;
        return part.end(request);
    }
    plain("server_name", &wanted.server_name)?;
    syntax::path("acme_webroot", &wanted.acme_webroot)?;
    ensure!(
        [301, 302, 303, 307, 308].contains(status),
        "redirect {name}: {status} is no status of a redirect; use 301, 302, 303, 307 or 308"
    );
    ensure!(wanted.port > 0 && wanted.tls_port > 0, "redirect {name}: there is no port 0");
    if let Some(to) = &wanted.to {
        word("to", to)?;
        ensure!(
            ["http://", "https://"].iter().any(|scheme| to.starts_with(scheme)),
            "redirect {name}: {to:?} must be a URL with http:// or https://"
        );
    }
    let files = (
        wanted.certificate.as_deref(),
        wanted.certificate_file.as_deref(),
        wanted.key_file.as_deref(),
    );
    let certificate = tls::find(request, files)?;
    ensure!(
        certificate.is_none() || wanted.to.is_some(),
        "redirect {name}: with a certificate, say where to redirect: `to`"
    );
    let content = render(&wanted, names(request)?, certificate.as_ref())?;
    part.begin(request)?;
    if let Some(certificate) = &certificate {
        certificate.follow(request)?;
    }
    put_site(request, part, name, content, wanted.default_site)
}

fn render(wanted: &Redirect, names: &Names, certificate: Option<&Certificate>) -> Result<String> {
    let Redirect { server_name, status, port, tls_port, ipv6, .. } = wanted;
    let to = match &wanted.to {
        Some(to) if wanted.keep_path => format!("{}$request_uri", to.trim_end_matches('/')),
        Some(to) => to.clone(),
        None if *tls_port == 443 => "https://$host$request_uri".to_owned(),
        None => format!("https://$host:{tls_port}$request_uri"),
    };
    let mut out = String::from("# written by pallet\nserver {\n");
    out.push_str(&listen(names, *port, false, *ipv6)?);
    if certificate.is_some() {
        out.push_str(&listen(names, *tls_port, true, *ipv6)?);
    }
    writeln!(out, "    server_name {server_name};")?;
    if let Some(certificate) = certificate {
        out.push_str(&certificate.render(Protocols::Intermediate)?);
    }
    out.push('\n');
    out.push_str(&acme(&wanted.acme_webroot));
    write!(out, "    location / {{\n        return {status} {to};\n    }}\n}}\n")?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::super::Nginx;
    use super::*;

    fn content(arguments: Value) -> String {
        let mut recorder = Recorder::<Nginx>::on("debian 13");
        recorder.call("redirect", arguments).unwrap();
        let found = recorder.actions().into_iter().find(|one| one.subject.contains("available/"));
        found.unwrap().arguments["content"].as_str().unwrap().to_owned()
    }

    #[test]
    fn without_a_place_it_is_https() {
        assert_eq!(
            content(json!({"name": "a", "server_name": "a.example"})),
            "# written by pallet\nserver {\n    listen 80;\n    server_name a.example;\n\n    \
             location /.well-known/acme-challenge/ {\n        root \"/var/www/html\";\n    }\n    \
             location / {\n        return 301 https://$host$request_uri;\n    }\n}\n"
        );
    }

    #[test]
    fn another_host_has_the_same_paths() {
        let text = content(json!({"name": "a", "server_name": "www.example", "status": 308,
            "to": "https://example/", "certificate_file": "/c", "key_file": "/k"}));
        assert!(text.contains("return 308 https://example$request_uri;"), "{text}");
        assert!(text.contains("    listen 443 ssl;\n    http2 on;\n"), "{text}");
    }

    #[test]
    fn what_is_no_redirect_is_refused() {
        for (arguments, said) in [
            (json!({"name": "a", "server_name": "a", "status": 200}), "no status of a redirect"),
            (json!({"name": "a", "server_name": "a", "to": "example"}), "must be a URL"),
            (json!({"name": "a", "server_name": "a", "to": "https://a; }"}), "cannot stand in"),
            (json!({"name": "a", "server_name": "a;"}), "cannot stand in"),
            (
                json!({
                    "name": "a", "server_name": "a",
                    "certificate_file": "/c", "key_file": "/k",
                }),
                "say where to redirect",
            ),
        ] {
            let error =
                Recorder::<Nginx>::on("debian 12").call("redirect", &arguments).unwrap_err();
            assert!(error.to_string().contains(said), "{arguments}: {error}");
        }
    }
}
