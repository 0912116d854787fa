//! Errors of the service, each in one line: what failed, where, what to do.

use std::io;
use std::time::Duration;

use pallet_core::prelude::*;

use super::endpoint::Endpoint;
use super::xml::Element;

/// If the clock differs by more, the error names it as the cause.
const SKEW: Duration = Duration::from_secs(240);

/// A call that failed.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    /// EC2's error code: `InvalidGroup.Duplicate`; empty if there is none.
    pub(crate) code: String,
    /// The error for the user.
    pub(crate) error: PluginError,
    /// How often the call may be repeated.
    pub(crate) retries: usize,
}

/// How often a throttled call is repeated.
const MANY: usize = 7;
const FEW: usize = 2;

impl ApiError {
    /// The error for a response of EC2 with this status and body. `skew` is by how much this
    /// machine's clock is ahead.
    pub(crate) fn refused(
        action: &str,
        place: &Endpoint,
        status: u16,
        body: &str,
        skew: i64,
    ) -> Self {
        let answer = Element::parse(body).unwrap_or_default();
        // some compatible clouds nest it less deeply
        let error =
            answer.get("Errors/Error").or_else(|| answer.get("Error")).cloned().unwrap_or_default();
        let (code, message) = (error.text("Code").to_owned(), one_line(error.text("Message")));
        let here = format!("ec2 in {}", place.region);
        let (kind, text, help) = explain(&code, &message, action, &here, status, skew);
        let retries =
            if throttled(&code) || (status >= 500 && !capacity(&code)) { MANY } else { 0 };
        let kind = if retries > 0 { ErrorKind::Transient } else { kind };
        ApiError { code, error: PluginError::new(kind, text).with_help(help), retries }
    }

    /// The error if the service does not answer.
    pub(crate) fn unreachable(place: &Endpoint, error: &ureq::Error) -> Self {
        let host = place.endpoint.split("//").last().unwrap_or_default();
        let (retries, why, help) = match error {
            ureq::Error::HostNotFound => {
                let help = format!(
                    "check that `{}` is a region and that names can be resolved here",
                    place.region
                );
                (FEW, format!("the name {host} cannot be resolved"), help)
            }
            ureq::Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => (
                FEW,
                format!("nothing listens at {host}"),
                "check `endpoint` of the service in pallet.toml".to_owned(),
            ),
            ureq::Error::Rustls(_) | ureq::Error::Tls(_) => (
                0,
                format!("{host}: {}", one_line(&error.to_string())),
                "check the certificates of this machine, and its clock".to_owned(),
            ),
            // connection reset, timeout or truncated response
            ureq::Error::Io(_)
            | ureq::Error::Timeout(_)
            | ureq::Error::ConnectionFailed
            | ureq::Error::Protocol(_) => (
                MANY,
                format!("{host}: {}", one_line(&error.to_string())),
                "check the network of this machine".to_owned(),
            ),
            _ => (0, format!("{host}: {}", one_line(&error.to_string())), String::new()),
        };
        let error =
            PluginError::transient(format!("ec2 in {} cannot be reached: {why}", place.region))
                .with_help(help);
        ApiError { code: String::new(), error, retries }
    }

    /// The error for an answer that does not come from EC2.
    pub(crate) fn strange(action: &str, place: &Endpoint, why: &str) -> Self {
        let message =
            format!("the server at {} is not ec2: {action}: {}", place.endpoint, one_line(why));
        ApiError { code: String::new(), error: PluginError::failed(message), retries: 0 }
    }

    pub(crate) fn is(&self, code: &str) -> bool {
        self.code == code
    }

    /// Whether a named resource does not exist.
    pub(crate) fn is_not_found(&self) -> bool {
        self.code.ends_with(".NotFound")
    }
}

impl From<PluginError> for ApiError {
    fn from(error: PluginError) -> Self {
        ApiError { code: String::new(), error, retries: 0 }
    }
}

impl From<ApiError> for PluginError {
    fn from(error: ApiError) -> Self {
        error.error
    }
}

impl From<ApiError> for anyhow::Error {
    fn from(error: ApiError) -> Self {
        error.error.into()
    }
}

