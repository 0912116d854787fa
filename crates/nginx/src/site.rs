//! One site: a server block in a file of its own.

use std::collections::BTreeMap;
use std::fmt::Write;

use pallet_core::prelude::*;

use super::file::{Part, Presence, check_name, default_port, put_site, remove_site, yes};
use super::names::names;
use super::pages;
use super::server_block::{ServerBlock, headers_file, locations};
use super::syntax::plain;
use super::tls::{self, Plain, Protocols};

parameters! {
    /// Serves the files of a directory as a site, and reloads nginx if that changed anything.
    ///
    /// With a certificate, the site is at `https://` on `tls_port`, and requests to `port` are sent
    /// there. `nginx.location` adds to it what is not a file. nginx checks the configuration with
    /// the site before its file is put in place.
    ///
    /// Example: `nginx.site(request, "hello", port = 80, root = "/srv/hello")`
    ///
    /// Example: `nginx.site(request, "shop", server_name = "shop.example.com", certificate = "shop", hsts = 31536000)`
    pub(crate) struct Site {
        /// Names the site's file: letters, digits, `-`, `_` and `.`.
        name: String,
        /// The TCP port to listen on for requests without TLS.
        #[serde(default = "default_port")]
        port: u16,
        /// The directory on the node whose files are served; otherwise `/srv/NAME`.
        #[serde(default)]
        root: Option<String>,
        /// The host names that the site answers to, with spaces between; `_` is any.
        #[serde(default = "any")]
        server_name: String,
        /// Leaves the default site that the package of Debian or Alpine brings in place.
        #[serde(default)]
        default_site: bool,
        /// The files that a path with `/` at its end stands for, with spaces between. Default:
        /// `index.html`.
        #[serde(default = "default_index")]
        index: String,
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
        /// Directory in which certbot leaves the files of a challenge. Default: `/var/www/html`.
        #[serde(default = "default_webroot")]
        acme_webroot: String,
        /// Listen on IPv6 too.
        #[serde(default)]
        ipv6: bool,
        /// Headers to add to every answer.
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// Largest body of a request: `10m`; `0` is any. Default: nginx's own, 1m.
        #[serde(default)]
        max_body: Option<String>,
        /// Let in only the users of this list, as `nginx.basic_auth` names it.
        #[serde(default)]
        basic_auth: Option<String>,
        /// Whether there is a site. `absent` removes it, with its locations.
        #[serde(default)]
        action: Presence,
        /// Reload nginx now if something changed. Otherwise `nginx.service` does.
        #[serde(default = "yes")]
        reload: bool,
    }
}

pub(crate) fn any() -> String {
    "_".to_owned()
}

fn default_index() -> String {
    "index.html".to_owned()
}

pub(crate) fn default_tls_port() -> u16 {
    443
}

pub(crate) fn default_webroot() -> String {
    "/var/www/html".to_owned()
}

pub(crate) fn site(request: &mut Request, site: Site) -> Result<()> {
    let name = &site.name;
    check_name(name)?;
    let part = Part::of(name, site.reload);
    if site.action == Presence::Absent {
        remove_site(request, &part, name)?;
        part.remove(request, &headers_file(name))?;
        request.add_with(Directory::at(locations(name)).absent(), part.changed())?;
        return part.end(request);
    }
    let root = site.root.clone().unwrap_or_else(|| format!("/srv/{name}"));
    plain("root", &root)?;
    plain("index", &site.index)?;
    let files =
        (site.certificate.as_deref(), site.certificate_file.as_deref(), site.key_file.as_deref());
    let block = ServerBlock {
        name,
        port: site.port,
        server_name: &site.server_name,
        certificate: tls::find(request, files)?,
        tls_port: site.tls_port,
        protocols: site.protocols,
        plain: site.plain,
        hsts: site.hsts,
        acme_webroot: &site.acme_webroot,
        ipv6: site.ipv6,
        headers: &site.headers,
        max_body: site.max_body.as_deref(),
        basic_auth: site.basic_auth.as_deref(),
    };
    block.check()?;
    let body = render(&root, &site.index, &pages::registered(request)?)?;
    let content = block.render(names(request)?, &body)?;
    part.begin(request)?;
    if let Some(certificate) = &block.certificate {
        certificate.follow(request)?;
    }
    block.put_headers(request, &part)?;
    put_site(request, part, name, content, site.default_site)
}

