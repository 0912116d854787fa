//! Runs an operation for a command: reports progress, and stops it on Ctrl-C.

use std::process::ExitCode;
use std::time::Duration;

use pallet_core::engine::{Engine, EngineConfig, EngineError, NodeResult, Outcome};

use super::reporter::Reporter;
use super::runtime::{exit_code, has_changes, runtime};
use crate::context::{Asked, Context, ProjectWithPlugins};
use crate::output::history::short_id;
use crate::output::whole_output;
use crate::process::{
    CHANGES, Failure, SOME_NODE_FAILED, USAGE, exit_now, on_signal, with_deadline,
};
use crate::verbs::OperationOptions;

/// When an operation ends, and with which exit code.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Ending {
    pub(crate) time_limit: Option<Duration>,
    /// Whether the exit code tells that a dry run found changes.
    pub(crate) detailed: bool,
}

impl Ending {
    /// What the options of an operation say.
    pub(crate) fn of(options: &OperationOptions) -> Self {
        let time_limit = options.timeout.map(|seconds| Duration::from_secs(seconds.into()));
        Ending { time_limit, detailed: options.detailed_exitcode }
    }
}

/// Runs an operation, reports its progress, and stops it on Ctrl-C or after the time limit.
pub(crate) fn run<F>(
    context: &Context,
    loaded: &ProjectWithPlugins,
    asked: Option<Asked>,
    ending: Ending,
    operation: impl FnOnce(Engine) -> F,
) -> anyhow::Result<ExitCode>
where
    F: Future<Output = Result<Option<Outcome>, EngineError>>,
{
    let mut overdue = None;
    let (verb, journaled) = (asked.as_ref().and_then(Asked::resumable), asked.is_some());
    let (outcome, reporter) = drive(context, loaded, asked, |engine| {
        let time_limit = ending.time_limit;
        let engine = engine.with(EngineConfig { time_limit, ..engine.config().clone() });
        overdue = Some(engine.clone());
        operation(engine)
    })?;
    let Some(outcome) = outcome else {
        reporter.tell_others();
        // Ctrl-C is not the answer `no`
        return match overdue.filter(|engine| engine.cancel.is_cancelled()) {
            Some(engine) if engine.is_overdue() => Ok(ExitCode::from(SOME_NODE_FAILED)),
            Some(_) => Err(Failure::interrupted().into()),
            // what was asked for did not happen
            None => Ok(ExitCode::from(USAGE)),
        };
    };
    reporter.end(&outcome);
    let mut failed =
        outcome.nodes.iter().filter(|node| matches!(node.result, NodeResult::Failed { .. }));
    let operation = reporter.operation().map(short_id).filter(|_| journaled);
    if let (Some(first), Some(operation)) = (failed.next(), operation) {
        let command = context.again(&format!("history show {operation} --node {}", first.node));
        reporter.say(&whole_output(&command, failed.next().is_none()));
    }
    let is_partial = outcome.cancelled || outcome.not_reached() > 0;
    if let (Some(verb), Some(operation)) = (verb.filter(|_| is_partial), operation) {
        let command = context.again(&format!("{verb} --resume {operation}"));
        let same =
            if context.global.environment.is_empty() { "" } else { ", with the same --env," };
        reporter.say(&format!("`{command}`{same} does the rest"));
    }
    reporter.tell_others();
    // a timeout is a failure, not an interrupt
    let overdue = overdue.is_some_and(|engine| engine.is_overdue());
    let code = match exit_code(&outcome) {
        _ if overdue => SOME_NODE_FAILED,
        0 if ending.detailed && has_changes(&outcome) => CHANGES,
        code => code,
    };
    Ok(ExitCode::from(code))
}

/// Asks nodes something that is no operation: nothing is reported or written. Ctrl-C stops it.
pub(crate) fn ask<T, F>(
    context: &Context,
    loaded: &ProjectWithPlugins,
    question: impl FnOnce(Engine) -> F,
) -> anyhow::Result<T>
where
    F: Future<Output = Result<T, EngineError>>,
{
    let engine = context.engine(loaded)?;
    let cancel = engine.cancel.clone();
    let heard = on_signal(move |_| match cancel.is_cancelled() {
        true => exit_now(|| ()),
        false => cancel.cancel(),
    })?;
    let runtime = runtime()?;
    let answer = runtime.block_on(question(engine.clone()));
    runtime.shutdown_background();
    drop(heard);
    if engine.cancel.is_cancelled() {
        return Err(Failure::interrupted().into());
    }
    Ok(answer?)
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
    if let Some((stage, _)) = &loaded.project.stage {
        let service = loaded.project.config.service(context.global.service.as_deref());
        let service = service.map(|(name, _)| name).unwrap_or_default();
        context.printer.status(&format!("stage {stage}, service {service}"));
    }
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
    let (interrupted, mut times) = (reporter.clone(), 0);
    let heard = on_signal(move |_| {
        let reporter = interrupted.clone();
        times += 1;
        match times {
            // printed before the operation can end
            1 => with_deadline(move || reporter.stopping("to see what is being waited for")),
            2 => with_deadline(move || reporter.waiting("to quit immediately")),
            _ => exit_now(move || reporter.abandon()),
        }
        cancel.cancel();
    })?;
    let outcome = runtime.block_on(operation(engine));
    runtime.shutdown_background();
    drop(heard);
    // nobody else needs to know of what was refused and changed nothing
    if outcome.as_ref().is_err_and(|error| reporter.has_changed() || !error.is_refusal()) {
        reporter.tell_others();
    }
    let outcome = outcome?;
    context.warn_of_lost_records(journal.as_deref());
    Ok((outcome, reporter))
}
