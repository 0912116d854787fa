//! The account: credentials, region and endpoint, from the options and from AWS's default chain.

use std::error::Error;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use pallet_core::prelude::*;

use super::endpoint::Endpoint;
use super::http::Http;
use crate::options::{Options, is_region};

/// Credentials that expire sooner than this are renewed.
const REMAINING: Duration = Duration::from_secs(300);

/// The account. Results of AWS's chain are cached.
#[derive(Debug)]
pub(crate) struct Account {
    profile: Option<String>,
    region: Option<String>,
    endpoint: Option<String>,
    http: Http,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    config: Option<SdkConfig>,
    credentials: Option<Credentials>,
}

impl Account {
    pub(crate) fn of(options: &Options, http: Http) -> Self {
        let Options { profile, region, endpoint, .. } = options.clone();
        Account { profile, region, endpoint, http, known: Mutex::default() }
    }

    #[cfg(test)]
    pub(crate) fn fixed(endpoint: &str, http: Http) -> Self {
        let credentials = Credentials::new("key", "secret", None, None, "EnvironmentVariable");
        let known = Mutex::new(Known { config: None, credentials: Some(credentials) });
        Account {
            profile: None,
            region: Some("eu-west-1".into()),
            endpoint: Some(endpoint.into()),
            http,
            known,
        }
    }

    /// The region and its endpoint.
    pub(crate) fn place(&self) -> Result<Endpoint, PluginError> {
        if let (Some(region), Some(endpoint)) = (&self.region, &self.endpoint) {
            return Ok(Endpoint {
                region: region.clone(),
                endpoint: endpoint.trim_end_matches('/').to_owned(),
            });
        }
        let mut known = self.known();
        let config = self.config(&mut known)?;
        let region = self
            .region
            .clone()
            .or_else(|| config.region().map(|region| region.as_ref().to_owned()));
        let region = region.filter(|region| is_region(region)).ok_or_else(|| {
            PluginError::invalid_input("ec2 has no region").with_help(
                "set `region` of the service in pallet.toml, or AWS_REGION, or `region` \
                    in the profile",
            )
        })?;
        let endpoint = self
            .endpoint
            .clone()
            .or_else(|| config.endpoint_url().map(str::to_owned))
            .unwrap_or_else(|| own_endpoint(&region));
        Ok(Endpoint { region, endpoint: endpoint.trim_end_matches('/').to_owned() })
    }

    /// Credentials that remain valid for some minutes.
    pub(crate) fn credentials(&self) -> Result<Credentials, PluginError> {
        let mut known = self.known();
        let soon = SystemTime::now() + REMAINING;
        if let Some(credentials) = known
            .credentials
            .as_ref()
            .filter(|credentials| credentials.expiry().is_none_or(|end| end > soon))
        {
            return Ok(credentials.clone());
        }
        let provider = self.config(&mut known)?.credentials_provider();
        let provider =
            provider.ok_or_else(|| self.missing("AWS's configuration names no source of them"))?;
        let credentials = runtime()?
            .block_on(provider.provide_credentials())
            .map_err(|error| self.missing(&chain(&error)))?;
        known.credentials = Some(credentials.clone());
        Ok(credentials)
    }

    /// Forgets rejected credentials; new ones may be available.
    pub(crate) fn forget(&self) {
        let mut known = self.known();
        if known.config.is_some() {
            known.credentials = None;
        }
    }

    /// The source of the access key.
    pub(crate) fn source(&self) -> Credential {
        match self.credentials() {
            Ok(credentials) => Credential {
                name: "access key".to_owned(),
                source: self.source_of(&credentials),
                found: true,
            },
            Err(error) => {
                Credential { name: "access key".to_owned(), source: error.message, found: false }
            }
        }
    }

    fn source_of(&self, credentials: &Credentials) -> String {
        // the debug form names the provider and hides the secret
        let described = format!("{credentials:?}");
        let named = |name: &str| described.contains(&format!("\"{name}\""));
        let profile = self
            .profile
            .as_ref()
            .map_or_else(|| "the profile".to_owned(), |profile| format!("profile {profile}"));
        if named("EnvironmentVariable") {
            "AWS_ACCESS_KEY_ID in the environment".to_owned()
        } else if named("ProfileFile") {
            format!("{profile} in AWS's shared config and credentials files")
        } else if named("SSO") {
            format!("single sign-on of {profile}")
        } else if named("CredentialProcess") {
            format!("credential_process of {profile}")
        } else if named("AssumeRoleProvider") {
            format!("the role that {profile} assumes")
        } else if named("WebIdentityToken") {
            "the role of a web identity token".to_owned()
        } else if named("EcsContainer") {
            "the container that this runs in".to_owned()
        } else if named("IMDSv2") {
            "the role of the instance that this runs on".to_owned()
        } else {
            "AWS's chain of credentials".to_owned()
        }
    }

    fn missing(&self, why: &str) -> PluginError {
        let places = match &self.profile {
            Some(profile) => format!("profile {profile} has none"),
            None => {
                "none in the environment, AWS's shared files, a web identity, the container or the \
                 instance that this runs on"
                    .to_owned()
            }
        };
        let help = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or `profile` of the service; \
            `aws sso login` renews single sign-on";
        PluginError::unauthorized(format!("ec2 has no credentials: {places} ({why})"))
            .with_help(help)
    }

    fn config<'a>(
        &self,
        known: &'a mut MutexGuard<'_, Known>,
    ) -> Result<&'a SdkConfig, PluginError> {
        if known.config.is_none() {
            known.config = Some(runtime()?.block_on(self.load()));
        }
        known.config.as_ref().ok_or_else(|| self.missing("AWS's configuration cannot be read"))
    }

    async fn load(&self) -> SdkConfig {
        let mut loader =
            aws_config::defaults(BehaviorVersion::latest()).http_client(self.http.for_sdk());
        if let Some(region) = &self.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(profile) = &self.profile {
            // an explicit profile takes precedence over the environment
            let region = self.region.clone().map(Region::new);
            let config = ProviderConfig::without_region()
                .with_region(region)
                .with_http_client(self.http.for_sdk());
            let provider = ProfileFileCredentialsProvider::builder()
                .configure(&config)
                .profile_name(profile)
                .build();
            loader = loader.profile_name(profile).credentials_provider(provider);
        }
        loader.load().await
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The endpoint of AWS for a region.
fn own_endpoint(region: &str) -> String {
    let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    format!("https://ec2.{region}.{domain}")
}

fn runtime() -> Result<tokio::runtime::Runtime, PluginError> {
    let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
    built.map_err(|error| PluginError::failed(format!("ec2 cannot ask for credentials: {error}")))
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
    words.join(": ").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_has_its_endpoint() {
        assert_eq!(own_endpoint("eu-west-1"), "https://ec2.eu-west-1.amazonaws.com");
        assert_eq!(own_endpoint("cn-north-1"), "https://ec2.cn-north-1.amazonaws.com.cn");
        let account = Account::fixed("http://127.0.0.1:5000/", Http::new());
        assert_eq!(
            account.place().unwrap(),
            Endpoint { region: "eu-west-1".into(), endpoint: "http://127.0.0.1:5000".into() }
        );
    }

    #[test]
    fn the_source_of_a_key_is_told_and_its_value_is_not() {
        let source = Account::fixed("http://127.0.0.1:1", Http::new()).source();
        assert_eq!(
            (source.source.as_str(), source.found),
            ("AWS_ACCESS_KEY_ID in the environment", true)
        );
    }
}
