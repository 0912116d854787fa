//! `pallet-cli plan`

use std::cell::OnceCell;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::bail;
use clap::ValueEnum;
use pallet_core::engine::{
    ConvergePlan, Engine, Event, LiftOptions, Outcome, PlannedChange, Record,
};

use crate::context::{Context, ProjectWithPlugins};
use crate::operation::{Ending, JunitFile, groups, lift_options, run, selection};
use crate::output::OutputFormat;
use crate::output::markdown::PlanReport;
use crate::verbs::{JunitOptions, OperationOptions, SelectionOptions};

/// Show what a lift or a converge would change, also as a comment or a report for CI
///
/// It changes nothing. Without --converge it plans what `lift` does with the nodes that exist; with
/// it, also which nodes `converge` would create and destroy.
#[derive(Debug, clap::Args)]
#[command(mut_arg("dry_run", |arg| arg.hide(true)))]
#[command(mut_arg("no_journal", |arg| arg.hide(true)))]
#[command(mut_arg("waves", |arg| arg.hide(true)))]
#[command(mut_arg("max_failures", |arg| arg.hide(true)))]
#[command(mut_arg("confirm_waves", |arg| arg.hide(true)))]
pub(crate) struct Plan {
    /// Only these nodes: names of nodes, groups and roles, patterns such as `web-*` and
    /// `web-[1:9]`, `!web-3` to leave a node out, `@FILE` for the lines of a file; with --converge,
    /// groups, each optionally with another count: `web=3`
    #[arg(value_name = "NODES")]
    names: Vec<String>,
    /// Plan a converge: also nodes that would be created and destroyed
    #[arg(long)]
    converge: bool,
    /// Format of the plan
    #[arg(long, value_enum, default_value_t = PlanFormat::Text)]
    format: PlanFormat,
    /// Cut the markdown to this many characters
    #[arg(
        long, value_name = "CHARACTERS", default_value_t = 65_536,
        value_parser = clap::value_parser!(u32).range(2_000..)
    )]
    max_length: u32,
    #[command(flatten)]
    selection: SelectionOptions,
    #[command(flatten)]
    options: OperationOptions,
    #[command(flatten)]
    junit: JunitOptions,
}

/// The format of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PlanFormat {
    /// Human-readable text
    Text,
    /// Markdown for a comment on a pull request: a summary, and a section for equal changes
    Markdown,
    /// JSON: one event per line, as with `--output json`
    Json,
    /// JUnit XML: a test suite per node, a test case per action
    Junit,
}

/// What an operation tells of its plan.
#[derive(Default)]
struct Told {
    changes: Vec<PlannedChange>,
    warnings: Vec<(Option<String>, String)>,
}

impl Plan {
    pub(crate) fn run(mut self, context: &Context) -> anyhow::Result<ExitCode> {
        if context.printer.json() && !matches!(self.format, PlanFormat::Text | PlanFormat::Json) {
            bail!("--output json and --format exclude each other: drop one of them");
        }
        self.options.dry_run = true;
        let junit = JunitFile::of(&self.junit, false)?;
        let result = self.plan(context, &junit);
        if self.format == PlanFormat::Junit && result.is_ok() {
            context.printer.raw(junit.xml().as_bytes());
        }
        junit.write(result)
    }

    fn plan(&self, context: &Context, junit: &JunitFile) -> anyhow::Result<ExitCode> {
        let printer = match self.format {
            PlanFormat::Text => context.printer.clone(),
            PlanFormat::Json => context.printer.with_format(OutputFormat::Json),
            // the result alone is on stdout
            PlanFormat::Markdown | PlanFormat::Junit => context.printer.without_result(),
        };
        let quiet = Context { printer, ..context.clone() };
        let loaded = quiet.load(quiet.registry(false)?)?;
        let words = if self.converge { &[] } else { self.names.as_slice() };
        if let Some(word) = words.iter().find(|word| word.contains('=')) {
            bail!("{word}: a count is for a converge; use `plan --converge {word}`");
        }
        let counts = if self.converge { self.names.as_slice() } else { &[] };
        let groups = groups(&loaded, counts)?;
        let selection = selection(&quiet, &loaded, words, &self.selection, None)?;
        let options = LiftOptions { selection, ..lift_options(&self.options, &loaded)? };
        let told = Arc::new(Mutex::new(Told::default()));
        let planned = OnceCell::new();
        let code = run(&quiet, &loaded, None, Ending::of(&self.options), async |engine| {
            let engine = listen(&junit.listen(&engine), &told);
            let outcome = match self.converge {
                true => {
                    let agree = |_: &mut ConvergePlan| Ok(true);
                    engine.converge(&groups, &options, agree).await?
                }
                false => Some(engine.lift(&groups, &options).await?),
            };
            let _ = planned.set(outcome.clone().unwrap_or_default());
            Ok(outcome)
        })?;
        if self.format == PlanFormat::Markdown {
            let told = told.lock().unwrap_or_else(PoisonError::into_inner);
            let outcome = planned.into_inner().unwrap_or_default();
            context.printer.raw(self.markdown(&loaded, &outcome, &told).as_bytes());
        }
        Ok(code)
    }

    fn markdown(&self, loaded: &ProjectWithPlugins, outcome: &Outcome, told: &Told) -> String {
        let report = PlanReport {
            project: &loaded.project.name,
            verb: if self.converge { "converge" } else { "lift" },
            outcome,
            changes: &told.changes,
            warnings: &told.warnings,
        };
        report.markdown(self.max_length as usize)
    }
}

/// Collects changes and warnings.
fn listen(engine: &Engine, told: &Arc<Mutex<Told>>) -> Engine {
    let told = told.clone();
    engine.with_sink(move |record: &Record| {
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
        match &record.event {
            Event::Planned(change) | Event::Drift(change) if change.certainty.is_some() => {
                told.changes.push(change.clone());
            }
            Event::Warning { node, message } => told.warnings.push((node.clone(), message.clone())),
            _ => {}
        }
    })
}
