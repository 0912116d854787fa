//! `pallet-cli generate-key`

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use clap::ValueEnum;
use pallet_core::distribution::signature::{KeyAlgorithm, SigningKey};
use serde_json::json;

use crate::context::Context;

/// Create a key pair for signing plugins
#[derive(Debug, clap::Args)]
pub(crate) struct GenerateKey {
    /// File for the private key; the public key is written to FILE.pub
    file: PathBuf,
    /// Key algorithm
    #[arg(long, value_enum, default_value_t = Algorithm::EcdsaP256)]
    algorithm: Algorithm,
    /// Do not encrypt the private key with a passphrase
    #[arg(long)]
    no_passphrase: bool,
}

/// Kinds of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Algorithm {
    /// The default of cosign, supported by all Sigstore tools
    EcdsaP256,
    /// Smaller and faster
    Ed25519,
}

impl GenerateKey {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let public_file = PathBuf::from(format!("{}.pub", self.file.display()));
        for file in [&self.file, &public_file] {
            ensure!(
                !file.exists(),
                "{} already exists; keys are never overwritten, choose another file",
                file.display()
            );
        }
        let passphrase = self.passphrase(context)?;
        let key = SigningKey::generate(match self.algorithm {
            Algorithm::EcdsaP256 => KeyAlgorithm::EcdsaP256,
            Algorithm::Ed25519 => KeyAlgorithm::Ed25519,
        })?;
        write(&self.file, 0o600, &key.to_pem(passphrase.as_deref())?)?;
        write(&public_file, 0o644, &key.public().to_pem())?;
        let public = key.public();
        match context.printer.json() {
            true => context.printer.value(&json!({
                "private_key": self.file, "public_key": public_file,
                "key": public.to_string(), "line": public.to_line(),
            })),
            false => {
                context.printer.line(&format!(
                    "wrote {}: keep it secret; sign with --key {0}",
                    self.file.display()
                ));
                context.printer.line(&format!(
                    "wrote {}: distribute it to the users of your plugins",
                    public_file.display()
                ));
                context
                    .printer
                    .line(&format!("public key {public}, in one line: {}", public.to_line()));
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn passphrase(&self, context: &Context) -> anyhow::Result<Option<String>> {
        if self.no_passphrase {
            return Ok(None);
        }
        if let Some(passphrase) = &context.env.key_passphrase {
            return Ok(Some(passphrase.clone()));
        }
        if !context.env.interactive {
            bail!(
                "cannot prompt for a passphrase; set PALLET_KEY_PASSPHRASE, or use --no-passphrase"
            );
        }
        let ask = |question: &str| {
            rpassword::prompt_password(question).context("cannot prompt for the passphrase")
        };
        let passphrase = ask("Passphrase of the new key: ")?;
        ensure!(
            !passphrase.is_empty(),
            "the passphrase is empty; use --no-passphrase for an unencrypted key"
        );
        ensure!(
            passphrase == ask("Repeat the passphrase: ")?,
            "the passphrases do not match; nothing was written"
        );
        Ok(Some(passphrase))
    }
}

fn write(file: &Path, mode: u32, text: &str) -> anyhow::Result<()> {
    let writing = || format!("cannot write {}", file.display());
    let mut new = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(file)
        .with_context(writing)?;
    new.write_all(text.as_bytes()).and_then(|()| new.sync_all()).with_context(writing)
}
