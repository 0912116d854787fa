//! Finds the values of secrets.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use pallet_core::transport::Secret;

#[cfg(feature = "aws")]
use super::aws::AwsSecret;
#[cfg(not(all(feature = "vault", feature = "aws")))]
use super::found::Found;
#[cfg(not(all(feature = "vault", feature = "aws")))]
use super::source::absent;
use super::source::{SecretFinder, Source};
#[cfg(feature = "vault")]
use super::vault::VaultPath;
use super::{age, command, env_file, sops};
use crate::project::config::{Secret as Reference, SecretPlace};

impl SecretFinder {
    /// The value of a secret that pallet.toml refers to.
    pub(crate) fn find(&self, reference: &Reference) -> anyhow::Result<Secret> {
        let source = self.source(reference);
        let found = match source.identity() {
            Some(identity) => {
                let ttl = reference.ttl.unwrap_or(self.ttl);
                self.cache.get(&identity, ttl, || source.look_up())?
            }
            None => Arc::new(source.look_up()?),
        };
        let key = reference.key.as_deref();
        let value = found.value(key).with_context(|| format!("cannot use {}", source.shown()))?;
        let value = Secret::new(value.trim_end_matches(['\r', '\n']));
        self.cache.remember(&value);
        Ok(value)
    }

    /// Checks that a secret is where it should be, without running a command, decrypting or asking
    /// a server.
    pub(crate) fn check(&self, reference: &Reference) -> anyhow::Result<()> {
        self.source(reference).check()
    }

    fn source<'a>(&'a self, reference: &'a Reference) -> Box<dyn Source + 'a> {
        let file = |path: &Path| self.path(path);
        match &reference.place {
            SecretPlace::Env(name) => Box::new(env_file::Variable(name)),
            SecretPlace::File(path) => Box::new(env_file::PlainFile(file(path))),
            SecretPlace::Command(command) => Box::new(command::Printed { finder: self, command }),
            SecretPlace::Age(path) => Box::new(age::AgeFile { finder: self, path: file(path) }),
            SecretPlace::Sops(path) => {
                Box::new(sops::SopsFile { path: file(path), table: reference.key.is_some() })
            }
            #[cfg(feature = "vault")]
            SecretPlace::Vault(path) => Box::new(VaultPath { finder: self, path }),
            #[cfg(feature = "aws")]
            SecretPlace::AwsSecret(name) => Box::new(AwsSecret::in_secrets_manager(self, name)),
            #[cfg(feature = "aws")]
            SecretPlace::Ssm(name) => Box::new(AwsSecret::in_parameters(self, name)),
            #[cfg(not(feature = "vault"))]
            SecretPlace::Vault(path) => Box::new(Absent { name: path, feature: "vault" }),
            #[cfg(not(feature = "aws"))]
            SecretPlace::AwsSecret(name) | SecretPlace::Ssm(name) => {
                Box::new(Absent { name: &name.name, feature: "aws" })
            }
        }
    }
}

/// A place that this program was built without.
#[cfg(not(all(feature = "vault", feature = "aws")))]
struct Absent<'a> {
    name: &'a str,
    feature: &'static str,
}

#[cfg(not(all(feature = "vault", feature = "aws")))]
impl Source for Absent<'_> {
    fn shown(&self) -> String {
        self.name.to_owned()
    }

    fn look_up(&self) -> anyhow::Result<Found> {
        anyhow::bail!("cannot look up {}: {}", self.name, absent(self.feature))
    }

    fn check(&self) -> anyhow::Result<()> {
        self.look_up().map(drop)
    }
}
