//! The content of pallet.toml and of the user's config.toml: services, environment, admin user,
//! plugins.

mod history;
mod keys;
mod name;
mod named;
mod options;
mod plugin_tables;
mod plugins;
mod read;
mod secret_tables;
mod secrets;
mod stage_tables;
mod stages;
mod telemetry;
mod telemetry_tables;
mod value;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use pallet_core::distribution::repository;
use pallet_core::engine::ServiceConfig;
use pallet_core::model::{Environment, closest, merge_environment};
use pallet_core::schemars::JsonSchema;
use serde_json::{Map, Value};

use crate::diagnostic::{Diagnostic, Diagnostics, SourceSpan, did_you_mean_or_list};

use history::HistoryConfig;
pub(crate) use name::name_of_directory;
pub(crate) use named::Named;
pub(crate) use plugin_tables::{MirrorConfig, PluginRequirement, SignerConfig, SigstoreConfig};
use plugin_tables::{MirrorTable, PluginTable, SignerTable};
pub(crate) use read::{ConfigText, read};
#[cfg(feature = "vault")]
pub(crate) use secret_tables::AppRole;
#[cfg(feature = "aws")]
pub(crate) use secret_tables::AwsName;
use secret_tables::SecretTable;
pub(crate) use secret_tables::{Secret, SecretPlace, VaultConfig};
pub(crate) use stage_tables::{Protect, StageConfig};
use telemetry_tables::OnFinishTable;
pub(crate) use telemetry_tables::{OnFinish, Otlp, Recipient, TelemetryConfig, Url, When};

/// The service that is used if none is configured.
const EMBEDDED_SERVICE: &str = "sandbox";

