//! Passwords: from where pallet.toml says they are, or from the person at the terminal.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use pallet_core::transport::{Prompt, Secret};

use crate::context::expand;
use crate::project::config::Secret as Reference;
use crate::surroundings::Surroundings;

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

/// The value of a credential that pallet.toml refers to.
pub(crate) fn resolve(reference: &Reference, directory: &Path, home: &Path) -> anyhow::Result<Secret> {
    let text = match reference {
        Reference::Env(name) => Surroundings::variable(name)
            .with_context(|| format!("the environment variable {name} that pallet.toml refers to is not set"))?,
        Reference::File(path) => {
            let path = directory.join(expand(path, home));
            std::fs::read_to_string(&path).with_context(|| format!("cannot read the credential {}", path.display()))?
        }
        Reference::Command(command) => {
            let output = Command::new("sh").args(["-c", command]).current_dir(directory).stderr(Stdio::inherit()).output();
            let output = output.with_context(|| format!("cannot run the credential command {command:?}"))?;
            ensure!(output.status.success(), "the credential command {command:?} failed: {}", output.status);
            String::from_utf8(output.stdout).with_context(|| format!("the credential command {command:?} did not print text"))?
        }
    };
    Ok(Secret::new(text.trim_end_matches(['\r', '\n'])))
}
