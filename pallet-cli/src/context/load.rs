//! Loads the project: all of it, or only what a command on nodes needs.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use pallet_core::local::remove_leftovers;
use pallet_core::plugins::Registry;

use super::base::{Context, ProjectWithPlugins};
use super::plugins::{InstalledCrates, check_plugins};
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::process::processor_time;
use crate::project::{Limits, LoadOptions, LoadedProject, MAIN};

/// Timeout of evaluating pallet.star for commands that do not need it.
const READING: Duration = Duration::from_secs(3);

impl Context {
    /// Loads the project.
    pub(crate) fn load(&self, registry: Arc<Registry>) -> anyhow::Result<ProjectWithPlugins> {
        let options = LoadOptions {
            colour: self.printer.colour(),
            print: Some(Arc::new({
                let printer = self.printer.clone();
                move |line| printer.said(line)
            })),
            ..self.load_options()?
        };
        remove_leftovers(&self.directory());
        let project = load_in_time(self.directory(), registry.clone(), options)?;
        self.printer.diagnostics(&project.warnings);
        check_plugins(&project, &registry)?;
        Ok(ProjectWithPlugins { project, registry })
    }

    /// Loads the project for a command that needs only pallet.toml. Errors in pallet.star or in its
    /// plugins do not block such a command: groups then come from the tags of nodes. With `told`,
    /// the user gets a warning.
    pub(crate) fn load_for_nodes(&self, told: bool) -> anyhow::Result<ProjectWithPlugins> {
        self.load_for_nodes_with(self.registry(false)?, told)
    }

    /// The same with these plugins.
    pub(crate) fn load_for_nodes_with(
        &self,
        registry: Arc<Registry>,
        told: bool,
    ) -> anyhow::Result<ProjectWithPlugins> {
        let options = self.load_options()?;
        let quick = LoadOptions {
            limits: Limits { time: READING },
            colour: self.printer.colour(),
            ..options.clone()
        };
        match load_in_time(self.directory(), registry.clone(), quick) {
            Ok(project) => {
                if told {
                    self.printer.diagnostics(&project.warnings);
                }
                Ok(ProjectWithPlugins { project, registry })
            }
            Err(found) => {
                let project = LoadedProject::configured(&self.directory(), &options)?;
                if told {
                    let first = found.0.iter().find(|one| one.severity == Severity::Error);
                    let place = first
                        .and_then(|one| one.place.as_ref())
                        .map(|place| format!("{place}: "))
                        .unwrap_or_default();
                    let why = first.map(Diagnostic::one_line).unwrap_or_default();
                    self.printer.warning(&format!(
                        "{MAIN} cannot be loaded; groups are taken from node tags, and phases are \
                         unavailable: {place}{why}"
                    ));
                }
                Ok(ProjectWithPlugins { project, registry })
            }
        }
    }
}

/// Loads a project, and fails if that takes twice the time limit of an evaluation. Starlark checks
/// its limits only between the steps of an evaluation, and a single step can build a value of any
/// size. What counts is the time that this process computes: on a busy machine it also waits.
fn load_in_time(
    directory: PathBuf,
    registry: Arc<Registry>,
    options: LoadOptions,
) -> Result<LoadedProject, Diagnostics> {
    let (sender, loaded) = channel();
    let limit = options.limits.time * 2;
    let loading = std::thread::Builder::new().name("loading".to_owned()).spawn(move || {
        // fails only if nobody waits any more
        let _ = sender.send(LoadedProject::load(&directory, &InstalledCrates(registry), options));
    });
    loading.map_err(|error| {
        Diagnostic::error(format!("cannot start a thread to load the project: {error}"))
    })?;
    let (begun, computed) = (Instant::now(), processor_time::of_process());
    loop {
        match loaded.recv_timeout(limit / 100) {
            Ok(loaded) => return loaded,
            Err(RecvTimeoutError::Timeout)
                if processor_time::of_process() - computed < limit
                    && begun.elapsed() < limit * 5 => {}
            Err(_) => break,
        }
    }
    let message = format!("{MAIN} was not evaluated within {limit:?}");
    Err(Diagnostic::error(message).suggest("does it build a very large value?".to_owned()).into())
}
