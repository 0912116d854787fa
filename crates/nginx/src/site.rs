//! One site: a server block in a file of its own.

use std::fmt::Write;

use pallet_core::prelude::*;

use super::file::{check_name, default_port, put};
use super::pages;
use super::syntax::plain;

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

fn default_server_name() -> String {
    "_".to_owned()
}

pub(crate) fn site(request: &mut Request, site: Site) -> Result<()> {
    check_name(&site.name)?;
    let root = site.root.clone().unwrap_or_else(|| format!("/srv/{}", site.name));
    plain("root", &root)?;
    plain("server_name", &site.server_name)?;
    let content = render(&site, &root, &pages::registered(request)?)?;
    put(request, &site.name, content, site.default_site)
}

fn render(
    site: &Site,
    root: &str,
    pages: &std::collections::BTreeMap<String, String>,
) -> Result<String> {
    let mut out = String::from("# written by pallet\nserver {\n");
    writeln!(
        out,
        "    listen {};\n    server_name {};\n    root \"{root}\";\n    index index.html;",
        site.port, site.server_name
    )?;
    for (path, directory) in pages {
        writeln!(
            out,
            "\n    location {path}/ {{\n        alias \"{}/\";\n    }}",
            directory.trim_end_matches('/')
        )?;
    }
    out.push_str("}\n");
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_serves_the_pages_that_were_registered() {
        let site = Site {
            name: "hello".into(),
            port: 8080,
            root: None,
            server_name: "_".into(),
            default_site: false,
        };
        let pages = [("/status".to_owned(), "/srv/status".to_owned())].into();
        let text = render(&site, "/srv/hello", &pages).unwrap();
        assert_eq!(
            text,
            "# written by pallet\nserver \
             {\n    listen 8080;\n    server_name _;\n    root \"/srv/hello\";\n    \
             index index.html;\n\n    \
             location /status/ {\n        alias \"/srv/status/\";\n    }\n}\n"
        );
    }
}
