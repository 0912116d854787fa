//! Secrets in AWS Secrets Manager, and parameters of AWS Systems Manager.
//!
//! Region, credentials and endpoints are found like by AWS's own tools: the environment, profiles
//! in `~/.aws`, roles, single sign-on, and the metadata of the container or the instance. Both
//! services need a single signed call, so their SDKs are not used: they take minutes to compile.

mod account;
mod connector;
mod service;

use anyhow::{Context, anyhow, bail};
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use self::service::{PARAMETERS, SECRETS_MANAGER, Service};
use super::found::Found;
use super::source::{SecretFinder, Source};
use crate::http::{Answer, Http, one_line};
use crate::project::config::AwsName;

const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// A secret at AWS.
pub(super) struct AwsSecret<'a> {
    finder: &'a SecretFinder,
    service: &'static Service,
    name: &'a AwsName,
}

impl<'a> AwsSecret<'a> {
    /// A secret of Secrets Manager.
    pub(super) fn in_secrets_manager(finder: &'a SecretFinder, name: &'a AwsName) -> Self {
        AwsSecret { finder, service: &SECRETS_MANAGER, name }
    }

    /// A parameter of Systems Manager.
    pub(super) fn in_parameters(finder: &'a SecretFinder, name: &'a AwsName) -> Self {
        AwsSecret { finder, service: &PARAMETERS, name }
    }

    /// What tells its account from others.
    fn account(&self) -> String {
        let AwsName { region, profile, .. } = self.name;
        format!("aws {} {region:?} {profile:?}", self.service.host)
    }
}

impl Source for AwsSecret<'_> {
    fn shown(&self) -> String {
        format!("{} in {}", self.name.name, self.service.name)
    }

    fn identity(&self) -> Option<String> {
        Some(format!("{} {}", self.account(), self.name.name))
    }

    fn look_up(&self) -> anyhow::Result<Found> {
        let http = Http::new(None)?;
        let (finder, here) = (self.finder, self.shown());
        let AwsName { name, region, profile } = self.name;
        let found = finder.cache.get(&self.account(), finder.ttl, || {
            account::find(&http, self.service, region.clone(), profile.clone())
        });
        let account = found.with_context(|| format!("cannot look up {here}"))?;
        let of = |key: &str| account.value(Some(key));
        let (region, endpoint) = (of("region")?, of("endpoint")?);
        let session = Some(of("session_token")?).filter(|token| !token.is_empty());
        let (key, secret) = (of("access_key_id")?, of("secret_access_key")?);
        let identity = Identity::from(Credentials::new(key, secret, session, None, "pallet"));

        let body = match self.service.host {
            "ssm" => json!({"Name": name, "WithDecryption": true}),
            _ => json!({"SecretId": name}),
        };
        let call = Call { service: self.service, endpoint: &endpoint, region: &region };
        let answer = call.send(&http, &identity, body.to_string().as_bytes());
        let answer = answer.with_context(|| format!("cannot look up {here} in {region}"))?;
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        if answer.status != 200 {
            // credentials may have been replaced
            finder.cache.forget(&self.account());
            bail!("cannot look up {here} in {region}: {}", why(&answer, &body));
        }
        let text = body["SecretString"].as_str().or_else(|| body["Parameter"]["Value"].as_str());
        if let Some(text) = text {
            return Ok(Found::text(text));
        }
        let bytes = body["SecretBinary"].as_str().and_then(|text| STANDARD.decode(text).ok());
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        text.map(Found::text).with_context(|| format!("{here} in {region} is not text"))
    }
}

/// Why AWS refused, in one line.
fn why(answer: &Answer, body: &Value) -> String {
    let kind = body["__type"].as_str().unwrap_or_default();
    let kind = kind.rsplit('#').next().unwrap_or_default();
    let message = body["message"].as_str().or_else(|| body["Message"].as_str()).unwrap_or_default();
    let message = one_line(message);
    match kind {
        "ResourceNotFoundException" | "ParameterNotFound" => {
            "it is not there; is the region right?".to_owned()
        }
        "" => format!("status {}", answer.status),
        _ if message.is_empty() => format!("{kind} (status {})", answer.status),
        _ => format!("{kind}: {message}"),
    }
}

/// A call of a service.
struct Call<'a> {
    service: &'static Service,
    endpoint: &'a str,
    region: &'a str,
}

impl Call<'_> {
    /// Signs and sends it.
    fn send(&self, http: &Http, identity: &Identity, body: &[u8]) -> anyhow::Result<Answer> {
        let url = format!("{}/", self.endpoint.trim_end_matches('/'));
        let parameters = v4::SigningParams::builder()
            .identity(identity)
            .region(self.region)
            .name(self.service.host)
            .time(std::time::SystemTime::now())
            .settings(SigningSettings::default())
            .build()?
            .into();
        let mut headers = vec![("content-type", CONTENT_TYPE), ("x-amz-target", self.service.call)];
        let signed = SignableRequest::new(
            "POST",
            &url,
            headers.clone().into_iter(),
            SignableBody::Bytes(body),
        );
        let (signed, _) = sign(signed?, &parameters)?.into_parts();
        headers.extend(signed.headers());
        http.send("POST", &url, &headers, Some(body))
            .map_err(|error| anyhow!("cannot ask {}: {error}", self.endpoint))
    }
}
