//! The nodes that a command is for, from its words and options.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, bail};
use pallet_core::engine::{Ending, Event, JournalFile, Kind, Only, Pattern, Selection};

use super::newest::newest;
use crate::context::{Context, ProjectWithPlugins};
use crate::diagnostic::Diagnostics;
use crate::output::history::short_id;
use crate::project::star::matching;
use crate::verbs::SelectionOptions;

/// The nodes that these words mean, within the options. A word `@FILE` stands for the lines of a
/// file. `before`: the nodes of the operation that is resumed, whatever the words mean now.
pub(crate) fn selection(
    context: &Context,
    loaded: &ProjectWithPlugins,
    words: &[String],
    options: &SelectionOptions,
    before: Option<Only>,
) -> anyhow::Result<Selection> {
    let (only, sample, matching) = match before.filter(|before| !before.names.is_empty()) {
        Some(before) => (Some(before), None, None),
        None => (
            options.failed.then(|| failed(context, loaded)).transpose()?,
            options.sample.map(|sample| sample as usize),
            options.matching.as_deref().map(matching).transpose().map_err(Diagnostics::from)?,
        ),
    };
    let (words, limit) = (patterns(words)?, patterns(&options.limit)?);
    Ok(Selection { words, limit, only, matching, sample })
}

/// Reads names and patterns, which may be separated by commas; `@FILE` stands for the lines of a
/// file.
fn patterns(words: &[String]) -> anyhow::Result<Vec<Pattern>> {
    let mut patterns = Vec::new();
    for word in words {
        match word.strip_prefix('@') {
            None => {
                for name in word.split(',') {
                    patterns.push(Pattern::parse(name)?);
                }
            }
            Some("") => bail!("@ is followed by the name of a file, as in @nodes.txt"),
            Some(file) => patterns.extend(lines(Path::new(file))?),
        }
    }
    Ok(patterns)
}

/// The patterns in a file, one in each line; `#` begins a comment.
fn lines(file: &Path) -> anyhow::Result<Vec<Pattern>> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("cannot read the names of nodes in {}", file.display()))?;
    let mut patterns = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let word = line.split('#').next().unwrap_or_default().trim();
        if word.is_empty() {
            continue;
        }
        let place = || format!("{}:{}", file.display(), number + 1);
        patterns.push(Pattern::parse(word).with_context(place)?);
    }
    // no line must not mean every node
    if patterns.is_empty() {
        bail!("{} names no node", file.display());
    }
    Ok(patterns)
}

/// The nodes that failed in the last operation of the project, or were not reached.
fn failed(context: &Context, loaded: &ProjectWithPlugins) -> anyhow::Result<Only> {
    let (journals, here) =
        (context.journals(&loaded.project), Context::journal_project(&loaded.project));
    // commands and copies that succeeded look into what has failed
    let latest =
        newest(&journals, &here, "name the nodes instead of --failed", |operation, it| {
            let looked = it.ending == Ending::Succeeded
                && matches!(journals.read(operation)?.kind(), Some(Kind::Run | Kind::Copy));
            Ok(!looked)
        })?;
    let Some(operation) = latest else {
        bail!("--failed: there is no operation of this project in the journal");
    };
    let journal = journals.read(&operation)?;
    if journal.ending(&context.env.machine) == Ending::Running {
        bail!("--failed: the last operation, {}, is still running", short_id(&operation));
    }
    let names = failed_in(&journal);
    let command = journal.header.command.join(" ");
    let what = format!("failed in `{command}` ({})", short_id(&operation));
    if names.is_empty() {
        bail!("--failed: no node {what}");
    }
    Ok(Only { names, what })
}

fn failed_in(journal: &JournalFile) -> BTreeSet<String> {
    match journal.kind() {
        Some(Kind::Run) => {
            let nodes = journal.run_outcome().nodes.into_iter();
            nodes.filter(|node| node.exit != Some(0)).map(|node| node.node).collect()
        }
        Some(Kind::Copy) => {
            let nodes = journal.copy_outcome().nodes.into_iter();
            nodes.filter(|node| node.error.is_some()).map(|node| node.node).collect()
        }
        _ => {
            // what was killed has no results, but tells which nodes are done
            let mut failed: BTreeSet<String> = BTreeSet::new();
            for record in &journal.records {
                match &record.event {
                    Event::Started { nodes, .. } => failed.extend(nodes.iter().cloned()),
                    Event::NodeFinished { node, result, .. } if result.ok() => {
                        failed.remove(node);
                    }
                    Event::NodeFinished { node, .. } => {
                        failed.insert(node.clone());
                    }
                    Event::NodeDone { node, .. } => {
                        failed.remove(node);
                    }
                    _ => {}
                }
            }
            failed
        }
    }
}
