//! Runs an operation for a command: reports progress, and stops it on Ctrl-C.

use std::process::ExitCode;
use std::time::Duration;

use pallet_core::engine::{Engine, EngineConfig, EngineError, Outcome};

use super::reporter::Reporter;
use super::runtime::{exit_code, runtime};
use crate::context::{Asked, Context, ProjectWithPlugins};
use crate::process::{SOME_NODE_FAILED, exit_now, on_signal, with_deadline};

/// Runs an operation, reports its progress, and stops it on Ctrl-C or after the time limit.
pub(crate) fn run<F>(
    context: &Context,
    loaded: &ProjectWithPlugins,
    asked: Option<Asked>,
    time_limit: Option<Duration>,
    operation: impl FnOnce(Engine) -> F,
) -> anyhow::Result<ExitCode>
where
    F: Future<Output = Result<Option<Outcome>, EngineError>>,
{
    let mut overdue = None;
    let verb = asked.as_ref().and_then(Asked::resumable);
    let (outcome, reporter) = drive(context, loaded, asked, |engine| {
        let engine = engine.with(EngineConfig { time_limit, ..engine.config().clone() });
        overdue = Some(engine.clone());
        operation(engine)
    })?;
    let Some(outcome) = outcome else {
        reporter.tell_others();
        return Ok(ExitCode::SUCCESS);
    };
    reporter.end(&outcome);
    if let Some(verb) = verb.filter(|_| outcome.cancelled || outcome.not_reached() > 0) {
        reporter.say(&format!("`pallet-cli {verb} --resume` does the rest"));
    }
    reporter.tell_others();
    // a timeout is a failure, not an interrupt
    let overdue = overdue.is_some_and(|engine| engine.is_overdue());
    Ok(ExitCode::from(if overdue { SOME_NODE_FAILED } else { exit_code(&outcome) }))
}

/// Runs a future with an engine that reports to the printer, and stops it on Ctrl-C. With `asked`,
/// the operation is written to the journal.
pub(crate) fn drive<T, F>(
    context: &Context,
    loaded: &ProjectWithPlugins,
    asked: Option<Asked>,
    operation: impl FnOnce(Engine) -> F,
) -> anyhow::Result<(T, Reporter)>
where
    F: Future<Output = Result<T, EngineError>>,
{
    let mut engine = context.engine(loaded)?;
    let mut journal = None;
    if let Some(asked) = asked {
        context.prune_journals(&loaded.project);
        let (with_journal, written) = context.journaled(&engine, loaded, asked);
        written.prepare()?;
        (engine, journal) = (with_journal, Some(written));
    }
    let (reporter, engine) = Reporter::begin(context, loaded, &engine);
    let cancel = engine.cancel.clone();
    let runtime = runtime()?;
    let (interrupted, mut struck) = (reporter.clone(), false);
    let heard = on_signal(move |_| {
        let reporter = interrupted.clone();
        if std::mem::replace(&mut struck, true) {
            exit_now(move || reporter.abandon());
        }
        // printed before the operation can end
        with_deadline(move || reporter.stopping("to quit immediately"));
        cancel.cancel();
    })?;
    let outcome = runtime.block_on(operation(engine));
    runtime.shutdown_background();
    drop(heard);
    if outcome.is_err() {
        reporter.tell_others();
    }
    let outcome = outcome?;
    context.warn_of_lost_records(journal.as_deref());
    Ok((outcome, reporter))
}
