//! HTTP: a small blocking client, for servers that keep secrets or receive notices.

use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, http};

/// Timeout of a whole exchange.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

/// Maximum size of an answer, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// Two clients: HTTPS may use the proxy of the environment, as in every program; plain HTTP is for
/// nearby hosts, and never uses it. Redirects are not followed: what is sent is only for the server
/// that was named.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    plain: Agent,
    encrypted: Agent,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// Why there is no answer. It never contains the URL, which can be a secret.
#[derive(Debug)]
pub(crate) struct Unanswered {
    pub(crate) kind: Kind,
    why: String,
}

/// The kinds of [`Unanswered`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Timeout,
    Unreachable,
    Other,
}

impl Http {
    /// A client that trusts the certificate authorities of this system, or only those of a file.
    pub(crate) fn new(authorities: Option<&Path>) -> anyhow::Result<Self> {
        let roots: Vec<Certificate<'static>> = match authorities {
            Some(file) => in_file(file)?,
            None => rustls_native_certs::load_native_certs()
                .certs
                .iter()
                .map(|certificate| Certificate::from_der(certificate).to_owned())
                .collect(),
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::new_with_certs(&roots))
            .unversioned_rustls_crypto_provider(provider)
            .build();
        let config = || {
            let config = Agent::config_builder()
                .http_status_as_error(false)
                .max_redirects(0)
                .max_redirects_will_error(false);
            config.timeout_global(Some(TIMEOUT)).user_agent("pallet")
        };
        Ok(Http {
            plain: config().proxy(None).build().into(),
            encrypted: config().tls_config(tls).build().into(),
        })
    }

    /// Sends a request, and reads the whole answer, within [`TIMEOUT`]. A request without a body is
    /// `None`.
    pub(crate) fn send(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Result<Answer, Unanswered> {
        let mut request = http::Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let agent = if url.starts_with("https:") { &self.encrypted } else { &self.plain };
        let answer = match body {
            Some(body) => {
                request.body(body).map_err(ureq::Error::from).and_then(|it| agent.run(it))
            }
            None => request.body(()).map_err(ureq::Error::from).and_then(|it| agent.run(it)),
        };
        let mut answer = answer.map_err(|error| Unanswered::from(&error))?;
        let headers = answer.headers().iter().map(|(name, value)| {
            (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        });
        let headers = headers.collect();
        let body = answer.body_mut().with_config().limit(LARGEST).read_to_vec();
        let body = body.map_err(|error| Unanswered::from(&error))?;
        Ok(Answer { status: answer.status().as_u16(), headers, body })
    }
}

/// The certificates in a file.
fn in_file(file: &Path) -> anyhow::Result<Vec<Certificate<'static>>> {
    let shown = file.display();
    let text = std::fs::read(file)
        .with_context(|| format!("cannot read the certificate authorities in {shown}"))?;
    let found = parse_pem(&text).filter_map(|item| match item {
        Ok(PemItem::Certificate(certificate)) => Some(Ok(certificate)),
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    });
    let found: Vec<_> =
        found.collect::<Result<_, _>>().with_context(|| format!("{shown} is not a file in PEM"))?;
    ensure!(!found.is_empty(), "there is no certificate in {shown}");
    Ok(found)
}

/// The beginning of an answer's text, in one line, for an error.
pub(crate) fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(300) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

impl From<&ureq::Error> for Unanswered {
    fn from(error: &ureq::Error) -> Self {
        let (kind, why) = match error {
            ureq::Error::Timeout(_) => {
                (Kind::Timeout, format!("it did not answer within {} s", TIMEOUT.as_secs()))
            }
            ureq::Error::HostNotFound => {
                (Kind::Unreachable, "its name cannot be resolved".to_owned())
            }
            ureq::Error::Io(error) if error.kind() == ErrorKind::ConnectionRefused => {
                (Kind::Unreachable, "nothing listens there".to_owned())
            }
            ureq::Error::Io(error) => (Kind::Unreachable, one_line(&innermost(error))),
            ureq::Error::ConnectionFailed => {
                (Kind::Unreachable, "it cannot be connected to".to_owned())
            }
            // the text would hold the URL
            ureq::Error::BadUri(_) | ureq::Error::Http(_) => {
                (Kind::Other, "it is not a URL of HTTP".to_owned())
            }
            ureq::Error::BodyExceedsLimit(_) => {
                (Kind::Other, format!("its answer is larger than {} KiB", LARGEST / 1024))
            }
            error => (Kind::Other, one_line(&error.to_string())),
        };
        Unanswered { kind, why }
    }
}

fn innermost(error: &io::Error) -> String {
    match error.get_ref() {
        Some(inner) => inner.to_string(),
        None => error.to_string(),
    }
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl Error for Unanswered {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_url_is_not_shown() {
        let http = Http::new(None).unwrap();
        for url in ["http://a b/hunter2", "hunter2", "ftp://hunter2/x"] {
            let error = http.send("GET", url, &[], None).unwrap_err();
            assert!(!error.to_string().contains("hunter2"), "{url}: {error}");
        }
        let error = http.send("GET", "http://127.0.0.1:1/hunter2", &[], None).unwrap_err();
        assert_eq!(error.to_string(), "nothing listens there");
    }

    #[test]
    fn authorities_are_certificates() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("ca.pem");
        std::fs::write(&file, "none\n").unwrap();
        let error = format!("{:#}", Http::new(Some(&file)).unwrap_err());
        assert!(error.starts_with("there is no certificate in "), "{error}");
        assert_eq!(one_line("a\n b\u{1b}"), "a b\u{1b}");
    }
}
