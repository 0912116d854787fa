//! EC2's Query API: signed calls, repeated if that may help.

mod account;
mod call;
mod endpoint;
mod error;
mod http;
#[cfg(test)]
pub(crate) mod server;
mod xml;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use pallet_core::prelude::*;

pub(crate) use self::call::Call;
pub(crate) use self::endpoint::Endpoint;
pub(crate) use self::error::ApiError;
pub(crate) use self::xml::Element;

use self::account::Account;
use self::http::{Http, Limits};
use crate::options::Options;

const CONTENT_TYPE: &str = "application/x-www-form-urlencoded; charset=utf-8";

/// The service in one region, for one account.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    http: Http,
    account: Arc<Account>,
    host: ServiceHost,
    /// The pause before the first repetition.
    pause: Duration,
    /// Whether waiting ends when the user stops the operation.
    heeds: bool,
}

impl Api {
    pub(crate) fn of(options: &Options, host: ServiceHost) -> Self {
        let http = Http::new();
        let account = Arc::new(Account::of(options, http.clone()));
        Api { http, account, host, pause: Duration::from_millis(400), heeds: true }
    }

    /// An instance for work that must be completed even if the user has stopped the operation.
    pub(crate) fn to_the_end(&self) -> Api {
        Api { heeds: false, ..self.clone() }
    }

    pub(crate) fn host(&self) -> &ServiceHost {
        &self.host
    }

    pub(crate) fn place(&self) -> Result<Endpoint, PluginError> {
        self.account.place()
    }

    /// The source of the access key.
    pub(crate) fn credential(&self) -> Credential {
        self.account.source()
    }

    /// Makes a call. Repeats it with growing pauses if the service is busy or the connection
    /// breaks.
    pub(crate) fn call(&self, call: &Call) -> Result<Element, ApiError> {
        let body = call.body();
        let mut pause = self.pause;
        for attempt in 0.. {
            let error = match self.send(call.action, &body) {
                Ok(answer) => return Ok(answer),
                Err(error) if attempt < error.retries => error,
                Err(error) => return Err(error),
            };
            if attempt == 3 {
                self.host.progress(format!("{}; trying again", error.error.message));
            }
            // between half of the pause and all of it, so that rejected clients do not come back at
            // the same time
            self.sleep(pause.mul_f64(0.5 + 0.5 * fastrand::f64()))?;
            pause = (pause * 2).min(Duration::from_secs(10));
        }
        Err(PluginError::transient("ec2 does not answer").into())
    }

    /// All items of the list `set`, from all pages of a call.
    pub(crate) fn pages(
        &self,
        call: &Call,
        page: usize,
        set: &str,
    ) -> Result<Vec<Element>, ApiError> {
        let mut items = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let answer = self
                .call(&call.clone().set("MaxResults", page).maybe("NextToken", token.as_ref()))?;
            items.extend(answer.items(set).cloned());
            let next = answer.some("nextToken");
            if next.is_none() || next == token {
                return Ok(items);
            }
            token = next;
        }
    }

    /// Waits, until the operation is stopped.
    pub(crate) fn sleep(&self, time: Duration) -> Result<(), PluginError> {
        let end = Instant::now() + time;
        loop {
            if self.heeds && self.host.is_cancelled() {
                return Err(PluginError::cancelled("stopped while waiting for ec2"));
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(Duration::from_millis(200)));
        }
    }

    fn send(&self, action: &'static str, body: &str) -> Result<Element, ApiError> {
        let place = self.account.place()?;
        let credentials = self.account.credentials()?;
        let url = format!("{}/", place.endpoint);
        let broken = |error: &dyn std::fmt::Display| {
            PluginError::failed(format!("cannot ask {url}: {error}"))
        };

        let identity = Identity::from(credentials);
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&place.region)
            .name("ec2")
            .time(SystemTime::now());
        let parameters = parameters
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| broken(&error))?
            .into();
        let headers = [("content-type", CONTENT_TYPE)];
        let signable = SignableRequest::new(
            "POST",
            &url,
            headers.into_iter(),
            SignableBody::Bytes(body.as_bytes()),
        );
        let (signed, _) = sign(signable.map_err(|error| broken(&error))?, &parameters)
            .map_err(|error| broken(&error))?
            .into_parts();

        let mut request = ureq::http::Request::builder()
            .method("POST")
            .uri(&url)
            .header("content-type", CONTENT_TYPE);
        for (name, value) in signed.headers() {
            request = request.header(name, value);
        }
        let answer = self
            .http
            .send(request, body.as_bytes(), &Limits::default())
            .map_err(|error| ApiError::unreachable(&place, &error))?;
        let text = String::from_utf8_lossy(&answer.body);
        if answer.status != 200 {
            let skew = answer.header("date").map_or(0, skew);
            let error = ApiError::refused(action, &place, answer.status, &text, skew);
            if error.error.kind == ErrorKind::Unauthorized {
                self.account.forget();
            }
            return Err(error);
        }
        Element::parse(&text).map_err(|why| ApiError::strange(action, &place, &why))
    }
}

/// By how many seconds this machine's clock is ahead of an answer's date.
fn skew(date: &str) -> i64 {
    let there = DateTime::from_str(date, Format::HttpDate).map_or(0, |date| date.secs());
    if there == 0 { 0 } else { i64::try_from(unix_time()).unwrap_or_default() - there }
}

/// A time in an answer, in seconds since 1970-01-01 UTC; 0 if there is none.
pub(crate) fn seconds(time: &str) -> u64 {
    DateTime::from_str(time, Format::DateTime)
        .ok()
        .and_then(|time| u64::try_from(time.secs()).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::server::Server;
    use super::*;

    const DONE: &str = "<R><set><item>1</item></set></R>";

    #[test]
    fn a_call_is_signed_and_tried_again_while_the_service_is_busy() {
        let busy = "<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>\
            slow</Message></Error></Errors></Response>";
        let server = Server::answering([(503, busy), (500, ""), (200, DONE)]);
        let answer = server.api().call(&Call::new("DescribeX")).unwrap();
        assert_eq!(answer.items("set").count(), 1);
        let requests = server.requests();
        assert_eq!(requests.len(), 3);
        let head = requests[2].to_lowercase();
        assert!(
            head.contains("authorization: aws4-hmac-sha256 credential=key/")
                && head.contains("/eu-west-1/ec2/aws4_request"),
            "{head}"
        );
        assert!(requests[2].ends_with("Action=DescribeX&Version=2016-11-15"), "{head}");
    }

    #[test]
    fn pages_follow_each_other() {
        let first = "<R><set><item>1</item></set><nextToken>more</nextToken></R>";
        let server = Server::answering([(200, first), (200, DONE)]);
        assert_eq!(server.api().pages(&Call::new("DescribeX"), 5, "set").unwrap().len(), 2);
        let requests = server.requests();
        assert!(
            requests[0].ends_with("&MaxResults=5")
                && requests[1].ends_with("&MaxResults=5&NextToken=more"),
            "{requests:?}"
        );
    }

    #[test]
    fn a_clock_that_is_wrong_is_measured() {
        assert!(skew("Tue, 15 Nov 1994 08:12:31 GMT") > 900_000_000);
        assert_eq!(skew("no date"), 0);
        assert_eq!(seconds("2024-01-02T03:04:05.000Z"), 1_704_164_645);
    }
}