fn render(root: &str, index: &str, pages: &BTreeMap<String, String>) -> Result<String> {
    let mut out = format!("    root \"{root}\";\n    index {index};\n");
    for (path, directory) in pages {
        writeln!(
            out,
            "\n    location {path}/ {{\n        alias \"{}/\";\n    }}",
            directory.trim_end_matches('/')
        )?;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::super::Nginx;
    use super::*;

    fn recorder() -> Recorder<Nginx> {
        let at = |file: &str| format!("/etc/pallet/certificates/shop/{file}.pem");
        Recorder::<Nginx>::on("debian 12")
            .settings("nginx-pages", json!({"/status": "/srv/status"}))
            .settings(
                "certificates",
                json!({"shop": {"fullchain": at("fullchain"), "key": at("key"), "ca": null}}),
            )
    }

    fn content(recorder: &Recorder<Nginx>, path: &str) -> String {
        let found = recorder.actions().into_iter().find(|one| one.arguments["path"] == path);
        found.unwrap().arguments["content"].as_str().unwrap().to_owned()
    }

    #[test]
    fn a_site_serves_the_pages_that_were_registered() {
        let mut recorder = recorder();
        recorder.call("site", json!({"name": "hello", "port": 8080})).unwrap();
        assert_eq!(
            content(&recorder, "/etc/nginx/sites-available/hello"),
            "# written by pallet\nserver \
             {\n    listen 8080;\n    server_name _;\n    root \"/srv/hello\";\n    \
             index index.html;\n\n    \
             location /status/ {\n        alias \"/srv/status/\";\n    }\n    \
             include /etc/nginx/pallet/hello.locations/*.conf;\n}\n"
        );
    }

    #[test]
    fn a_site_with_a_certificate_sends_others_to_it() {
        let mut recorder = recorder();
        recorder
            .call(
                "site",
                json!({"name": "shop", "server_name": "shop.example", "certificate": "shop",
                    "hsts": 300, "headers": {"X-Frame-Options": "DENY"}, "basic_auth": "team"}),
            )
            .unwrap();
        let text = content(&recorder, "/etc/nginx/sites-available/shop");
        for part in [
            "    listen 80;\n    server_name shop.example;\n",
            "return 301 https://$host$request_uri;",
            "    listen 443 ssl http2;\n    server_name shop.example;\n    \
             ssl_certificate \"/etc/pallet/certificates/shop/fullchain.pem\";\n",
            "ssl_protocols TLSv1.2 TLSv1.3;",
            "auth_basic_user_file /etc/nginx/pallet/team.htpasswd;",
            "include /etc/nginx/pallet/shop.headers;",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
        assert_eq!(
            content(&recorder, "/etc/nginx/pallet/shop.headers"),
            "# written by pallet\nadd_header Strict-Transport-Security \"max-age=300\" always;\n\
             add_header X-Frame-Options \"DENY\" always;\n"
        );
        let declared = recorder.declared();
        let follows = "remote_file /etc/pallet/certificates/shop/reload/nginx";
        assert!(declared.contains(&follows.to_owned()), "{declared:?}");
    }

    #[test]
    fn a_file_is_checked_before_it_is_put_in_place() {
        let mut recorder = recorder();
        recorder.call("site", json!({"name": "hello"})).unwrap();
        let actions = recorder.actions();
        let file = actions.iter().find(|one| one.subject.ends_with("available/hello")).unwrap();
        assert_eq!(
            file.arguments["verify"],
            "sh /usr/local/lib/pallet/nginx-servers check /etc/nginx/sites-available/hello \
             /etc/nginx/sites-enabled/hello '!/etc/nginx/sites-enabled/default' --"
        );
        assert_eq!(file.options.flag_on_change.as_deref(), Some("nginx-configuration-hello"));
    }

    #[test]
    fn several_sites_can_share_one_reload() {
        let mut recorder = recorder();
        for name in ["a", "b"] {
            recorder.call("site", json!({"name": name, "reload": false})).unwrap();
        }
        recorder.call("service", json!({})).unwrap();
        let reloads = |one: &RecordedAction| one.arguments["action"] == "reload";
        let actions: Vec<_> = recorder.actions().into_iter().filter(reloads).collect();
        assert_eq!(actions.len(), 1);
        assert_eq!(actions[0].options.if_flag.as_deref(), Some("nginx-configuration"));
    }

    #[test]
    fn what_makes_no_site_is_refused() {
        for (arguments, said) in [
            (json!({"name": "a/b"}), "cannot name a site"),
            (json!({"name": "a", "root": "/srv; }"}), "cannot stand in"),
            (json!({"name": "a", "server_name": "a; b"}), "cannot stand in"),
            (json!({"name": "a", "certificate": "none"}), "no certificate none"),
            (json!({"name": "a", "certificate_file": "/a"}), "both certificate_file and key_file"),
            (json!({"name": "a", "hsts": 1}), "only for a site with a certificate"),
            (json!({"name": "a", "certificate": "shop", "tls_port": 80}), "are both 80"),
            (json!({"name": "a", "headers": {"X A": "b"}}), "cannot be a header"),
            (json!({"name": "a", "headers": {"X-A": "b\"; }"}}), "cannot stand in"),
            (json!({"name": "a", "max_body": "big"}), "is no size"),
            (json!({"name": "a", "port": 0}), "no port 0"),
        ] {
            let error = recorder().call("site", &arguments).unwrap_err();
            assert!(error.to_string().contains(said), "{arguments}: {error}");
        }
    }
}