fn throttled(code: &str) -> bool {
    let codes = [
        "RequestLimitExceeded",
        "Throttling",
        "ThrottlingException",
        "EC2ThrottledException",
        "RequestThrottled",
        "SlowDown",
    ];
    codes.contains(&code)
}

/// Whether the service has no capacity left; its HTTP status would otherwise mean an internal
/// error.
fn capacity(code: &str) -> bool {
    code.starts_with("Insufficient") || code == "Unsupported" || code == "UnfulfillableCapacity"
}

fn explain(
    code: &str,
    message: &str,
    action: &str,
    here: &str,
    status: u16,
    skew: i64,
) -> (ErrorKind, String, String) {
    let plain = |kind, text: String, help: &str| (kind, text, help.to_owned());
    match code {
        "AuthFailure"
        | "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "SignatureDoesNotMatch"
        | "MissingAuthenticationToken"
        | "RequestExpired"
        | "IncompleteSignature"
        | "ExpiredToken"
        | "ExpiredTokenException"
            if skew.unsigned_abs() >= SKEW.as_secs() =>
        {
            let ahead = if skew > 0 { "ahead of" } else { "behind" };
            let text = format!(
                "{here} refuses requests with a wrong time: this machine's clock is {} \
                    minutes {ahead} it",
                skew.unsigned_abs() / 60
            );
            plain(ErrorKind::Unauthorized, text, "set the clock of this machine")
        }
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => plain(
            ErrorKind::Unauthorized,
            format!("{here} says that the credentials have expired ({code})"),
            "log in again: `aws sso login`, or new keys",
        ),
        "AuthFailure"
        | "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "SignatureDoesNotMatch"
        | "MissingAuthenticationToken"
        | "IncompleteSignature" => plain(
            ErrorKind::Unauthorized,
            format!("{here} refuses the credentials ({code}: {message})"),
            "check the access key and its secret, and that this region is enabled for the account",
        ),
        "UnauthorizedOperation" | "AccessDenied" | "AccessDeniedException" => plain(
            ErrorKind::Unauthorized,
            format!("{here} does not allow this user or role to {action}"),
            &format!("give it the permission ec2:{action}"),
        ),
        "OptInRequired" | "Blocked" | "PendingVerification" => plain(
            ErrorKind::Unauthorized,
            format!("{here} does not serve this account ({code}: {message})"),
            "see the account's page at AWS",
        ),
        "VcpuLimitExceeded"
        | "InstanceLimitExceeded"
        | "MaxSpotInstanceCountExceeded"
        | "VolumeLimitExceeded"
        | "SecurityGroupLimitExceeded"
        | "ResourceLimitExceeded"
        | "RulesPerSecurityGroupLimitExceeded"
        | "MaxScopeExceeded" => plain(
            ErrorKind::Failed,
            format!("{here} has no quota left ({code}: {message})"),
            "raise the quota in AWS's Service Quotas, or destroy nodes",
        ),
        _ if capacity(code) => plain(
            ErrorKind::Transient,
            format!("{here} has no capacity for this instance type ({code}: {message})"),
            "try later, another location, or other hardware",
        ),
        "SpotMaxPriceTooLow" => plain(
            ErrorKind::Failed,
            format!("{here} demands a higher price for a spot instance ({message})"),
            "raise qos.spot_price of the node-spec",
        ),
        "VPCIdNotSpecified" | "MissingInput" | "DefaultVpcDoesNotExist" => plain(
            ErrorKind::InvalidInput,
            format!("{here} has no default VPC ({message})"),
            "set `vpc` or `subnet` of the service in pallet.toml",
        ),
        "" => plain(
            ErrorKind::Failed,
            format!("{here} answers {action} with status {status}"),
            "check `endpoint` of the service in pallet.toml",
        ),
        _ => {
            let kind = match code {
                _ if code.ends_with(".NotFound") => ErrorKind::NotFound,
                _ if code.starts_with("Invalid")
                    || code.starts_with("Missing")
                    || code.starts_with("Unknown") =>
                {
                    ErrorKind::InvalidInput
                }
                _ => ErrorKind::Failed,
            };
            plain(kind, format!("{here} refuses {action} ({code}: {message})"), "")
        }
    }
}

