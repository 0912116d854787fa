//! The context of every command.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use pallet_core::model::Environment;
use pallet_core::plugins::Registry;
use serde_json::Value;

use super::messages::ProviderMessages;
use super::options::GlobalOptions;
use super::secrets::SecretCache;
use crate::output::Printer;
use crate::process::ProcessEnv;
use crate::project::{LoadOptions, LoadedProject};

/// The context of every command.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) global: GlobalOptions,
    pub(crate) printer: Printer,
    pub(crate) env: ProcessEnv,
    /// Receives the progress messages of providers.
    pub(crate) messages: ProviderMessages,
    /// The secrets that were looked up.
    pub(crate) secrets: SecretCache,
}

/// A project, and the plugins that it uses.
pub(crate) struct ProjectWithPlugins {
    pub(crate) project: LoadedProject,
    pub(crate) registry: Arc<Registry>,
}

impl Context {
    /// The project's directory: the one that the user named, or the nearest one with a pallet.toml,
    /// from the current directory upwards.
    pub(crate) fn directory(&self) -> PathBuf {
        if let Some(directory) = &self.global.directory {
            return directory.clone();
        }
        let here = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
        here.ancestors()
            .find(|directory| directory.join("pallet.toml").is_file())
            .unwrap_or(&here)
            .to_owned()
    }

    /// The environment values of the command line.
    fn environment(&self) -> anyhow::Result<Environment> {
        let mut environment = Environment::new();
        for word in &self.global.environment {
            let (key, value) = word
                .split_once('=')
                .with_context(|| format!("--env {word}: write it as KEY=VALUE"))?;
            if key.is_empty() {
                bail!("--env {word}: the key is empty");
            }
            let value =
                serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
            environment.insert(key.to_owned(), value);
        }
        Ok(environment)
    }

    /// The options for loading a project here. Output of its files is dropped.
    pub(crate) fn load_options(&self) -> anyhow::Result<LoadOptions> {
        Ok(LoadOptions {
            user_config: Some(self.env.configuration.join("config.toml")),
            home: Some(self.env.home.clone()),
            service: self.global.service.clone(),
            stage: self.global.stage.clone(),
            environment_override: self.environment()?,
            ..LoadOptions::default()
        })
    }
}