/// The tables and keys of `pallet.toml`, and of the user's `~/.config/pallet/config.toml`, which
/// has the same ones.
///
/// `pallet.toml` wins over `config.toml`. Tables are merged key by key; a list in `pallet.toml`
/// replaces that of `config.toml`, except in `age_identities` and `[trust]`, where both count. The
/// project's name and `[plugins]` of `config.toml` do not apply to a project.
/// Paths are relative to the file that names them; `~/` is your home directory. An unknown key is
/// an error.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) struct Config {
    /// The service to use when `--service` is omitted. Default: the only service, or `sandbox` if
    /// there is none.
    #[schemars(with = "Option<String>")]
    pub(crate) default_service: Option<Named>,
    /// The registry of plugins that are named without a source:
    /// `registry = "oci://ghcr.io/acme/pallet"`.
    #[schemars(with = "Option<String>")]
    pub(crate) registry: Option<repository::Source>,
    /// Files with age identities (private keys), which decrypt secrets of the form
    /// `{ age = "FILE" }`. `~/.config/pallet/age.txt` is always used too.
    pub(crate) age_identities: Vec<PathBuf>,
    /// For how long the value of a secret is used before a later operation of the same process
    /// looks it up again: `"30s"`, `"1h"`. Default: 5 minutes.
    #[schemars(with = "Option<String>")]
    pub(crate) secret_ttl: Option<Duration>,
    /// The project itself.
    pub(crate) project: ProjectConfig,
    /// The services, by name. A service is a provider with its options: where nodes come from.
    ///
    /// All keys but the two below are options of the provider. `pallet-cli doc provider:NAME` lists
    /// them, and so does the page [Providers](providers.md).
    ///
    /// ```toml
    /// [services.lab]
    /// provider = "node-list"
    ///
    /// [services.lab.nodes.web-1]
    /// group = "web"
    /// host = "192.0.2.10"
    /// ```
    pub(crate) services: BTreeMap<String, Service>,
    /// Values that phase functions read as `request.environment`. Keys and values are yours.
    ///
    /// Later scopes override earlier ones: `[environment]` of `config.toml`, `environment` of the
    /// service in use, `[environment]` of `pallet.toml`, `environment` of the stage,
    /// `--env KEY=VALUE`. See [Settings and environment](settings.md).
    pub(crate) environment: Environment,
    /// The places of its values, by their dotted keys.
    #[schemars(skip)]
    pub(crate) environment_places: BTreeMap<String, SourceSpan>,
    /// Stages, by name: what differs between development, production and the like. `--stage NAME`
    /// selects one. See [Stages](stages.md).
    ///
    /// ```toml
    /// [stages.prod]
    /// service = "cloud"
    /// counts = { web = 6 }
    /// protect = ["db"]
    /// confirm = true
    /// environment = { domain = "example.org" }
    /// ```
    pub(crate) stages: BTreeMap<String, StageConfig>,
    /// The admin user: the user that Pallet logs in as, and runs commands as root from.
    pub(crate) admin_user: AdminUserConfig,
    /// Timeouts of connections to nodes.
    pub(crate) connect: ConnectConfig,
    /// How long the journals of operations are kept. The limits apply when an operation begins. See
    /// [The journal](history.md).
    pub(crate) history: HistoryConfig,
    /// Where each secret is found, by name. `secret("NAME")` in `pallet.star` stands for its value.
    ///
    /// Names consist of letters, digits, `_`, `.` and `-`. Each secret has exactly one of the keys
    /// `env` to `ssm`; the others say more. See [Secrets](secrets.md).
    #[schemars(with = "BTreeMap<String, SecretTable>")]
    pub(crate) secrets: BTreeMap<String, Secret>,
    /// The place of each secret in its file.
    #[schemars(skip)]
    pub(crate) secret_places: BTreeMap<String, SourceSpan>,
    /// The server of secrets of the form `{ vault = "PATH" }`: HashiCorp Vault, or OpenBao.
    pub(crate) vault: VaultConfig,
    /// Traces and numbers of operations. See [Traces, numbers and notices](telemetry.md).
    pub(crate) telemetry: TelemetryConfig,
    /// Whom to tell that an operation has ended, one table each. Those of `config.toml` and of
    /// `pallet.toml` both count. Each table has one of the keys `command`, `webhook` and `slack`,
    /// and optionally `when`. See [Traces, numbers and notices](telemetry.md).
    #[schemars(with = "Vec<OnFinishTable>")]
    pub(crate) on_finish: Vec<OnFinish>,
    /// Required plugins, by name: `nginx`, or `crate/nginx` where a provider has the same name.
    /// The value is a version requirement, or a table.
    ///
    /// `pallet-cli install SOURCE` adds an entry. See [Plugins](plugins.md).
    ///
    /// ```toml
    /// [plugins]
    /// nginx = "1.2"
    /// redis = { version = "1.2.0", source = "oci://ghcr.io/acme/pallet/crate/redis" }
    /// shop = { path = "../shared" }
    /// ```
    #[schemars(with = "BTreeMap<String, PluginTable>")]
    pub(crate) plugins: BTreeMap<String, PluginRequirement>,
    /// Whose signatures count, by the beginning of a source; the longest match decides, and `*`
    /// matches every source.
    ///
    /// The value is a public key (a file, or its text in PEM), a table with the keys below, or a
    /// list of them.
    ///
    /// ```toml
    /// [trust]
    /// "oci://ghcr.io/acme" = ["keys/acme.pub"]
    /// "oci://ghcr.io/me" = { identity = "me@example.org", issuer = "https://accounts.google.com" }
    /// ```
    #[schemars(with = "BTreeMap<String, SignerTable>")]
    pub(crate) trust: BTreeMap<String, Vec<SignerConfig>>,
    /// Verification of signatures that have a certificate instead of a key.
    pub(crate) sigstore: SigstoreConfig,
    /// Where to download plugins from instead of their source, by the beginning of that source; the
    /// longest match decides. The value is a source, or a table.
    ///
    /// ```toml
    /// [mirrors]
    /// "oci://ghcr.io/acme" = "oci://harbor.example/ghcr/acme"
    /// "oci://ghcr.io" = { source = "layout:/srv/mirror", pull_through = true }
    /// ```
    #[schemars(with = "BTreeMap<String, MirrorTable>")]
    pub(crate) mirrors: BTreeMap<String, MirrorConfig>,
}

/// The project itself.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) struct ProjectConfig {
    /// The name of the project: 1 to 40 of `a-z`, `0-9` and `-`, not at the ends. Nodes are found
    /// by it, so do not rename a project that has nodes. Default: the name of its directory.
    pub(crate) name: Option<String>,
    /// The maximum number of nodes that the project may have. Default: 10,000.
    pub(crate) max_nodes: Option<u32>,
}

/// A provider with its options.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) struct Service {
    /// The name of the provider. `pallet-cli providers` lists those that are installed. It may be
    /// omitted only where `config.toml` has it.
    pub(crate) provider: String,
    /// Values that are added to `[environment]` while this service is used.
    #[schemars(default)]
    pub(crate) environment: Environment,
    /// The provider's options.
    #[schemars(skip)]
    pub(crate) options: Map<String, Value>,
    /// The place of each key, also of those in nested tables: `nodes.web-1.group`. The empty key is
    /// the service itself.
    #[schemars(skip)]
    pub(crate) places: BTreeMap<String, SourceSpan>,
}

