//! The blocks of a site: what it listens on, its certificate, and what it answers without TLS.

use std::collections::BTreeMap;
use std::fmt::Write;

use pallet_core::prelude::*;

use super::access::{Access, access};
use super::file::{DIRECTORY, Part};
use super::names::Names;
use super::syntax::{header, plain, size};
use super::tls::{Certificate, Plain, Protocols, listen};

/// What sites and proxies have in common.
#[derive(Debug, Clone)]
pub(crate) struct ServerBlock<'a> {
    pub(crate) name: &'a str,
    pub(crate) port: u16,
    pub(crate) server_name: &'a str,
    pub(crate) certificate: Option<Certificate>,
    pub(crate) tls_port: u16,
    pub(crate) protocols: Protocols,
    pub(crate) plain: Plain,
    pub(crate) hsts: u32,
    pub(crate) acme_webroot: &'a str,
    pub(crate) ipv6: bool,
    pub(crate) headers: &'a BTreeMap<String, String>,
    pub(crate) max_body: Option<&'a str>,
    pub(crate) basic_auth: Option<&'a str>,
}

impl ServerBlock<'_> {
    /// Refuses what would make an invalid block.
    pub(crate) fn check(&self) -> Result<()> {
        let ServerBlock { name, port, tls_port, certificate, plain: without, .. } = self;
        plain("server_name", self.server_name)?;
        super::syntax::path("acme_webroot", self.acme_webroot)?;
        ensure!(*port > 0 && *tls_port > 0, "site {name}: there is no port 0");
        ensure!(
            certificate.is_some() || self.hsts == 0,
            "site {name}: hsts is only for a site with a certificate"
        );
        ensure!(
            certificate.is_none() || *without == Plain::Off || port != tls_port,
            "site {name}: port and tls_port are both {port}"
        );
        if let Some(limit) = self.max_body {
            size("max_body", limit)?;
        }
        self.headers.iter().try_for_each(|(name, value)| {
            header(name)?;
            plain(&format!("header {name}"), value)
        })
    }

    /// The file with the site's headers, which its locations include too: nginx forgets those of a
    /// site where a location has its own.
    pub(crate) fn put_headers(&self, request: &mut Request, part: &Part) -> Result<()> {
        let path = headers_file(self.name);
        let text = self.render_headers()?;
        match text.is_empty() {
            true => part.remove(request, &path),
            false => part.write(request, &path, format!("# written by pallet\n{text}")),
        }
    }

    fn render_headers(&self) -> Result<String> {
        let mut out = String::new();
        if self.hsts > 0 {
            writeln!(
                out,
                "add_header Strict-Transport-Security \"max-age={}\" always;",
                self.hsts
            )?;
        }
        for (name, value) in self.headers {
            writeln!(out, "add_header {name} \"{value}\" always;")?;
        }
        Ok(out)
    }

    /// The file of the site, whose own directives are `body`.
    pub(crate) fn render(&self, names: &Names, body: &str) -> Result<String> {
        let ServerBlock { port, server_name, tls_port, ipv6, .. } = self;
        let mut out = String::from("# written by pallet\n");
        if self.certificate.is_some() && self.plain == Plain::Redirect {
            let port = if *tls_port == 443 { String::new() } else { format!(":{tls_port}") };
            write!(
                out,
                "server {{\n{}    server_name {server_name};\n\n{}    location / {{\n        \
                 return 301 https://$host{port}$request_uri;\n    }}\n}}\n\n",
                listen(names, self.port, false, *ipv6)?,
                acme(self.acme_webroot)
            )?;
        }
        out.push_str("server {\n");
        if self.certificate.is_none() || self.plain == Plain::Serve {
            out.push_str(&listen(names, *port, false, *ipv6)?);
        }
        if let Some(certificate) = &self.certificate {
            out.push_str(&listen(names, *tls_port, true, *ipv6)?);
            writeln!(out, "    server_name {server_name};")?;
            out.push_str(&certificate.render(self.protocols)?);
        } else {
            writeln!(out, "    server_name {server_name};")?;
        }
        if let Some(limit) = self.max_body {
            writeln!(out, "    client_max_body_size {limit};")?;
        }
        let rules = Access { basic_auth: self.basic_auth, allow: &[], deny: &[] };
        out.push_str(&access(self.name, &rules, "    ")?);
        if !self.render_headers()?.is_empty() {
            writeln!(out, "    include {};", headers_file(self.name))?;
        }
        out.push_str(body);
        writeln!(out, "    include {}/*.conf;\n}}", locations(self.name))?;
        Ok(out)
    }
}

/// The location in which certbot leaves the files of a challenge.
pub(crate) fn acme(webroot: &str) -> String {
    format!("    location /.well-known/acme-challenge/ {{\n        root \"{webroot}\";\n    }}\n")
}

/// The directory of a site's locations.
pub(crate) fn locations(site: &str) -> String {
    format!("{DIRECTORY}/{site}.locations")
}

/// The file with a site's headers.
pub(crate) fn headers_file(site: &str) -> String {
    format!("{DIRECTORY}/{site}.headers")
}