/// A message in one line, without encoded parts that only AWS can read.
fn one_line(message: &str) -> String {
    let readable =
        message.split("Encoded authorization failure message").next().unwrap_or_default();
    let line = readable.split_whitespace().collect::<Vec<_>>().join(" ");
    line.trim_end_matches(['.', ' ']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: &str, message: &str, status: u16, skew: i64) -> ApiError {
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error>\
             </Errors><RequestID>ea966190-f9aa-478e-9ede-example</RequestID></Response>"
        );
        let place = Endpoint {
            region: "eu-west-1".into(),
            endpoint: "https://ec2.eu-west-1.amazonaws.com".into(),
        };
        ApiError::refused("RunInstances", &place, status, &body, skew)
    }

    #[test]
    fn each_refusal_is_one_line_that_says_what_to_do() {
        let cases = [
            (
                "AuthFailure",
                401,
                0,
                ErrorKind::Unauthorized,
                "refuses the credentials (AuthFailure: why); region is enabled",
            ),
            (
                "SignatureDoesNotMatch",
                403,
                900,
                ErrorKind::Unauthorized,
                "clock is 15 minutes ahead of it",
            ),
            ("RequestExpired", 400, -600, ErrorKind::Unauthorized, "clock is 10 minutes behind it"),
            ("RequestExpired", 400, 0, ErrorKind::Unauthorized, "have expired"),
            (
                "UnauthorizedOperation",
                403,
                0,
                ErrorKind::Unauthorized,
                "to RunInstances; permission ec2:RunInstances",
            ),
            (
                "VcpuLimitExceeded",
                400,
                0,
                ErrorKind::Failed,
                "no quota left (VcpuLimitExceeded: why)",
            ),
            (
                "InsufficientInstanceCapacity",
                500,
                0,
                ErrorKind::Transient,
                "no capacity for this instance type",
            ),
            (
                "InvalidSubnetID.NotFound",
                400,
                0,
                ErrorKind::NotFound,
                "refuses RunInstances (InvalidSubnetID.NotFound: why)",
            ),
            ("InvalidParameterValue", 400, 0, ErrorKind::InvalidInput, "refuses RunInstances"),
            ("", 404, 0, ErrorKind::Failed, "answers RunInstances with status 404"),
        ];
        for (code, status, skew, kind, expected) in cases {
            let error = refused(code, "why\n.", status, skew);
            let text = error.error.to_string();
            assert_eq!(error.error.kind, kind, "{text}");
            assert!(text.starts_with("ec2 in eu-west-1 ") && !text.contains('\n'), "{text}");
            let parts: Vec<_> = expected.split("; ").map(str::trim).collect();
            assert!(parts.iter().all(|part| text.contains(part)), "{text}: {expected}");
            assert_eq!(error.retries, 0, "{text}");
        }
        let secret = refused(
            "UnauthorizedOperation",
            "You may not. Encoded authorization failure message: 4kJz",
            403,
            0,
        );
        assert!(!secret.error.to_string().contains("4kJz"));
    }

    #[test]
    fn what_passes_is_tried_again() {
        for (code, status) in [
            ("RequestLimitExceeded", 503),
            ("Throttling", 400),
            ("InternalError", 500),
            ("Unavailable", 503),
            ("", 502),
        ] {
            let error = refused(code, "", status, 0);
            assert_eq!((error.retries, error.error.kind), (MANY, ErrorKind::Transient), "{code}");
        }
    }

    #[test]
    fn an_endpoint_that_is_not_there_is_named() {
        let place = Endpoint {
            region: "eu-wset-1".into(),
            endpoint: "https://ec2.eu-wset-1.amazonaws.com".into(),
        };
        let text = ApiError::unreachable(&place, &ureq::Error::HostNotFound).error.to_string();
        assert!(
            text.contains(
                "ec2.eu-wset-1.amazonaws.com cannot be resolved; check that `eu-wset-1` is a region"
            ),
            "{text}"
        );
        let reset = ureq::Error::Io(io::Error::from(io::ErrorKind::ConnectionReset));
        assert_eq!(ApiError::unreachable(&place, &reset).retries, MANY);
    }
}
