//! Passwords: from where pallet.toml says, or from the user at the terminal.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, anyhow, ensure};
use pallet_core::transport::{Prompt, Secret};

use crate::process::{ProcessEnv, expand};
use crate::project::config::Secret as Reference;

/// Timeout of a command that prints a secret: it may have to ask a person.
const LIMIT: Duration = Duration::from_secs(120);
/// Maximum size of a secret, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// Asks at the terminal; without one, it asks nobody.
#[derive(Debug)]
pub(crate) struct TerminalPrompt {
    pub(crate) interactive: bool,
}

impl Prompt for TerminalPrompt {
    fn secret(&self, question: &str) -> Option<Secret> {
        if !self.interactive {
            return None;
        }
        rpassword::prompt_password(format!("{question}: ")).ok().map(Secret::new)
    }
}

/// Finds the values of secrets.
#[derive(Debug, Clone)]
pub(crate) struct SecretFinder {
    /// The base of relative paths, and the working directory of commands.
    pub(crate) directory: PathBuf,
    /// The home directory, for `~`.
    pub(crate) home: PathBuf,
    /// Files with age identities.
    pub(crate) identities: Vec<PathBuf>,
}

impl SecretFinder {
    /// The value of a secret that pallet.toml refers to.
    pub(crate) fn find(&self, reference: &Reference) -> anyhow::Result<Secret> {
        let text = match reference {
            Reference::Env(name) => ProcessEnv::variable(name).with_context(|| {
                format!("the environment variable {name} that pallet.toml refers to is not set")
            })?,
            Reference::File(path) => {
                let path = self.directory.join(expand(path, &self.home));
                let what = || format!("cannot read the secret {}", path.display());
                // reading a pipe or a device can block forever
                ensure!(
                    std::fs::metadata(&path).with_context(what)?.is_file(),
                    "the secret {} is not a file",
                    path.display()
                );
                text_of(
                    std::fs::File::open(&path).with_context(what)?,
                    &format!("the secret {}", path.display()),
                )?
            }
            Reference::Command(command) => self.printed(command)?,
            Reference::Age(path) => self.decrypt(&self.directory.join(expand(path, &self.home)))?,
        };
        Ok(Secret::new(text.trim_end_matches(['\r', '\n'])))
    }

    /// Checks that a secret is where it should be, without running a command or decrypting.
    pub(crate) fn check(&self, reference: &Reference) -> anyhow::Result<()> {
        match reference {
            Reference::Env(_) | Reference::File(_) => self.find(reference).map(drop),
            Reference::Command(_) => Ok(()),
            Reference::Age(path) => {
                let path = self.directory.join(expand(path, &self.home));
                std::fs::File::open(&path)
                    .map(drop)
                    .with_context(|| format!("cannot read the secret {}", path.display()))
            }
        }
    }

    /// The output of a command, within [`LIMIT`].
    fn printed(&self, command: &str) -> anyhow::Result<String> {
        let mut child = Command::new("sh");
        child
            .args(["-c", command])
            .current_dir(&self.directory)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        let mut child = child.spawn().with_context(|| {
            format!("cannot run the command {command:?} that should print a secret")
        })?;
        let output = child.stdout.take().context("the output of a command")?;
        let (sender, printed) = std::sync::mpsc::channel();
        let what = format!("what the command {command:?} printed");
        std::thread::spawn(move || sender.send(text_of(output, &what)));
        let printed = printed.recv_timeout(LIMIT);
        if !matches!(printed, Ok(Ok(_))) {
            // fails if it has already ended
            let _ = child.kill();
        }
        let status =
            child.wait().with_context(|| format!("cannot wait for the command {command:?}"))?;
        let printed = printed.map_err(|_| {
            anyhow!(
                "the command {command:?} that should print a secret did not end within {} s",
                LIMIT.as_secs()
            )
        })??;
        ensure!(
            status.success(),
            "the command {command:?} that should print a secret failed: {status}"
        );
        Ok(printed)
    }

    #[cfg(not(feature = "age"))]
    fn decrypt(&self, path: &Path) -> anyhow::Result<String> {
        let _ = &self.identities;
        anyhow::bail!(
            "cannot decrypt the secret in {}: this pallet-cli was built without age; build it with \
             `cargo build -p pallet-cli --features age`",
            path.display()
        )
    }

    #[cfg(feature = "age")]
    fn decrypt(&self, path: &Path) -> anyhow::Result<String> {
        let shown = path.display();
        let file =
            std::fs::File::open(path).with_context(|| format!("cannot read the secret {shown}"))?;
        let (mut keys, mut read) = (Vec::new(), Vec::new());
        for identities in &self.identities {
            let identities = self.directory.join(expand(identities, &self.home));
            if !identities.exists() {
                continue;
            }
            let name = identities.display().to_string();
            let file = age::IdentityFile::from_file(name.clone())
                .with_context(|| format!("cannot read the age identities {name}"))?;
            keys.extend(
                file.into_identities()
                    .map_err(|error| anyhow!("cannot read the age identities {name}: {error}"))?,
            );
            read.push(name);
        }
        ensure!(
            !keys.is_empty(),
            "there is no age identity to decrypt {shown} with: name its file in age_identities in \
             pallet.toml, or put it at {}",
            self.identities.first().map(|path| path.display().to_string()).unwrap_or_default()
        );
        let decryptor = age::Decryptor::new(age::armor::ArmoredReader::new(file));
        let decryptor = decryptor.map_err(|error| {
            anyhow!("{shown} is not a file that is encrypted with age: {error}")
        })?;
        let reader = decryptor.decrypt(keys.iter().map(|key| key.as_ref() as &dyn age::Identity));
        let reader = reader.map_err(|error| {
            anyhow!("cannot decrypt {shown} with the identities of {}: {error}", read.join(", "))
        })?;
        text_of(reader, &format!("the secret in {shown}"))
    }
}

/// Reads everything, if it is text and at most as large as a secret may be.
fn text_of(reader: impl Read, what: &str) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    reader
        .take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .with_context(|| format!("{what} cannot be read or is damaged"))?;
    ensure!(
        bytes.len() as u64 <= LARGEST,
        "{what} is larger than {} KiB, the limit for secrets",
        LARGEST / 1024
    );
    // the error of the conversion would hold the secret
    String::from_utf8(bytes).ok().with_context(|| format!("{what} is not text"))
}