/// The user that Pallet logs in as.
#[derive(Debug, Clone, Default, PartialEq, Eq, JsonSchema)]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) struct AdminUserConfig {
    /// The login name. Default: your own.
    pub(crate) name: Option<String>,
    /// Files with private keys to log in with. Default: those of `~/.ssh/config`, the ssh agent,
    /// and the usual files in `~/.ssh`.
    #[schemars(default)]
    pub(crate) identity_files: Vec<PathBuf>,
    /// Files with public keys that `automated_admin_user` lets log in. Default, if `public_keys` is
    /// empty too: the first of `id_ed25519.pub`, `id_ecdsa.pub` and `id_rsa.pub` in `~/.ssh`.
    #[schemars(default)]
    pub(crate) public_key_files: Vec<PathBuf>,
    /// The same as text: `public_keys = ["ssh-ed25519 AAAA... me@laptop"]`.
    #[schemars(default)]
    pub(crate) public_keys: Vec<String>,
    /// Where the password to log in with is found, like an entry of `[secrets]`. Default: asked for
    /// at the terminal if the node accepts nothing else.
    #[schemars(with = "Option<String>", extend("x-takes" = "a reference to a secret"))]
    pub(crate) password: Option<Secret>,
    /// Where the password for sudo is found, like an entry of `[secrets]`. Default: asked for at
    /// the terminal if sudo needs one.
    #[schemars(with = "Option<String>", extend("x-takes" = "a reference to a secret"))]
    pub(crate) sudo_password: Option<Secret>,
    /// Run everything as the login user, never through sudo. Default: false.
    pub(crate) no_sudo: Option<bool>,
}

/// Timeouts of connections to nodes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, JsonSchema)]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) struct ConnectConfig {
    /// Timeout in seconds of each step of a login: to connect, to agree on keys, to authenticate.
    /// Default: 20.
    #[schemars(with = "Option<u32>")]
    pub(crate) timeout: Option<Duration>,
    /// Timeout in seconds until the login shell runs its first command. Default: 30.
    #[schemars(with = "Option<u32>")]
    pub(crate) shell_timeout: Option<Duration>,
}

impl Config {
    /// This configuration, overridden by `over`.
    pub(crate) fn merged(mut self, over: Config) -> Config {
        merge_environment(&mut self.environment, over.environment);
        self.environment_places.extend(over.environment_places);
        self.stages.extend(over.stages);
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
        self.on_finish.extend(over.on_finish);
        for (prefix, signers) in over.trust {
            self.trust.entry(prefix).or_default().extend(signers);
        }
        Config {
            project: ProjectConfig {
                name: over.project.name.or(self.project.name),
                max_nodes: over.project.max_nodes.or(self.project.max_nodes),
            },
            default_service: over.default_service.or(self.default_service),
            services: self.services,
            environment: self.environment,
            environment_places: self.environment_places,
            stages: self.stages,
            admin_user: self.admin_user.merged(over.admin_user),
            connect: ConnectConfig {
                timeout: over.connect.timeout.or(self.connect.timeout),
                shell_timeout: over.connect.shell_timeout.or(self.connect.shell_timeout),
            },
            history: self.history.merged(over.history),
            secrets: self.secrets,
            secret_places: self.secret_places,
            secret_ttl: over.secret_ttl.or(self.secret_ttl),
            vault: self.vault.merged(over.vault),
            telemetry: self.telemetry.merged(over.telemetry),
            on_finish: self.on_finish,
            age_identities: self.age_identities,
            plugins: self.plugins,
            registry: over.registry.or(self.registry),
            trust: self.trust,
            sigstore: SigstoreConfig {
                trusted_root: over.sigstore.trusted_root.or(self.sigstore.trusted_root),
            },
            mirrors: self.mirrors,
        }
    }

    /// Checks the merged configuration.
    pub(crate) fn check(&self) -> Diagnostics {
        let mut found = Diagnostics::default();
        for (name, service) in
            self.services.iter().filter(|(_, service)| service.provider.is_empty())
        {
            // an unknown key may be a misspelt `provider`
            let misspelt = closest("provider", service.options.keys().map(String::as_str));
            let place = service.places.get(misspelt.unwrap_or_default()).cloned();
            let help = match misspelt {
                Some(key) => format!("did you mean `provider` instead of `{key}`?"),
                None => "set `provider = \"...\"`".to_owned(),
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

    /// The service with this name. Without a name, the default service: `default_service`, or the
    /// only service, or the sandbox.
    pub(crate) fn service(&self, name: Option<&str>) -> Result<(String, Service), Diagnostic> {
        let names: Vec<&str> = self.services.keys().map(String::as_str).collect();
        let name = match (name, &self.default_service, names.as_slice()) {
            (Some(name), _, _) => name,
            (None, Some(default), _) => &default.name,
            (None, None, []) => EMBEDDED_SERVICE,
            (None, None, [only]) => only,
            (None, None, _) => {
                let message = "there are several services and no default";
                let suggestion = format!("set `default_service` to one of {}", names.join(", "));
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
    /// The configuration that creates the service.
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
