//! Secrets in files that are encrypted with age.

use std::path::PathBuf;

use anyhow::Context;

use super::found::{Found, open_file};
use super::source::{SecretFinder, Source};

/// A file that is encrypted with age.
pub(super) struct AgeFile<'a> {
    pub(super) finder: &'a SecretFinder,
    pub(super) path: PathBuf,
}

impl Source for AgeFile<'_> {
    fn shown(&self) -> String {
        format!("the secret in {}", self.path.display())
    }

    #[cfg(not(feature = "age"))]
    fn look_up(&self) -> anyhow::Result<Found> {
        let _ = &self.finder.identities;
        anyhow::bail!("cannot decrypt {}: {}", self.shown(), super::source::absent("age"))
    }

    #[cfg(feature = "age")]
    fn look_up(&self) -> anyhow::Result<Found> {
        decrypted::text(self.finder, &self.path).map(Found::text)
    }

    fn check(&self) -> anyhow::Result<()> {
        open_file(&self.path)
            .map(drop)
            .with_context(|| format!("cannot read the secret {}", self.path.display()))
    }
}

#[cfg(feature = "age")]
mod decrypted {
    use std::path::Path;

    use anyhow::{Context, anyhow, ensure};

    use super::super::found::{open_file, text_of};
    use super::super::source::SecretFinder;

    pub(super) fn text(finder: &SecretFinder, path: &Path) -> anyhow::Result<String> {
        let shown = path.display();
        let file = open_file(path).with_context(|| format!("cannot read the secret {shown}"))?;
        let (mut keys, mut read) = (Vec::new(), Vec::new());
        for identities in &finder.identities {
            let identities = finder.path(identities);
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
            finder.identities.first().map(|path| path.display().to_string()).unwrap_or_default()
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
