//! Connects to registries: TLS or plain HTTP, certificates, credentials, and the meaning of errors.

use std::error::Error;
use std::net::IpAddr;
use std::time::Duration;

use oci_client::Client;
use oci_client::client::{Certificate, CertificateEncoding, ClientConfig, ClientProtocol};
use oci_client::errors::{OciDistributionError, OciErrorCode};

use super::credentials::{self, Credentials};
use super::token;
use crate::distribution::artifact::ArtifactError;
use crate::distribution::repository::{Access, Source};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
const READ_TIMEOUT: Duration = Duration::from_secs(60);
const USER_AGENT: &str = concat!("pallet/", env!("CARGO_PKG_VERSION"));

/// A client for one repository.
pub(super) struct Connection {
    pub(super) client: Client,
    pub(super) credentials: Credentials,
    host: String,
}

/// Prepares a connection to a registry. Sends requests only to a registry on this machine, to
/// detect TLS, and to exchange an identity token.
pub(super) async fn connect(
    host: &str,
    path: &str,
    access: &Access,
) -> Result<Connection, ArtifactError> {
    // the crypto provider is global to the process; it fails if one is already installed
    let _ = rustls::crypto::ring::default_provider().install_default();
    let certificates = certificates(access)?;
    let http = http_client(host, access, &certificates)?;
    let plain = access.plain_http.iter().any(|named| named == host)
        || (is_loopback(host) && speaks_plainly(&http, host).await);
    let mut credentials = credentials::find(host, access).await?;
    if let Some(identity) = credentials.identity_token.take() {
        let scheme = if plain { "http" } else { "https" };
        credentials.auth = token::exchange(&http, scheme, host, path, &identity)
            .await
            .map_err(|error| unreachable(host, &error))?;
    }
    let encoded =
        |data: &Vec<u8>| Certificate { encoding: CertificateEncoding::Pem, data: data.clone() };
    let config = ClientConfig {
        protocol: if plain { ClientProtocol::Http } else { ClientProtocol::Https },
        use_monolithic_push: true,
        extra_root_certificates: certificates.iter().map(encoded).collect(),
        platform_resolver: None,
        connect_timeout: Some(CONNECT_TIMEOUT),
        read_timeout: Some(READ_TIMEOUT),
        user_agent: USER_AGENT,
        https_proxy: access.https_proxy.clone(),
        http_proxy: access.http_proxy.clone(),
        no_proxy: access.no_proxy.clone(),
        ..ClientConfig::default()
    };
    let client = Client::try_from(config).map_err(|error| ArtifactError::Unreachable {
        place: host.to_owned(),
        message: error.to_string(),
    })?;
    let registry = oci_client::Reference::with_tag(host.to_owned(), path.to_owned(), String::new());
    client.store_auth_if_needed(registry.resolve_registry(), &credentials.auth).await;
    Ok(Connection { client, credentials, host: host.to_owned() })
}

fn http_client(
    host: &str,
    access: &Access,
    certificates: &[Vec<u8>],
) -> Result<reqwest::Client, ArtifactError> {
    let broken = |error: reqwest::Error| ArtifactError::Unreachable {
        place: host.to_owned(),
        message: root_cause(&error),
    };
    let mut builder = reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT);
    for certificate in certificates {
        builder =
            builder.tls_certs_merge([reqwest::Certificate::from_pem(certificate).map_err(broken)?]);
    }
    let exceptions = access.no_proxy.as_deref().and_then(reqwest::NoProxy::from_string);
    if let Some(proxy) = &access.https_proxy {
        builder = builder
            .proxy(reqwest::Proxy::https(proxy).map_err(broken)?.no_proxy(exceptions.clone()));
    }
    if let Some(proxy) = &access.http_proxy {
        builder = builder.proxy(reqwest::Proxy::http(proxy).map_err(broken)?.no_proxy(exceptions));
    }
    builder.build().map_err(broken)
}

/// The certificates in the given files, each in PEM.
fn certificates(access: &Access) -> Result<Vec<Vec<u8>>, ArtifactError> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    let mut found = Vec::new();
    for file in &access.certificates {
        let text = std::fs::read_to_string(file).map_err(ArtifactError::reading(file))?;
        let parts: Vec<Vec<u8>> =
            text.split(BEGIN).skip(1).map(|part| format!("{BEGIN}{part}").into_bytes()).collect();
        if parts.is_empty() {
            let error = std::io::Error::other("it holds no certificate in PEM");
            return Err(ArtifactError::reading(file)(error));
        }
        found.extend(parts);
    }
    Ok(found)
}

fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// Whether the registry answers without TLS.
async fn speaks_plainly(http: &reqwest::Client, host: &str) -> bool {
    match http.get(format!("https://{host}/v2/")).send().await {
        Ok(_) => false,
        Err(error) => match tls_error(&error) {
            Some(rustls::Error::InvalidMessage(_)) => true,
            Some(_) => false,
            None => root_cause(&error).contains("handshake eof"),
        },
    }
}

/// The TLS error in a chain of errors.
fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    chain(error).into_iter().find_map(|error| error.downcast_ref())
}

/// An error and all its causes. An I/O error hides the error that it wraps.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> Vec<&'a (dyn Error + 'static)> {
    let mut found = vec![error];
    let mut last = error;
    loop {
        let wrapped = last.downcast_ref::<std::io::Error>().and_then(|error| error.get_ref());
        let next = match wrapped {
            Some(wrapped) => Some(wrapped as &'a (dyn Error + 'static)),
            None => last.source(),
        };
        let Some(next) = next else { return found };
        found.push(next);
        last = next;
    }
}

