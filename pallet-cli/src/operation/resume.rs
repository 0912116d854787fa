//! Goes on with an operation that did not get to its end.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use pallet_core::engine::{Confirmed, Ending, Journals, Resume};
use serde::de::DeserializeOwned;

use crate::context::{Context, ProjectWithPlugins};
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
        Some(id) => journals.find(id)?,
        None => latest(&journals, &here, verb)?.with_context(|| {
            format!("there is no {verb} of this project in the journal to resume")
        })?,
    };
    let summary = journals.summary(&operation)?;
    let (header, short) = (&summary.header, &operation[operation.len().saturating_sub(12)..]);
    if header.directory != here {
        bail!("operation {short} is of another project, in {}; resume it there", header.directory);
    }
    if header.asked["verb"].as_str() != Some(verb) {
        let command = header.command.join(" ");
        bail!("operation {short} is not a {verb}: `{command}`; resume it with the same command");
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
        bail!(
            "{verb} {short} cannot be resumed: changed since: {}; run a new {verb}, or resume it \
             with --resume-anyway",
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
    for operation in journals.operations()? {
        // one that cannot be read is not the one
        let Ok(summary) = journals.summary(&operation) else { continue };
        let header = summary.header;
        if header.directory == here && header.asked["verb"].as_str() == Some(verb) {
            return Ok(Some(operation));
        }
    }
    Ok(None)
}

fn resume_of(operation: String, mut confirmed: Confirmed, anyway: bool) -> Resume {
    let actions = std::mem::take(&mut confirmed.begun).into_iter().map(|(node, id)| {
        let actions = confirmed.actions.remove(&node).unwrap_or_default();
        let triple = actions.into_iter().map(|one| (one.phase, one.action, one.subject));
        (id, triple.collect())
    });
    Resume {
        operation,
        actions: actions.collect(),
        done: confirmed.nodes.into_iter().map(|(id, node)| (id, node.address)).collect(),
        destroyed: confirmed.destroyed,
        files: confirmed.files,
        anyway,
    }
}
