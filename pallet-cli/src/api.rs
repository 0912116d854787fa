//! A loaded project, for programs.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use pallet_core::engine::{ConvergePlan, Engine, EngineError, GroupSpec, LiftOptions, Outcome};
use pallet_core::model::Environment;

use crate::context::{Context, GlobalOptions, ProjectWithPlugins};
use crate::output::Printer;
use crate::process::{self, ProcessEnv};

/// A project: the `pallet.toml` and `pallet.star` of a directory.
///
/// It is loaded as `pallet-cli` loads it: plugins come from `pallet.lock` or the search path, and
/// the user's configuration and environment variables apply. Nothing is printed, and nobody is
/// asked anything.
pub struct Project {
    context: Context,
    loaded: ProjectWithPlugins,
}

/// How to open a project.
#[derive(Debug, Clone, Default)]
pub struct OpenOptions {
    service: Option<String>,
    environment: Environment,
    plugins: Vec<PathBuf>,
}

/// Why a project cannot be opened or used.
///
/// The text has a line for each error in the project, with its place.
#[derive(Debug)]
pub struct Error(anyhow::Error);

impl OpenOptions {
    /// The default service, and no environment values.
    pub fn new() -> Self {
        Self::default()
    }

    /// Uses this service of `pallet.toml` instead of the default one.
    pub fn service(mut self, name: impl Into<String>) -> Self {
        self.service = Some(name.into());
        self
    }

    /// Sets an environment value, which overrides all other sources.
    pub fn environment(
        mut self,
        key: impl Into<String>,
        value: impl Into<serde_json::Value>,
    ) -> Self {
        self.environment.insert(key.into(), value.into());
        self
    }

    /// Also looks for plugins in this directory, before the search path.
    pub fn plugins(mut self, directory: impl Into<PathBuf>) -> Self {
        self.plugins.push(directory.into());
        self
    }

    /// Opens the project in a directory.
    pub fn open(self, directory: impl AsRef<Path>) -> Result<Project, Error> {
        let global = GlobalOptions {
            directory: Some(PathBuf::from(directory.as_ref())),
            service: self.service,
            environment: self
                .environment
                .into_iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect(),
            ..GlobalOptions::default()
        };
        let mut env = ProcessEnv { interactive: false, ..ProcessEnv::current() };
        env.plugin_path.splice(0..0, self.plugins);
        let context = Context {
            global,
            printer: Printer::silent(),
            env,
            messages: Default::default(),
            secrets: Default::default(),
        };
        let loaded = context.load(context.registry(false)?)?;
        Ok(Project { context, loaded })
    }
}

impl Project {
    /// Opens the project in a directory.
    pub fn open(directory: impl AsRef<Path>) -> Result<Self, Error> {
        OpenOptions::new().open(directory)
    }

    /// The project's name.
    pub fn name(&self) -> &str {
        &self.loaded.project.name
    }

    /// The project's directory.
    pub fn directory(&self) -> &Path {
        &self.loaded.project.directory
    }

    /// All groups in the order of their declaration, including those of clusters.
    pub fn groups(&self) -> &[GroupSpec] {
        &self.loaded.project.groups
    }

    /// The groups with these names. `web=3` overrides a group's count.
    pub fn select(&self, names: &[&str]) -> Result<Vec<GroupSpec>, Error> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        Ok(GroupSpec::choose(self.groups(), &names).map_err(anyhow::Error::from)?)
    }

    /// The clusters, each with the names of its groups.
    pub fn clusters(&self) -> &BTreeMap<String, Vec<String>> {
        &self.loaded.project.clusters
    }

    /// The project's warnings, one text each.
    pub fn warnings(&self) -> Vec<String> {
        self.loaded.project.warnings.0.iter().map(ToString::to_string).collect()
    }

    /// An engine for the project's service, configured by `pallet.toml`. `Engine::on_event` returns
    /// one that reports events, `Engine::with` one with another configuration.
    pub fn engine(&self) -> Result<Engine, Error> {
        Ok(self.context.engine(&self.loaded)?)
    }

    /// Configures the nodes of groups. The outcome lists failed nodes; they are not an error.
    pub async fn lift(
        &self,
        groups: &[GroupSpec],
        options: &LiftOptions,
    ) -> Result<Outcome, Error> {
        Ok(self.engine()?.lift(groups, options).await.map_err(anyhow::Error::from)?)
    }

    /// Creates or destroys nodes to match the counts of groups, and configures them, if `agree`
    /// accepts the plan. Returns `None` if it does not.
    pub async fn converge(
        &self,
        groups: &[GroupSpec],
        options: &LiftOptions,
        agree: impl FnOnce(&mut ConvergePlan) -> Result<bool, EngineError> + Send,
    ) -> Result<Option<Outcome>, Error> {
        let done = self.engine()?.converge(groups, options, agree).await;
        Ok(done.map_err(anyhow::Error::from)?)
    }
}

impl fmt::Debug for Project {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.loaded.project.fmt(f)
    }
}

impl Error {
    /// The exit code of `pallet-cli` for this error.
    pub fn exit_code(&self) -> u8 {
        process::exit_code(&self.0)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.0)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

impl From<anyhow::Error> for Error {
    fn from(error: anyhow::Error) -> Self {
        Error(error)
    }
}
