//! What pallet.toml and the user's config.toml say: services, environment, admin user, plugins.

mod options;
mod plugins;
mod read;
mod value;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use pallet_core::distribution::repository;
use pallet_core::engine::ServiceConfig;
use pallet_core::model::{Environment, closest, merge_environment};
use serde_json::{Map, Value};

use crate::diagnostic::{Diagnostic, Diagnostics, SourceSpan, did_you_mean_or_list};

pub(crate) use plugins::{MirrorConfig, PluginRequirement, SignerConfig};
pub(crate) use read::{Source, read};

/// The service that is there when none is configured.
const EMBEDDED_SERVICE: &str = "sandbox";

/// What one file says, or several merged.
#[derive(Debug, Clone, Default)]
pub(crate) struct Config {
    /// The project's name.
    pub(crate) name: Option<String>,
    /// The most nodes that the project may have.
    pub(crate) max_nodes: Option<u32>,
    /// The service that is used when none is named.
    pub(crate) default_service: Option<Named>,
    /// The services, by name.
    pub(crate) services: BTreeMap<String, Service>,
    /// The values of the environment.
    pub(crate) environment: Environment,
    /// Who logs in to nodes and administers them.
    pub(crate) admin_user: AdminUserConfig,
    /// How long nodes are waited for.
    pub(crate) connect: ConnectConfig,
    /// Where secrets are found, by name.
    pub(crate) secrets: BTreeMap<String, Secret>,
    /// Where each of them stands.
    pub(crate) secret_places: BTreeMap<String, SourceSpan>,
    /// Files of age identities, which decrypt secrets.
    pub(crate) age_identities: Vec<PathBuf>,
    /// The plugins that are required, by name.
    pub(crate) plugins: BTreeMap<String, PluginRequirement>,
    /// Where plugins are looked for that are named without a source.
    pub(crate) registry: Option<repository::Source>,
    /// Whose signatures count, by what sources begin with.
    pub(crate) trust: BTreeMap<String, Vec<SignerConfig>>,
    /// The file of the root whose certificates are believed, in place of the public one.
    pub(crate) trusted_root: Option<PathBuf>,
    /// Where to look in place of other sources, by what those begin with.
    pub(crate) mirrors: BTreeMap<String, MirrorConfig>,
}

/// A name, and the place that gives it.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    /// The name.
    pub(crate) name: String,
    /// The place.
    pub(crate) place: SourceSpan,
}

/// A provider and the options it is used with.
#[derive(Debug, Clone, Default)]
pub(crate) struct Service {
    /// The provider's name. Empty only in a file that adds to another's service.
    pub(crate) provider: String,
    /// Values that the environment has while this service is used.
    pub(crate) environment: Environment,
    /// The provider's options.
    pub(crate) options: Map<String, Value>,
    /// Where each key stands, those of tables within it too: `nodes.web-1.group`. The empty key is
    /// the service itself.
    pub(crate) places: BTreeMap<String, SourceSpan>,
}

/// Who logs in to nodes and administers them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct AdminUserConfig {
    /// The login name.
    pub(crate) name: Option<String>,
    /// Private keys, as paths on this machine.
    pub(crate) identity_files: Vec<PathBuf>,
    /// Files of public keys that may log in.
    pub(crate) public_key_files: Vec<PathBuf>,
    /// Public keys that may log in.
    pub(crate) public_keys: Vec<String>,
    /// Where the password to log in with is found.
    pub(crate) password: Option<Secret>,
    /// Where sudo's password is found.
    pub(crate) sudo_password: Option<Secret>,
    /// Commands run as this user itself, never through sudo.
    pub(crate) no_sudo: Option<bool>,
}

/// How long nodes are waited for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ConnectConfig {
    /// Until a node is reached, its keys are agreed on, and somebody is logged in: each of them.
    pub(crate) timeout: Option<Duration>,
    /// Until its login shell runs what it is given.
    pub(crate) shell_timeout: Option<Duration>,
}

/// A credential by reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Secret {
    /// The value of an environment variable.
    Env(String),
    /// The content of a file.
    File(PathBuf),
    /// The output of a shell command.
    Command(String),
    /// The content of a file that is encrypted with age.
    Age(PathBuf),
}

