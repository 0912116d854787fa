//! The account: region, endpoint and credentials, from AWS's default chain.

use std::error::Error;
use std::time::{Duration, SystemTime};

use anyhow::{Context, anyhow, ensure};
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::ProvideCredentials;
use aws_types::service_config::ServiceConfigKey;
use serde_json::{Value, json};

use super::super::found::Found;
use super::connector;
use super::service::Service;
use crate::http::{Http, one_line};

/// Credentials that expire sooner than this are renewed.
const REMAINING: Duration = Duration::from_secs(300);

/// The account of a profile and a region; `None`: the usual ones.
pub(super) fn find(
    http: &Http,
    service: &'static Service,
    region: Option<String>,
    profile: Option<String>,
) -> anyhow::Result<Found> {
    let work = async {
        let config = load(http, region, profile.clone()).await;
        let region = config.region().map(|region| region.as_ref().to_owned()).context(
            "there is no region: set `region` of the secret in pallet.toml, or AWS_REGION, or \
             `region` of the profile",
        )?;
        // it is part of the name of the host that gets signed requests
        ensure!(
            region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'),
            "{region:?} is not the name of a region; write it like \"eu-central-1\""
        );
        let provider = config.credentials_provider().context("AWS names no credentials")?;
        let credentials = provider.provide_credentials().await.map_err(|error| {
            let whose = profile.map(|profile| format!(" of profile {profile}")).unwrap_or_default();
            anyhow!(
                "there are no credentials{whose}; set AWS_ACCESS_KEY_ID and \
                 AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; `aws sso login` renews single sign-on \
                 ({})",
                chain(&error)
            )
        })?;
        let left = credentials.expiry().map(|end| {
            end.duration_since(SystemTime::now()).unwrap_or_default().saturating_sub(REMAINING)
        });
        let endpoint = endpoint(&config, service).unwrap_or_else(|| own_endpoint(service, &region));
        let account = json!({
            "region": region,
            "endpoint": endpoint,
            "access_key_id": credentials.access_key_id(),
            "secret_access_key": credentials.secret_access_key(),
            "session_token": credentials.session_token().unwrap_or_default(),
        });
        let Value::Object(account) = account else { return Err(anyhow!("not an account")) };
        Ok(Found::table(account).lasting(left))
    };
    // a thread of its own, because a thread of the runtime of an operation cannot run another one
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.context("cannot ask for AWS's credentials")?.block_on(work)
        });
        thread.join().unwrap_or_else(|_| Err(anyhow!("asking for AWS's credentials failed")))
    })
}

async fn load(http: &Http, region: Option<String>, profile: Option<String>) -> SdkConfig {
    let client = connector::client(http);
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(client.clone());
    let region = region.map(Region::new);
    if let Some(region) = &region {
        loader = loader.region(region.clone());
    }
    if let Some(profile) = profile {
        // an explicit profile takes precedence over the environment
        let config = ProviderConfig::without_region().with_region(region).with_http_client(client);
        let provider = ProfileFileCredentialsProvider::builder()
            .configure(&config)
            .profile_name(&profile)
            .build();
        loader = loader.profile_name(profile).credentials_provider(provider);
    }
    loader.load().await
}

/// The endpoint that the environment or the profile names, for this service or for all.
fn endpoint(config: &SdkConfig, service: &Service) -> Option<String> {
    let key = ServiceConfigKey::builder()
        .service_id(service.id)
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build();
    let own = config.service_config().zip(key.ok());
    own.and_then(|(services, key)| services.load_config(key))
        .or_else(|| config.endpoint_url().map(str::to_owned))
}

fn own_endpoint(service: &Service, region: &str) -> String {
    let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    format!("https://{}.{region}.{domain}", service.host)
}

/// An error and its causes, in one line.
fn chain(error: &dyn Error) -> String {
    let mut words = vec![error.to_string()];
    let mut next = error.source();
    while let Some(cause) = next {
        words.push(cause.to_string());
        next = cause.source();
    }
    words.dedup();
    one_line(&words.join(": "))
}
