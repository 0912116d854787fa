//! Secrets in environment variables and in files.

use std::path::PathBuf;

use anyhow::Context;

use super::found::{Found, open_file, text_of};
use super::source::Source;
use crate::process::ProcessEnv;

/// An environment variable.
pub(super) struct Variable<'a>(pub(super) &'a str);

impl Source for Variable<'_> {
    fn shown(&self) -> String {
        format!("the environment variable {}", self.0)
    }

    fn look_up(&self) -> anyhow::Result<Found> {
        let name = self.0;
        let value = ProcessEnv::variable(name).with_context(|| {
            format!("the environment variable {name} that pallet.toml refers to is not set")
        })?;
        Ok(Found::text(value))
    }

    fn check(&self) -> anyhow::Result<()> {
        self.look_up().map(drop)
    }
}

/// A file.
pub(super) struct PlainFile(pub(super) PathBuf);

impl Source for PlainFile {
    fn shown(&self) -> String {
        format!("the secret {}", self.0.display())
    }

    fn look_up(&self) -> anyhow::Result<Found> {
        let path = &self.0;
        let what = || format!("cannot read the secret {}", path.display());
        let file = open_file(path).with_context(what)?;
        Ok(Found::text(text_of(file, &self.shown())?))
    }

    fn check(&self) -> anyhow::Result<()> {
        self.look_up().map(drop)
    }
}
