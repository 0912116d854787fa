//! `pallet-cli history`

use std::process::ExitCode;

use anyhow::bail;
use clap::Subcommand;
use pallet_core::engine::{JournalError, JournalFile, JournalSummary, Journals};
use serde_json::{Value, json};

use crate::context::Context;
use crate::diagnostic::did_you_mean_or_list;
use crate::output::history;
use crate::project::LoadedProject;

/// List past operations: when, who, what, and how they ended; or show one, or compare two
///
/// Every converge, lift, down, run and cp writes a journal. Dry runs and operations with
/// --no-journal do not.
#[derive(Debug, clap::Args)]
pub(crate) struct History {
    /// Include operations of projects with the same name in other directories
    #[arg(long)]
    all: bool,
    #[command(subcommand)]
    what: Option<Subcommands>,
}

#[derive(Debug, Subcommand)]
enum Subcommands {
    /// Show what an operation did: waves, changes, failures with their errors
    Show {
        /// ID of the operation, or at least 4 characters of its beginning or end [default: the
        /// latest]
        id: Option<String>,
        /// Show everything about this node, with its output
        #[arg(long, value_name = "NODE")]
        node: Option<String>,
    },
    /// Compare two operations: the changes and results that only one of them has, node by node
    Diff {
        /// ID of the first operation, or a part of it
        first: String,
        /// ID of the second operation, or a part of it
        second: String,
    },
}

impl History {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let project = LoadedProject::configured(&context.directory(), &context.load_options()?)?;
        let journals = context.journals(&project);
        let own = (!self.all).then(|| Context::journal_project(&project));
        match self.what {
            None => list(context, &journals, own.as_deref())?,
            Some(Subcommands::Show { id, node }) => {
                let operation = context.find_operation(&project, id.as_deref(), self.all)?;
                let journal = context.read_journal(&journals, &operation)?;
                show(context, &journal, node.as_deref())?;
            }
            Some(Subcommands::Diff { first, second }) => {
                let [first, second] = [journals.find(&first)?, journals.find(&second)?];
                if first == second {
                    bail!("both are operation {first}; name two");
                }
                let first = context.read_journal(&journals, &first)?;
                let second = context.read_journal(&journals, &second)?;
                let comparison = first.compare(&second);
                match context.printer.json() {
                    true => context.printer.value(&serde_json::to_value(&comparison)?),
                    false => {
                        context.printer.text(&history::comparison(&context.printer, &comparison))
                    }
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Lists the operations of the project in a directory, or all of them, newest first.
fn list(context: &Context, journals: &Journals, own: Option<&str>) -> anyhow::Result<()> {
    let is_own = |read: &Result<JournalSummary, JournalError>| match read {
        Ok(summary) => own.is_none_or(|own| summary.header.directory == own),
        // nothing tells whose it is
        Err(_) => true,
    };
    let operations = journals.operations()?;
    let entries: Vec<_> = operations
        .into_iter()
        .map(|operation| (journals.summary(&operation), operation))
        // another process may have removed it meanwhile
        .filter(|(read, operation)| read.is_ok() || journals.path(operation).exists())
        .filter(|(read, _)| is_own(read))
        .collect();
    let printer = &context.printer;
    if printer.json() {
        let value = |(read, operation): &(Result<JournalSummary, JournalError>, String)| match read
        {
            Ok(summary) => summarized(operation, summary),
            Err(error) => json!({
                "operation": operation,
                "time": history::time(operation),
                "error": error.to_string(),
            }),
        };
        printer.value(&entries.iter().map(value).collect());
    } else if entries.is_empty() {
        printer.line("no operations yet");
    } else {
        printer.text(&history::list(&entries));
    }
    Ok(())
}

/// An operation in a list.
fn summarized(operation: &str, summary: &JournalSummary) -> Value {
    let header = &summary.header;
    json!({
        "operation": operation,
        "time": history::time(operation),
        "user": header.user,
        "host": header.host,
        "process": header.process,
        "project": header.project,
        "directory": header.directory,
        "service": header.service,
        "command": header.command,
        "resumes": header.resumes,
        "ending": summary.ending,
        "totals": summary.finished.as_ref().map(|(totals, _)| totals),
        "seconds": summary.finished.as_ref().map(|(_, seconds)| seconds),
    })
}

/// Shows an operation, or what concerns one node of it.
fn show(context: &Context, journal: &JournalFile, node: Option<&str>) -> anyhow::Result<()> {
    let printer = &context.printer;
    if let Some(node) = node
        && journal.about(node).next().is_none()
    {
        let nodes = journal.nodes();
        let names: Vec<&str> = nodes.iter().map(String::as_str).collect();
        let help = did_you_mean_or_list(node, &names, "it is about").unwrap_or_default();
        bail!("operation {} has nothing about node {node}; {help}", journal.header.operation);
    }
    let ending = journal.ending(&context.env.machine);
    if printer.json() {
        let records: Vec<_> = match node {
            Some(node) => journal.about(node).collect(),
            None => journal.records.iter().collect(),
        };
        printer.value(&json!({
            "header": journal.header, "ending": ending, "records": records,
        }));
        return Ok(());
    }
    printer.text(&history::heading(printer, journal, ending));
    match node {
        Some(node) => history::node(printer, journal, node),
        None => history::operation(printer, journal),
    }
    Ok(())
}