impl Config {
    /// This file with what `over` says laid over it.
    pub(crate) fn merged(mut self, over: Config) -> Config {
        merge_environment(&mut self.environment, over.environment);
        for (name, service) in over.services {
            let merged = match self.services.remove(&name) {
                Some(base) => base.merged(service),
                None => service,
            };
            self.services.insert(name, merged);
        }
        self.plugins.extend(over.plugins);
        self.secrets.extend(over.secrets);
        self.secret_places.extend(over.secret_places);
        self.age_identities.extend(over.age_identities);
        self.mirrors.extend(over.mirrors);
        for (prefix, signers) in over.trust {
            self.trust.entry(prefix).or_default().extend(signers);
        }
        Config {
            name: over.name.or(self.name),
            max_nodes: over.max_nodes.or(self.max_nodes),
            default_service: over.default_service.or(self.default_service),
            services: self.services,
            environment: self.environment,
            admin_user: self.admin_user.merged(over.admin_user),
            connect: ConnectConfig {
                timeout: over.connect.timeout.or(self.connect.timeout),
                shell_timeout: over.connect.shell_timeout.or(self.connect.shell_timeout),
            },
            secrets: self.secrets,
            secret_places: self.secret_places,
            age_identities: self.age_identities,
            plugins: self.plugins,
            registry: over.registry.or(self.registry),
            trust: self.trust,
            trusted_root: over.trusted_root.or(self.trusted_root),
            mirrors: self.mirrors,
        }
    }

    /// What is wrong with the merged whole.
    pub(crate) fn check(&self) -> Diagnostics {
        let mut found = Diagnostics::default();
        for (name, service) in
            self.services.iter().filter(|(_, service)| service.provider.is_empty())
        {
            // a key that nobody knows yet may be the one that is missing
            let misspelt = closest("provider", service.options.keys().map(String::as_str));
            let place = service.places.get(misspelt.unwrap_or_default()).cloned();
            let help = match misspelt {
                Some(key) => format!("did you mean `provider` by `{key}`?"),
                None => "give it `provider = \"...\"`".to_owned(),
            };
            found.push(
                Diagnostic::error(format!("service `{name}` has no provider"))
                    .at(place)
                    .suggest(help),
            );
        }
        if let Some(default) = &self.default_service
            && let Err(error) = self.service(Some(&default.name))
        {
            found.push(error.at(default.place.clone()));
        }
        found
    }

    /// The service of this name; without a name the default one: `default_service`, or the only
    /// one, or the embedded sandbox.
    pub(crate) fn service(&self, name: Option<&str>) -> Result<(String, Service), Diagnostic> {
        let names: Vec<&str> = self.services.keys().map(String::as_str).collect();
        let name = match (name, &self.default_service, names.as_slice()) {
            (Some(name), _, _) => name,
            (None, Some(default), _) => &default.name,
            (None, None, []) => EMBEDDED_SERVICE,
            (None, None, [only]) => only,
            (None, None, _) => {
                let message = "there are several services and no default one";
                let suggestion =
                    format!("write `default_service = \"...\"` with one of {}", names.join(", "));
                return Err(Diagnostic::error(message).suggest(suggestion));
            }
        };
        match self.services.get(name) {
            Some(service) => Ok((name.to_owned(), service.clone())),
            None if name == EMBEDDED_SERVICE => Ok((
                name.to_owned(),
                Service { provider: EMBEDDED_SERVICE.into(), ..Service::default() },
            )),
            None => {
                let suggestion = did_you_mean_or_list(name, &names, "there are")
                    .or(Some(format!("add a table [services.{name}]")));
                Err(Diagnostic::error(format!("there is no service `{name}`")).suggest(suggestion))
            }
        }
    }
}

impl Service {
    /// What makes it.
    pub(crate) fn config(&self) -> ServiceConfig {
        ServiceConfig { provider: self.provider.clone(), options: self.options.clone() }
    }

    fn merged(mut self, over: Service) -> Service {
        merge_environment(&mut self.environment, over.environment);
        self.options.extend(over.options);
        self.places.extend(over.places);
        if !over.provider.is_empty() {
            self.provider = over.provider;
        }
        self
    }
}

impl AdminUserConfig {
    fn merged(self, over: AdminUserConfig) -> AdminUserConfig {
        fn either<T>(over: Vec<T>, base: Vec<T>) -> Vec<T> {
            if over.is_empty() { base } else { over }
        }
        AdminUserConfig {
            name: over.name.or(self.name),
            identity_files: either(over.identity_files, self.identity_files),
            public_key_files: either(over.public_key_files, self.public_key_files),
            public_keys: either(over.public_keys, self.public_keys),
            password: over.password.or(self.password),
            sudo_password: over.sudo_password.or(self.sudo_password),
            no_sudo: over.no_sudo.or(self.no_sudo),
        }
    }
}

/// The name of a project in a directory: the directory's, made a host name.
pub(crate) fn name_of_directory(directory: &str) -> String {
    let words = directory.to_lowercase();
    let words: Vec<&str> = words
        .split(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit())
        .filter(|word| !word.is_empty())
        .collect();
    let mut name = words.join("-");
    name.truncate(40);
    match name.trim_matches('-') {
        "" => "project".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::name_of_directory;

    #[test]
    fn a_directory_gives_a_host_name() {
        assert_eq!(name_of_directory("My Shop (2)"), "my-shop-2");
        assert_eq!(name_of_directory("..."), "project");
        assert_eq!(name_of_directory("web"), "web");
    }
}
