//! What converge, lift and down share: options, and the run itself.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use pallet_core::engine::{
    Engine, EngineConfig, EngineError, GroupSpec, LiftOptions, Outcome, PhaseChoice,
};

use crate::context::{Context, Loaded};
use crate::error::SOME_NODE_FAILED;
use crate::operation::{Telling, exit_code, runtime};
use crate::signals::{briefly, hear, leave};

/// Options of every operation that configures nodes.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct OperationOptions {
    /// Run this phase instead of each group's default phases; may be repeated
    #[arg(long = "phase", value_name = "PHASE")]
    phases: Vec<String>,
    /// Run this code as a phase, with `request` in scope: 'package(request, "tree")'
    #[arg(short = 'e', long = "expression", value_name = "CODE")]
    code: Vec<String>,
    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Replace what was changed by hand since Pallet wrote it; else it is reported and kept
    #[arg(long)]
    overwrite_changes: bool,
    /// Work on so many nodes at once
    #[arg(
        long, value_name = "N", default_value_t = 50,
        value_parser = clap::value_parser!(u16).range(1..=10_000)
    )]
    parallel: u16,
    /// Stop the operation when it takes longer; each node that is not done then says what it was at
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    timeout: Option<u32>,
}

impl OperationOptions {
    /// How long the operation may take.
    pub(crate) fn time_limit(&self) -> Option<Duration> {
        self.timeout.map(|seconds| Duration::from_secs(seconds.into()))
    }

    pub(crate) fn dry_run(&self) -> bool {
        self.dry_run
    }

    /// The engine's options; code is checked here, before any node is touched.
    pub(crate) fn lift_options(&self, loaded: &Loaded) -> anyhow::Result<LiftOptions> {
        Ok(LiftOptions {
            phases: phases(loaded, &self.phases, &self.code)?,
            dry_run: self.dry_run,
            parallel: self.parallel.into(),
            overwrite_changes: self.overwrite_changes,
            ..LiftOptions::default()
        })
    }
}

/// The phases of these names, and then those that are given as code.
pub(crate) fn phases(
    loaded: &Loaded,
    names: &[String],
    code: &[String],
) -> anyhow::Result<Vec<PhaseChoice>> {
    let mut phases: Vec<_> = names.iter().cloned().map(PhaseChoice::Named).collect();
    for code in code {
        phases.push(PhaseChoice::Inline(loaded.project.inline(code)?));
    }
    Ok(phases)
}

/// The groups of these names, each with a count if one is given: `web=3`. No names: all groups.
pub(crate) fn groups(loaded: &Loaded, names: &[String]) -> anyhow::Result<Vec<GroupSpec>> {
    let all = &loaded.project.groups;
    if all.is_empty() && !names.iter().any(|name| name.ends_with("=0")) {
        bail!(
            "the project declares no group; declare one with group_spec in {}",
            loaded.project.directory.join("pallet.star").display()
        );
    }
    Ok(GroupSpec::choose(all, names)?)
}

/// Runs an operation on an engine that tells the printer what happens, and stops it at Ctrl-C, or
/// when its time is up.
pub(crate) fn run<F>(
    context: &Context,
    loaded: &Loaded,
    time_limit: Option<Duration>,
    operation: impl FnOnce(Engine) -> F,
) -> anyhow::Result<ExitCode>
where
    F: Future<Output = Result<Option<Outcome>, EngineError>>,
{
    let mut overdue = None;
    let (outcome, telling) = drive(context, loaded, |engine| {
        let engine = engine.with(EngineConfig { time_limit, ..engine.config().clone() });
        overdue = Some(engine.clone());
        operation(engine)
    })?;
    let Some(outcome) = outcome else { return Ok(ExitCode::SUCCESS) };
    telling.end(&outcome);
    // nobody interrupted it
    let overdue = overdue.is_some_and(|engine| engine.is_overdue());
    Ok(ExitCode::from(if overdue { SOME_NODE_FAILED } else { exit_code(&outcome) }))
}

/// Does something with an engine that tells the printer what happens, and stops it at Ctrl-C.
pub(crate) fn drive<T, F>(
    context: &Context,
    loaded: &Loaded,
    operation: impl FnOnce(Engine) -> F,
) -> anyhow::Result<(T, Telling)>
where
    F: Future<Output = Result<T, EngineError>>,
{
    let (telling, engine) = Telling::begin(context, &context.engine(loaded)?);
    let cancel = engine.cancel.clone();
    let runtime = runtime()?;
    let (interrupted, mut struck) = (telling.clone(), false);
    let heard = hear(move |_| {
        let telling = interrupted.clone();
        if std::mem::replace(&mut struck, true) {
            leave(move || telling.abandon());
        }
        // it is said before the operation can be over
        briefly(move || telling.stopping("to leave at once"));
        cancel.cancel();
    })?;
    let outcome = runtime.block_on(operation(engine));
    runtime.shutdown_background();
    drop(heard);
    let outcome = outcome?;
    Ok((outcome, telling))
}
