//! One site: a server block in a file of its own.

use std::fmt::Write;

use pallet_core::prelude::*;

use super::syntax::plain;
use super::{CHANGED, ServiceArguments, pages, service};

parameters! {
    /// Serves the files of a directory as a site, and reloads nginx if that changed anything.
    ///
    /// Example: `nginx.site(request, "hello", port = 80, root = "/srv/hello")`
    pub(crate) struct Site {
        /// Names the site's file: letters, digits, `-`, `_` and `.`.
        name: String,
        /// The TCP port to listen on.
        #[serde(default = "default_port")]
        port: u16,
        /// The directory on the node whose files are served; otherwise `/srv/NAME`.
        #[serde(default)]
        root: Option<String>,
        /// The host names that the site answers to, with spaces between; `_` is any.
        #[serde(default = "default_server_name")]
        server_name: String,
        /// Leaves the default site that Debian's package brings in place.
        #[serde(default)]
        default_site: bool,
    }
}

fn default_port() -> u16 {
    80
}

fn default_server_name() -> String {
    "_".to_owned()
}

pub(crate) fn site(request: &mut Request, site: Site) -> Result<()> {
    let good = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    ensure!(!site.name.is_empty() && site.name.chars().all(good), "{:?} cannot name a site: use letters, digits, -, _ and .", site.name);
    let root = site.root.clone().unwrap_or_else(|| format!("/srv/{}", site.name));
    plain("root", &root)?;
    plain("server_name", &site.server_name)?;
    let content = render(&site, &root, &pages::registered(request)?)?;
    let file = |path: String| RemoteFile::content(path, content).owner("root").group("root").mode(0o644);
    let changed = || Options::new().flag_on_change(CHANGED);
    if request.target()?.os.family == OsFamily::Debian {
        let available = format!("/etc/nginx/sites-available/{}", site.name);
        request.add_with(file(available.clone()), changed())?;
        request.add_with(SymbolicLink::new(format!("/etc/nginx/sites-enabled/{}", site.name), available), changed())?;
        if !site.default_site {
            request.add_with(File::at("/etc/nginx/sites-enabled/default").absent(), changed())?;
        }
    } else {
        request.add_with(file(format!("/etc/nginx/conf.d/{}.conf", site.name)), changed())?;
    }
    service(request, ServiceArguments {})
}

fn render(site: &Site, root: &str, pages: &std::collections::BTreeMap<String, String>) -> Result<String> {
    let mut out = String::from("# written by pallet\nserver {\n");
    writeln!(out, "    listen {};\n    server_name {};\n    root \"{root}\";\n    index index.html;", site.port, site.server_name)?;
    for (path, directory) in pages {
        writeln!(out, "\n    location {path}/ {{\n        alias \"{}/\";\n    }}", directory.trim_end_matches('/'))?;
    }
    out.push_str("}\n");
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_serves_the_pages_that_were_registered() {
        let site = Site { name: "hello".into(), port: 8080, root: None, server_name: "_".into(), default_site: false };
        let pages = [("/status".to_owned(), "/srv/status".to_owned())].into();
        let text = render(&site, "/srv/hello", &pages).unwrap();
        assert_eq!(
            text,
            "# written by pallet\nserver {\n    listen 8080;\n    server_name _;\n    root \"/srv/hello\";\n    index index.html;\n\n    location /status/ {\n        alias \"/srv/status/\";\n    }\n}\n"
        );
    }
}
