//! Passwords: from where pallet.toml says they are, or from the person at the terminal.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, anyhow, ensure};
use pallet_core::transport::{Prompt, Secret};

use crate::project::config::Secret as Reference;
use crate::surroundings::{Surroundings, expand};

/// Asks at the terminal; where there is none, nobody is asked.
#[derive(Debug)]
pub(crate) struct Terminal {
    pub(crate) interactive: bool,
}

impl Prompt for Terminal {
    fn secret(&self, question: &str) -> Option<Secret> {
        if !self.interactive {
            return None;
        }
        rpassword::prompt_password(format!("{question}: ")).ok().map(Secret::new)
    }
}

/// Where secrets are found.
#[derive(Debug, Clone)]
pub(crate) struct Finder {
    /// What relative paths are relative to, and where commands run.
    pub(crate) directory: PathBuf,
    /// What `~` means.
    pub(crate) home: PathBuf,
    /// Files of age identities.
    pub(crate) identities: Vec<PathBuf>,
}

impl Finder {
    /// The value of a secret that pallet.toml refers to.
    pub(crate) fn find(&self, reference: &Reference) -> anyhow::Result<Secret> {
        let text = match reference {
            Reference::Env(name) => Surroundings::variable(name)
                .with_context(|| format!("the environment variable {name} that pallet.toml refers to is not set"))?,
            Reference::File(path) => {
                let path = self.directory.join(expand(path, &self.home));
                std::fs::read_to_string(&path).with_context(|| format!("cannot read the secret {}", path.display()))?
            }
            Reference::Command(command) => {
                let output = Command::new("sh").args(["-c", command]).current_dir(&self.directory).stderr(Stdio::inherit()).output();
                let output = output.with_context(|| format!("cannot run the command {command:?} that should print a secret"))?;
                ensure!(output.status.success(), "the command {command:?} that should print a secret failed: {}", output.status);
                // the error of the conversion would hold the secret
                String::from_utf8(output.stdout).ok().with_context(|| format!("what the command {command:?} printed is no text"))?
            }
            Reference::Age(path) => self.decrypt(&self.directory.join(expand(path, &self.home)))?,
        };
        Ok(Secret::new(text.trim_end_matches(['\r', '\n'])))
    }

    fn decrypt(&self, path: &Path) -> anyhow::Result<String> {
        let shown = path.display();
        let file = std::fs::File::open(path).with_context(|| format!("cannot read the secret {shown}"))?;
        let (mut keys, mut read) = (Vec::new(), Vec::new());
        for identities in &self.identities {
            let identities = self.directory.join(expand(identities, &self.home));
            if !identities.exists() {
                continue;
            }
            let name = identities.display().to_string();
            let file = age::IdentityFile::from_file(name.clone()).with_context(|| format!("cannot read the age identities {name}"))?;
            keys.extend(file.into_identities().map_err(|error| anyhow!("cannot read the age identities {name}: {error}"))?);
            read.push(name);
        }
        ensure!(
            !keys.is_empty(),
            "there is no age identity to decrypt {shown} with: name its file in age_identities in pallet.toml, or put it at {}",
            self.identities.first().map(|path| path.display().to_string()).unwrap_or_default()
        );
        let decryptor = age::Decryptor::new(age::armor::ArmoredReader::new(file));
        let decryptor = decryptor.map_err(|error| anyhow!("{shown} is not a file that is encrypted with age: {error}"))?;
        let reader = decryptor.decrypt(keys.iter().map(|key| key.as_ref() as &dyn age::Identity));
        let mut reader = reader.map_err(|error| anyhow!("cannot decrypt {shown} with the identities of {}: {error}", read.join(", ")))?;
        let mut text = String::new();
        reader.read_to_string(&mut text).with_context(|| format!("the secret in {shown} is damaged or no text"))?;
        Ok(text)
    }
}
