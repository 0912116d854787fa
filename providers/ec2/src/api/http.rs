//! HTTP: a small blocking client, for the service itself and for AWS's credential chain.

use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, http};

/// Timeout of a request.
const TIMEOUT: Duration = Duration::from_secs(60);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Maximum size of an answer, in bytes; EC2's are smaller.
const LONGEST: u64 = 64 << 20;

/// Two clients: HTTPS may use the proxy of the environment, as in every program; plain HTTP is for
/// nearby hosts (the machine's metadata, a test), and never uses it.
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

impl Http {
    pub(crate) fn new() -> Self {
        let found = rustls_native_certs::load_native_certs().certs;
        let roots: Vec<_> =
            found.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect();
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
            config
                .timeout_global(Some(TIMEOUT))
                .timeout_connect(Some(CONNECT_TIMEOUT))
                .user_agent("pallet")
        };
        Http {
            plain: config().proxy(None).build().into(),
            encrypted: config().tls_config(tls).build().into(),
        }
    }

    /// Sends a request, and reads the whole answer.
    pub(crate) fn send(
        &self,
        request: http::request::Builder,
        body: &[u8],
        limits: &Limits,
    ) -> Result<Answer, ureq::Error> {
        let secure = request.uri_ref().and_then(http::Uri::scheme_str) == Some("https");
        let agent = if secure { &self.encrypted } else { &self.plain };
        let bare = request
            .method_ref()
            .is_none_or(|method| [http::Method::GET, http::Method::HEAD].contains(method));
        let mut answer = if bare {
            let request = agent.configure_request(request.body(())?);
            agent.run(
                request.timeout_connect(limits.connect).timeout_recv_response(limits.read).build(),
            )?
        } else {
            let request = agent.configure_request(request.body(body)?);
            agent.run(
                request.timeout_connect(limits.connect).timeout_recv_response(limits.read).build(),
            )?
        };
        let headers = answer.headers().iter().map(|(name, value)| {
            (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        });
        let headers = headers.collect();
        let body = answer.body_mut().with_config().limit(LONGEST).read_to_vec()?;
        Ok(Answer { status: answer.status().as_u16(), headers, body })
    }

    /// The same client for AWS's own packages.
    pub(crate) fn for_sdk(&self) -> SharedHttpClient {
        let http = self.clone();
        http_client_fn(move |settings, _| {
            let limits = Limits {
                connect: settings.connect_timeout().or(Some(CONNECT_TIMEOUT)),
                read: settings.read_timeout(),
            };
            SharedHttpConnector::new(Connector { http: http.clone(), limits })
        })
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// Timeouts of the parts of an exchange.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) connect: Option<Duration>,
    pub(crate) read: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { connect: Some(CONNECT_TIMEOUT), read: Some(TIMEOUT) }
    }
}

#[derive(Debug)]
struct Connector {
    http: Http,
    limits: Limits,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (http, limits) = (self.http.clone(), self.limits);
        HttpConnectorFuture::new(async move {
            let sent = tokio::task::spawn_blocking(move || relay(&http, &request, &limits)).await;
            sent.map_err(|error| ConnectorError::other(error.into(), None))?
        })
    }
}

fn relay(
    http: &Http,
    request: &HttpRequest,
    limits: &Limits,
) -> Result<HttpResponse, ConnectorError> {
    let mut builder = http::Request::builder().method(request.method()).uri(request.uri());
    for (name, value) in request.headers() {
        // it is computed from the body
        if !name.eq_ignore_ascii_case("content-length") {
            builder = builder.header(name, value);
        }
    }
    let answer = http.send(builder, request.body().bytes().unwrap_or_default(), limits).map_err(
        |error| match error {
            ureq::Error::Timeout(_) => ConnectorError::timeout(error.into()),
            ureq::Error::Io(_) | ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => {
                ConnectorError::io(error.into())
            }
            _ => ConnectorError::other(error.into(), None),
        },
    )?;
    let status = StatusCode::try_from(answer.status)
        .map_err(|error| ConnectorError::other(error.into(), None))?;
    let mut response = HttpResponse::new(status, SdkBody::from(answer.body));
    for (name, value) in answer.headers {
        // headers that AWS's package rejects are of no use to it
        let _ = response.headers_mut().try_append(name, value);
    }
    Ok(response)
}
