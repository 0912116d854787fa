//! TLS of a site: the certificate, and what browsers of today speak.

use std::collections::BTreeMap;
use std::fmt::Write;

use pallet_core::prelude::*;

use super::names::Names;
use super::syntax;

/// The ciphers of TLS 1.2 that Mozilla recommends for clients of the last years.
const CIPHERS: &str = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:\
                       ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:\
                       ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

/// Which clients can connect.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pallet_core::serde", rename_all = "lowercase")]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) enum Protocols {
    /// TLS 1.2 with forward secrecy, and TLS 1.3.
    #[default]
    Intermediate,
    /// Only TLS 1.3.
    Modern,
}

/// What a site with TLS does for requests without it.
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

/// The files of a certificate.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Certificate {
    pub(crate) fullchain: String,
    pub(crate) key: String,
    /// Its name, if the crate `certificates` makes it.
    pub(crate) name: Option<String>,
}

/// What the crate `certificates` tells about a certificate.
#[derive(Debug, Deserialize)]
#[serde(crate = "pallet_core::serde")]
struct Files {
    fullchain: String,
    key: String,
}

/// Finds a certificate by its name, or by its files.
pub(crate) fn find(
    request: &Request,
    (name, file, key): (Option<&str>, Option<&str>, Option<&str>),
) -> Result<Option<Certificate>> {
    match (name, file, key) {
        (None, None, None) => Ok(None),
        (Some(name), None, None) => {
            check_file_name("a certificate", name)?;
            let known: Option<BTreeMap<String, Files>> = request.settings("certificates")?;
            let files = known.and_then(|mut known| known.remove(name)).with_context(|| {
                format!(
                    "this node has no certificate {name}; call a function of the crate \
                     certificates that makes it before, or give certificate_file and key_file"
                )
            })?;
            syntax::path("certificate", &files.fullchain)?;
            syntax::path("key", &files.key)?;
            let Files { fullchain, key } = files;
            Ok(Some(Certificate { fullchain, key, name: Some(name.to_owned()) }))
        }
        (None, Some(file), Some(key)) => {
            syntax::path("certificate_file", file)?;
            syntax::path("key_file", key)?;
            Ok(Some(Certificate { fullchain: file.to_owned(), key: key.to_owned(), name: None }))
        }
        _ => bail!("give certificate, or both certificate_file and key_file"),
    }
}

impl Certificate {
    /// Has nginx reloaded when the certificate changes.
    pub(crate) fn follow(&self, request: &mut Request) -> Result<()> {
        let Some(name) = &self.name else { return Ok(()) };
        let directory = format!("/etc/pallet/certificates/{name}/reload");
        request.add(Directory::at(&directory))?;
        request.add(
            RemoteFile::content(format!("{directory}/nginx"), "# nginx uses the certificate\n")
                .owner("root")
                .group("root")
                .mode(0o644),
        )
    }

    /// The directives of a server block.
    pub(crate) fn render(&self, protocols: Protocols) -> Result<String> {
        let versions = match protocols {
            Protocols::Intermediate => "TLSv1.2 TLSv1.3",
            Protocols::Modern => "TLSv1.3",
        };
        let mut out = format!(
            "    ssl_certificate \"{}\";\n    ssl_certificate_key \"{}\";\n    \
             ssl_protocols {versions};\n",
            self.fullchain, self.key
        );
        if protocols == Protocols::Intermediate {
            writeln!(out, "    ssl_ciphers {CIPHERS};")?;
        }
        out.push_str(
            "    ssl_prefer_server_ciphers off;\n    ssl_session_timeout 1d;\n    \
             ssl_session_cache shared:pallet:10m;\n    ssl_session_tickets off;\n",
        );
        Ok(out)
    }
}

/// The directives that listen on a port.
pub(crate) fn listen(names: &Names, port: u16, tls: bool, ipv6: bool) -> Result<String> {
    let words = match (tls, names.http2) {
        (false, _) => "",
        (true, true) => " ssl",
        (true, false) => " ssl http2",
    };
    let mut out = format!("    listen {port}{words};\n");
    if ipv6 {
        writeln!(out, "    listen [::]:{port}{words};")?;
    }
    if tls && names.http2 {
        out.push_str("    http2 on;\n");
    }
    Ok(out)
}
