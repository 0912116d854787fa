//! Goes on with an operation that did not get to its end.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use pallet_core::engine::{Confirmed, Ending, Journals, Resume};
use serde::de::DeserializeOwned;

use super::newest::newest;
use crate::context::{Context, ProjectWithPlugins};
use crate::output::history::short_id;
use crate::verbs::ResumeOptions;

/// The arguments of the operation to resume, and what it did; `None` if none is to be resumed.
///
/// It is an error if the project is not the one that the operation was for, or has changed since.
pub(crate) fn resume<A: DeserializeOwned>(
    context: &Context,
    loaded: &ProjectWithPlugins,
    verb: &str,
    options: &ResumeOptions,
) -> anyhow::Result<Option<(A, Arc<Resume>)>> {
    let Some(id) = &options.resume else { return Ok(None) };
    let project = &loaded.project;
    let journals = context.journals(project);
    let here = Context::journal_project(project);
    let operation = match id {
        // what follows `--resume` is its value
        Some(id) if project.groups.iter().any(|group| group.name == *id) => bail!(
            "--resume takes the ID of an operation, and {id} is a group; a resumed operation \
             takes no groups"
        ),
        Some(id) => journals.find(id)?,
        None => latest(&journals, &here, verb)?.with_context(|| {
            format!("there is no {verb} of this project in the journal to resume")
        })?,
    };
    let summary = journals.summary(&operation)?;
    let (header, short) = (&summary.header, short_id(&operation));
    if header.directory != here {
        bail!("operation {short} is of another project, in {}; resume it there", header.directory);
    }
    if header.asked["verb"].as_str() != Some(verb) {
        let command = header.command.join(" ");
        bail!("operation {short} is not a {verb}: `{command}`; resume it with the same command");
    }
    if let Some(later) = successor(&journals, &operation)? {
        bail!("{verb} {short} was already resumed, by {later}; resume that one");
    }
    match summary.ending {
        Ending::Succeeded => bail!("there is nothing to resume: {verb} {short} succeeded"),
        Ending::Running => bail!(
            "{verb} {short} is still running, as process {} on {}; wait until it ends",
            header.process,
            header.host
        ),
        Ending::Failed | Ending::Interrupted | Ending::Unfinished => {}
    }
    let (service, _) = project
        .config
        .service(context.global.service.as_deref())
        .map_err(crate::diagnostic::Diagnostics::from)?;
    if service != header.service {
        bail!(
            "{verb} {short} was for the service {}, not {service}; add --service {}",
            header.service,
            header.service
        );
    }
    let inputs = context.inputs(loaded);
    let names: BTreeSet<&String> = inputs.keys().chain(header.inputs.keys()).collect();
    let differ = |name: &&&String| inputs.get(**name) != header.inputs.get(**name);
    let changed: Vec<_> = names.iter().filter(differ).map(|name| name.as_str()).collect();
    if !changed.is_empty() && !options.resume_anyway {
        let keys = environment_of(&header.command);
        let again = match changed.contains(&"environment") && !keys.is_empty() {
            true => format!("give the same --env again ({}), ", keys.join(", ")),
            false => String::new(),
        };
        bail!(
            "{verb} {short} cannot be resumed: changed since: {}; {again}run a new {verb}, or \
             resume it with --resume-anyway, which goes on with what is there now",
            changed.join(", ")
        );
    }
    let arguments = serde_json::from_value(header.asked.clone())
        .with_context(|| format!("{verb} {short} was written by another version of Pallet"))?;
    let confirmed = journals.confirmed(&operation)?;
    let resume = resume_of(operation, confirmed, options.resume_anyway);
    Ok(Some((arguments, Arc::new(resume))))
}

/// The latest operation of this kind of the project in this directory.
fn latest(journals: &Journals, here: &str, verb: &str) -> anyhow::Result<Option<String>> {
    let otherwise = "it may be what you want to resume; otherwise, name the operation: --resume ID";
    newest(journals, here, otherwise, |_, summary| {
        Ok(summary.header.asked["verb"].as_str() == Some(verb))
    })
}

/// The latest operation that resumed this one.
fn successor(journals: &Journals, operation: &str) -> anyhow::Result<Option<String>> {
    for later in journals.operations()? {
        if later.as_str() <= operation {
            break;
        }
        let Ok(summary) = journals.summary(&later) else { continue };
        if summary.header.resumes.as_deref() == Some(operation) {
            return Ok(Some(later));
        }
    }
    Ok(None)
}

/// The keys that a command set with `--env`.
fn environment_of(command: &[String]) -> Vec<&str> {
    let mut words = command.iter().take_while(|word| *word != "--").map(String::as_str);
    let mut keys = Vec::new();
    while let Some(word) = words.next() {
        let value = match word {
            "--env" => words.next(),
            _ => word.strip_prefix("--env="),
        };
        keys.extend(value.and_then(|value| Some(value.split_once('=')?.0)));
    }
    keys
}

fn resume_of(operation: String, mut confirmed: Confirmed, anyway: bool) -> Resume {
    let begun = std::mem::take(&mut confirmed.begun).into_iter();
    let actions = begun.map(|(node, id)| (id, confirmed.actions.remove(&node).unwrap_or_default()));
    Resume {
        operation,
        actions: actions.collect(),
        // nodes that it made are configured, whatever was selected
        nodes: confirmed.selected.into_iter().chain(confirmed.created).collect(),
        first: confirmed.first,
        done: confirmed.nodes.into_iter().map(|(id, node)| (id, node.address)).collect(),
        destroyed: confirmed.destroyed,
        files: confirmed.files,
        anyway,
    }
}
