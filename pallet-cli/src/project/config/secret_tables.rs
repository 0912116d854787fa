//! The types of the tables about secrets.

use std::path::PathBuf;
use std::time::Duration;

use pallet_core::schemars::JsonSchema;

/// Where a secret is found, and for how long its value is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Secret {
    pub(crate) place: SecretPlace,
    /// The part of what is found there.
    pub(crate) key: Option<String>,
    /// For how long the value is kept in memory, if not for the usual time.
    pub(crate) ttl: Option<Duration>,
}

/// A place where secrets are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SecretPlace {
    /// An environment variable.
    Env(String),
    /// A file.
    File(PathBuf),
    /// What a shell command prints.
    Command(String),
    /// A file that is encrypted with age.
    Age(PathBuf),
    /// A file that is encrypted with sops.
    Sops(PathBuf),
    /// A path in HashiCorp Vault or OpenBao.
    Vault(String),
    /// A secret of AWS Secrets Manager.
    AwsSecret(AwsName),
    /// A parameter of AWS Systems Manager.
    Ssm(AwsName),
}

/// A name at AWS, with the region and the profile, if they are not the usual ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AwsName {
    pub(crate) name: String,
    pub(crate) region: Option<String>,
    pub(crate) profile: Option<String>,
}

/// An entry of `[secrets]` as a table.
#[derive(JsonSchema)]
#[schemars(crate = "pallet_core::schemars")]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) struct SecretTable {
    /// The name of an environment variable.
    env: Option<String>,
    /// A file. Line ends at its end are removed.
    file: Option<PathBuf>,
    /// A shell command that prints it, such as `pass show database`. It runs in the project's
    /// directory and must end within 120 s.
    command: Option<String>,
    /// A file that is encrypted with [age](https://age-encryption.org).
    age: Option<PathBuf>,
    /// A file that is encrypted with [sops](https://getsops.io). The program `sops` decrypts it.
    sops: Option<PathBuf>,
    /// A path in HashiCorp Vault or OpenBao, as `vault kv get` takes it: `secret/app`. See
    /// `[vault]`.
    vault: Option<String>,
    /// The name or the ARN of a secret of AWS Secrets Manager.
    aws_secret: Option<String>,
    /// The name of a parameter of AWS Systems Manager: `/prod/db/password`.
    ssm: Option<String>,
    /// The part of the value that is meant, where the value is a table or a text in JSON:
    /// `password`, or `db.password` for a table in a table. Default: the whole value, or its only
    /// key.
    key: Option<String>,
    /// The region of `aws_secret` or `ssm`. Default: as AWS's own tools find it.
    region: Option<String>,
    /// The profile in `~/.aws` for `aws_secret` or `ssm`. Default: as AWS's own tools find it.
    profile: Option<String>,
    /// For how long a value is used before a later operation of the same process looks it up
    /// again: `"30s"`, `"1h"`. Default: `secret_ttl`.
    ttl: Option<String>,
}

/// The server of secrets of the form `{ vault = "PATH" }`: HashiCorp Vault, or OpenBao.
#[derive(Debug, Clone, Default, PartialEq, Eq, JsonSchema)]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) struct VaultConfig {
    /// The address: `https://vault.example:8200`. Default: `BAO_ADDR` or `VAULT_ADDR` of the
    /// environment.
    pub(crate) address: Option<String>,
    /// The namespace. Default: `BAO_NAMESPACE` or `VAULT_NAMESPACE` of the environment.
    pub(crate) namespace: Option<String>,
    /// A file with the certificate authorities that the server is checked with, in PEM. Default:
    /// `BAO_CACERT` or `VAULT_CACERT` of the environment, or this system's authorities.
    pub(crate) ca_file: Option<PathBuf>,
    /// Where the token is found, like an entry of `[secrets]`. Default: `BAO_TOKEN` or
    /// `VAULT_TOKEN` of the environment, or `~/.vault-token`, where `vault login` writes it.
    #[schemars(with = "Option<String>", extend("x-takes" = "a reference to a secret"))]
    pub(crate) token: Option<Secret>,
    /// Log in with an AppRole instead of a token:
    /// `{ role_id = "...", secret_id = { env = "ID" } }`. `mount` is where the method is enabled;
    /// default: `approle`.
    #[schemars(with = "Option<String>", extend("x-takes" = "a table"))]
    pub(crate) approle: Option<AppRole>,
}

/// An AppRole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AppRole {
    pub(crate) role_id: String,
    pub(crate) secret_id: Secret,
    pub(crate) mount: String,
}

/// An AppRole as a table.
#[derive(JsonSchema)]
#[schemars(crate = "pallet_core::schemars")]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) struct AppRoleTable {
    /// The ID of the role.
    role_id: String,
    /// Where the secret ID is found, like an entry of `[secrets]`.
    secret_id: SecretTable,
    /// Where the method is enabled. Default: `approle`.
    mount: Option<String>,
}

impl SecretPlace {
    pub(super) fn is_aws(&self) -> bool {
        matches!(self, SecretPlace::AwsSecret(_) | SecretPlace::Ssm(_))
    }
}

impl VaultConfig {
    pub(super) fn merged(self, over: VaultConfig) -> VaultConfig {
        // one way to log in replaces the other
        let (token, approle) = match (over.token, over.approle) {
            (None, None) => (self.token, self.approle),
            over => over,
        };
        VaultConfig {
            address: over.address.or(self.address),
            namespace: over.namespace.or(self.namespace),
            ca_file: over.ca_file.or(self.ca_file),
            token,
            approle,
        }
    }
}
