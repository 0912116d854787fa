//! What a frontend listens on: with certificates, and without TLS.

use std::collections::BTreeMap;
use std::fmt::Write;

use pallet_core::prelude::*;

use super::names::check_word;

/// What a frontend with certificates does for requests without TLS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pallet_core::serde", rename_all = "lowercase")]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) enum Plain {
    /// It sends them to HTTPS, but for those of ACME.
    #[default]
    Redirect,
    /// It answers them too.
    Serve,
    /// It does not listen for them.
    Off,
}

/// What the crate `certificates` tells about a certificate.
#[derive(Debug, Deserialize)]
#[serde(crate = "pallet_core::serde")]
struct Files {
    combined: String,
}

/// Finds certificates by their names, and those that are files with a key and a full chain.
pub(crate) fn find(request: &Request, names: &[String], files: &[String]) -> Result<Vec<String>> {
    let known: Option<BTreeMap<String, Files>> = request.settings("certificates")?;
    let mut known = known.unwrap_or_default();
    let mut found = Vec::new();
    for name in names {
        check_file_name("a certificate", name)?;
        let files = known.remove(name).with_context(|| {
            format!(
                "this node has no certificate {name}; call a function of the crate certificates \
                 that makes it before, or give certificate_files"
            )
        })?;
        found.push(files.combined);
    }
    found.extend(files.iter().cloned());
    for file in &found {
        ensure!(file.starts_with('/'), "the certificate {file:?} must be an absolute path");
        check_word("certificate", file)?;
    }
    Ok(found)
}

/// Has HAProxy reloaded when certificates change.
pub(crate) fn follow(request: &mut Request, names: &[String]) -> Result<()> {
    for name in names {
        let directory = format!("/etc/pallet/certificates/{name}/reload");
        request.add(Directory::at(&directory))?;
        request.add(
            RemoteFile::content(format!("{directory}/haproxy"), "# haproxy uses the certificate\n")
                .owner("root")
                .group("root")
                .mode(0o644),
        )?;
    }
    Ok(())
}

/// What a frontend listens on.
pub(crate) struct Listen<'a> {
    pub(crate) address: &'a str,
    pub(crate) port: u16,
    pub(crate) tls_port: u16,
    pub(crate) certificates: &'a [String],
    pub(crate) plain: Plain,
    pub(crate) http: bool,
    pub(crate) hsts: u32,
}

impl Listen<'_> {
    /// Refuses what cannot be listened on.
    pub(crate) fn check(&self, name: &str) -> Result<()> {
        ensure!(self.port > 0 && self.tls_port > 0, "proxy {name}: there is no port 0");
        ensure!(
            !self.certificates.is_empty() || self.hsts == 0,
            "proxy {name}: hsts is only for one with a certificate"
        );
        ensure!(
            self.certificates.is_empty() || self.plain == Plain::Off || self.port != self.tls_port,
            "proxy {name}: port and tls_port are both {}",
            self.port
        );
        Ok(())
    }

    /// The lines `bind`.
    pub(crate) fn binds(&self) -> Result<String> {
        let Listen { address, port, tls_port, certificates, plain, http, .. } = self;
        let mut out = String::new();
        let tls = !certificates.is_empty();
        // a connection that is passed on as it is cannot be redirected
        if !tls || *plain == Plain::Serve || (*plain == Plain::Redirect && *http) {
            writeln!(out, "    bind {address}:{port}")?;
        }
        if tls {
            let files: String = certificates.iter().map(|file| format!(" crt {file}")).collect();
            let protocols = if *http { " alpn h2,http/1.1" } else { "" };
            writeln!(out, "    bind {address}:{tls_port} ssl{files}{protocols}")?;
        }
        Ok(out)
    }

    /// The rules for requests: who is redirected, and what servers are told.
    pub(crate) fn rules(&self) -> Result<String> {
        if self.certificates.is_empty() {
            return Ok("    http-request set-header X-Forwarded-Proto http\n".to_owned());
        }
        let mut out = String::new();
        if self.plain == Plain::Redirect {
            let port = match self.tls_port {
                443 => "https://%[req.hdr(host),field(1,:)]%[capture.req.uri]".to_owned(),
                port => format!("https://%[req.hdr(host),field(1,:)]:{port}%[capture.req.uri]"),
            };
            writeln!(
                out,
                "    http-request redirect location {port} code 301 unless {{ ssl_fc }} or \
                 {{ path_beg /.well-known/acme-challenge/ }}"
            )?;
        }
        out.push_str("    http-request set-header X-Forwarded-Proto https if { ssl_fc }\n");
        out.push_str("    http-request set-header X-Forwarded-Proto http unless { ssl_fc }\n");
        if self.hsts > 0 {
            writeln!(
                out,
                "    http-response set-header Strict-Transport-Security max-age={} if {{ ssl_fc }}",
                self.hsts
            )?;
        }
        Ok(out)
    }
}
