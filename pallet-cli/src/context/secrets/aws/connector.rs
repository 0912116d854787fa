//! The HTTP client of AWS's own packages, which find credentials: the one of everything else here.

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;

use crate::http::{Http, Kind};

/// The client.
pub(super) fn client(http: &Http) -> SharedHttpClient {
    let http = http.clone();
    http_client_fn(move |_, _| SharedHttpConnector::new(Connector(http.clone())))
}

#[derive(Debug)]
struct Connector(Http);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let http = self.0.clone();
        HttpConnectorFuture::new(async move {
            let sent = tokio::task::spawn_blocking(move || relay(&http, &request)).await;
            sent.map_err(|error| ConnectorError::other(error.into(), None))?
        })
    }
}

fn relay(http: &Http, request: &HttpRequest) -> Result<HttpResponse, ConnectorError> {
    // the length is computed from the body
    let headers = request.headers().iter();
    let headers: Vec<_> =
        headers.filter(|(name, _)| !name.eq_ignore_ascii_case("content-length")).collect();
    let body = match request.method() {
        "GET" | "HEAD" => None,
        _ => Some(request.body().bytes().unwrap_or_default()),
    };
    let answer = http.send(request.method(), request.uri(), &headers, body);
    let answer = answer.map_err(|error| match error.kind {
        Kind::Timeout => ConnectorError::timeout(error.into()),
        Kind::Unreachable => ConnectorError::io(error.into()),
        Kind::Other => ConnectorError::other(error.into(), None),
    })?;
    let status = StatusCode::try_from(answer.status)
        .map_err(|error| ConnectorError::other(error.into(), None))?;
    let mut response = HttpResponse::new(status, SdkBody::from(answer.body));
    for (name, value) in answer.headers {
        // headers that AWS's package rejects are of no use to it
        let _ = response.headers_mut().try_append(name, value);
    }
    Ok(response)
}