/// The message of the innermost error in a chain, in one line.
pub(super) fn root_cause(error: &(dyn Error + 'static)) -> String {
    let text = chain(error).last().map(ToString::to_string).unwrap_or_default();
    one_line(text.split(" (os error").next().unwrap_or_default())
}

fn unreachable(host: &str, error: &(dyn Error + 'static)) -> ArtifactError {
    let message = match tls_error(error) {
        Some(rustls::Error::InvalidMessage(_)) => "it does not use TLS; to use plain HTTP, pass \
            --plain-http"
            .to_owned(),
        Some(rustls::Error::InvalidCertificate(why)) => {
            format!(
                "its certificate is not trusted ({why}); pass the certificate of its authority \
                    with --ca-file"
            )
        }
        Some(other) => format!("the TLS connection failed: {other}"),
        None => match root_cause(error) {
            cause if cause.contains("timed out") => {
                "it does not answer; check the name and port".to_owned()
            }
            cause => format!("cannot be reached: {cause}"),
        },
    };
    ArtifactError::Unreachable { place: host.to_owned(), message: one_line(&message) }
}

fn one_line(text: &str) -> String {
    let mut line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(300) {
        line.truncate(end);
        line.push_str("...");
    }
    line
}

impl Connection {
    /// Explains an error; `what` is the requested content.
    pub(super) fn explain(
        &self,
        source: &Source,
        what: &str,
        error: OciDistributionError,
    ) -> ArtifactError {
        let place = source.to_string();
        match error {
            OciDistributionError::RequestError(error) => match error.status() {
                Some(status) => self.answered(place, what, status.as_u16(), ""),
                None => unreachable(&self.host, &error),
            },
            OciDistributionError::IoError(error) => unreachable(&self.host, &error),
            OciDistributionError::UnauthorizedError { .. }
            | OciDistributionError::AuthenticationFailure(_) => self.answered(place, what, 401, ""),
            OciDistributionError::RegistryError { envelope, .. } => {
                let first = envelope.errors.into_iter().next();
                let (code, message) = first
                    .map_or((OciErrorCode::Unsupported, String::new()), |error| {
                        (error.code, error.message)
                    });
                let status = match code {
                    OciErrorCode::Unauthorized => 401,
                    OciErrorCode::Denied => 403,
                    OciErrorCode::BlobUnknown
                    | OciErrorCode::ManifestUnknown
                    | OciErrorCode::NameUnknown
                    | OciErrorCode::NotFound => 404,
                    OciErrorCode::Toomanyrequests => 429,
                    _ => 400,
                };
                self.answered(place, what, status, &message)
            }
            OciDistributionError::ServerError { code, message, .. } => {
                self.answered(place, what, code, &message)
            }
            OciDistributionError::DigestError(error) => ArtifactError::Corrupt {
                place,
                what: what.to_owned(),
                message: one_line(&error.to_string()),
            },
            other => ArtifactError::Refused {
                place,
                message: format!(
                    "the registry sent an invalid answer: {}",
                    one_line(&other.to_string())
                ),
            },
        }
    }

    fn answered(&self, place: String, what: &str, status: u16, text: &str) -> ArtifactError {
        let host = &self.host;
        match status {
            401 => {
                let message = match &self.credentials.origin {
                    Some(origin) => format!(
                        "the registry does not accept the credentials of \
                        {origin}; log in again: docker login {host}"
                    ),
                    None => format!(
                        "the registry requires credentials, and there are none for {host}; log \
                            in: docker login {host}"
                    ),
                };
                ArtifactError::Unauthorized { place, message }
            }
            403 => {
                let who = self
                    .credentials
                    .origin
                    .as_ref()
                    .map_or("anonymous users".to_owned(), |origin| format!("the user of {origin}"));
                ArtifactError::Unauthorized {
                    place,
                    message: format!("the registry denies this to {who}{}", said(text)),
                }
            }
            404 => ArtifactError::NotFound { place, what: what.to_owned() },
            429 => ArtifactError::Unreachable {
                place,
                message: format!(
                    "the registry limits the rate of requests; try again later{}",
                    said(text)
                ),
            },
            500.. => ArtifactError::Unreachable {
                place,
                message: format!(
                    "the registry answers with error {status}{}; try again later",
                    said(text)
                ),
            },
            _ => ArtifactError::Refused {
                place,
                message: format!("the registry refuses {what} with error {status}{}", said(text)),
            },
        }
    }
}

/// The message in a registry's answer, after a colon.
fn said(text: &str) -> String {
    let json: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let message =
        json["errors"][0]["message"].as_str().unwrap_or(if json.is_null() { text } else { "" });
    let message = one_line(message);
    if message.is_empty() { String::new() } else { format!(": {message}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_on_this_machine_are_known_by_their_names() {
        for host in
            ["localhost", "localhost:5000", "127.0.0.1:5000", "127.3.2.1", "[::1]:5000", "[::1]"]
        {
            assert!(is_loopback(host), "{host}");
        }
        for host in
            ["ghcr.io", "localhost.example.com", "10.0.0.1:5000", "127.0.0.1.nip.io", "[::2]:5000"]
        {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn what_a_registry_says_becomes_one_line() {
        assert_eq!(
            said(r#"{"errors":[{"code":"DENIED","message":"no\nsuch luck"}]}"#),
            ": no such luck"
        );
        assert_eq!(said("<html>\n</html>"), ": <html> </html>");
        assert_eq!(said("{}"), "");
        assert!(said(&"x".repeat(5000)).len() < 320);
    }
}
