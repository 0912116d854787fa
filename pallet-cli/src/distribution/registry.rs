//! Shared by the commands that access registries: options, and the signing key.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use pallet_core::distribution::repository::{Access, Source};
use pallet_core::distribution::signature::{KeyError, SigningKey};

use crate::context::Context;

/// How to reach a registry.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct RegistryOptions {
    /// Use plain HTTP (loopback registries fall back to it automatically)
    #[arg(long)]
    plain_http: bool,
    /// Also trust the CA certificates in this PEM file
    #[arg(long, value_name = "FILE")]
    ca_file: Vec<PathBuf>,
}

impl RegistryOptions {
    /// How to reach the registries of these sources.
    pub(crate) fn access<'a>(
        &self,
        context: &Context,
        sources: impl IntoIterator<Item = &'a Source>,
    ) -> Access {
        let mut access = context.access();
        access.certificates.extend(self.ca_file.iter().cloned());
        if self.plain_http {
            let hosts = sources.into_iter().filter_map(|source| match source {
                Source::Registry { host, .. } => Some(host.clone()),
                Source::Layout { .. } => None,
            });
            access.plain_http.extend(hosts);
        }
        access
    }
}

/// Reads a signing key; asks for its passphrase if it has one.
pub(crate) fn signing_key(context: &Context, file: &Path) -> anyhow::Result<SigningKey> {
    let shown = file.display();
    let pem =
        std::fs::read_to_string(file).with_context(|| format!("cannot read the key {shown}"))?;
    let passphrase = match SigningKey::parse(&pem, context.env.key_passphrase.as_deref()) {
        Err(KeyError::NeedsPassphrase) if context.env.interactive => {
            rpassword::prompt_password(format!("Passphrase of {shown}: "))
                .context("cannot prompt for the passphrase")?
        }
        Err(KeyError::NeedsPassphrase) => {
            bail!("the key {shown} is encrypted; set its passphrase in PALLET_KEY_PASSPHRASE")
        }
        other => return other.with_context(|| format!("cannot use the key {shown}")),
    };
    SigningKey::parse(&pem, Some(&passphrase))
        .with_context(|| format!("cannot use the key {shown}"))
}
