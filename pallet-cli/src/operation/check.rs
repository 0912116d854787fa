//! Checks a project for all errors that can be found without connecting to a node.

use std::collections::BTreeSet;
use std::time::Duration;

use pallet_core::engine::{Engine, EngineError, Fault, GroupSpec, NodeError, Selection};
use pallet_core::model::{Connection, Node, did_you_mean};
use serde_json::Value;

use super::{runtime, selection};
use crate::context::{Context, ProjectWithPlugins};
use crate::diagnostic::{Diagnostic, Diagnostics, SourceSpan};
use crate::project::LoadedProject;
use crate::project::config::{OnFinish, Service};
use crate::verbs::SelectionOptions;

/// The provider whose nodes are listed in pallet.toml.
const NODE_LIST: &str = "node-list";

/// Timeout for listing a service's nodes and their systems. The check is useful without them, too.
const ASKING: Duration = Duration::from_secs(20);

/// Checks a project: all of its groups, or those of the nodes that are meant. Its warnings are
/// printed; the error contains all of its errors. Returns the groups that were checked.
pub(crate) fn check(
    context: &Context,
    names: &[String],
    options: &SelectionOptions,
) -> anyhow::Result<(ProjectWithPlugins, Vec<GroupSpec>)> {
    let loaded = context.load(context.registry(true)?)?;
    context.check_services(&loaded)?;
    let mut found = Diagnostics::default();
    found.extend(default_phases(&loaded.project));
    found.extend(secrets(context, &loaded.project));
    found.extend(listed_groups(&loaded.project));
    let finder = context.finder(&loaded.project);
    for secret in loaded.project.config.on_finish.iter().filter_map(OnFinish::secret) {
        // it fails no operation
        if let Err(error) = finder.check(secret) {
            context.printer.warning(&format!("on_finish: no notice can be sent: {error:#}"));
        }
    }
    let engine = context.engine_without_passwords(&loaded)?;
    let selection = selection(context, &loaded, names, options, None)?;
    let Asked { faults, undeclared, groups } = ask(engine, &loaded.project, &selection)?;
    let is_meant =
        |fault: &&Fault| groups.iter().any(|group: &GroupSpec| group.name == fault.group);
    let faults = faults.iter().filter(is_meant);
    found.extend(faults.map(|fault| diagnostic(&loaded.project, fault)));
    if let Some(undeclared) = undeclared {
        // those in pallet.toml are reported by `listed_groups`
        for node in undeclared.iter().filter(|node| !node.permanent) {
            let group = node.group.as_deref().unwrap_or("none");
            context.printer.warning(&format!(
                "node {} belongs to group {group}, which the project does not declare; `pallet-cli \
                 converge --remove-undeclared` destroys it",
                node.name
            ));
        }
    } else {
        context.printer.warning(
            "the service did not list its nodes, so they were not compared with the groups",
        );
    }
    if found.has_errors() { Err(found.into()) } else { Ok((loaded, groups)) }
}

/// Runs all phases to find faults, and lists the nodes of undeclared groups if the service answers
/// in time.
fn ask(engine: Engine, project: &LoadedProject, selection: &Selection) -> anyhow::Result<Asked> {
    let runtime = runtime()?;
    let asked: Result<_, EngineError> = runtime.block_on(async {
        let nodes = tokio::time::timeout(ASKING, engine.nodes()).await.ok().and_then(Result::ok);
        let faults = match &nodes {
            Some(_) => tokio::time::timeout(ASKING, engine.check(&project.groups, true)).await.ok(),
            None => None,
        };
        let chosen = match selection.matching {
            // only the nodes themselves can tell
            Some(_) => engine.select(&project.groups, selection).await?,
            None => chosen(selection, nodes.as_deref().unwrap_or_default(), &project.groups)?,
        };
        match faults {
            Some(faults) => Ok((faults?, nodes, chosen)),
            None => Ok((engine.check(&project.groups, false).await?, nodes, chosen)),
        }
    });
    // does not wait for a service that has not answered
    runtime.shutdown_background();
    let (faults, nodes, chosen): (Vec<Fault>, Option<Vec<Node>>, Vec<Node>) = asked?;
    let is_meant = |group: &&GroupSpec| {
        selection.is_all() || chosen.iter().any(|node| node.group.as_ref() == Some(&group.name))
    };
    Ok(Asked {
        faults,
        undeclared: nodes
            .map(|nodes| nodes.into_iter().filter(|node| !project.declares(node)).collect()),
        groups: project.groups.iter().filter(is_meant).cloned().collect(),
    })
}

/// What a check finds out about a project and its service.
struct Asked {
    faults: Vec<Fault>,
    /// The nodes of undeclared groups; `None`: the service did not list its nodes.
    undeclared: Option<Vec<Node>>,
    /// The groups that are meant.
    groups: Vec<GroupSpec>,
}

/// The nodes that are meant. A group without nodes has its first one.
fn chosen(
    selection: &Selection,
    nodes: &[Node],
    groups: &[GroupSpec],
) -> Result<Vec<Node>, EngineError> {
    let has_none =
        |group: &&GroupSpec| !nodes.iter().any(|node| node.group.as_ref() == Some(&group.name));
    let first = groups.iter().filter(has_none).map(|group| {
        let name = format!("{}-1", group.name);
        let id = format!("predicted/{name}");
        Node { group: Some(group.name.clone()), ..Node::new(id, name, Connection::Unknown) }
    });
    let all: Vec<Node> = nodes.iter().cloned().chain(first).collect();
    let chosen = selection.choose(&all, groups)?;
    Ok(chosen.into_iter().map(|position| all[position].clone()).collect())
}

/// Default phases that no group defines.
fn default_phases(project: &LoadedProject) -> Vec<Diagnostic> {
    let defined: BTreeSet<&str> = project
        .groups
        .iter()
        .flat_map(|group| group.server.phases.keys().map(String::as_str))
        .collect();
    let mut found = Vec::new();
    for group in &project.groups {
        for phase in group
            .server
            .default_phases
            .iter()
            .flatten()
            .filter(|phase| !defined.contains(phase.as_str()))
        {
            let message =
                format!("group `{}`: no group defines its default phase `{phase}`", group.name);
            let place = project.places.get(&group.name).cloned();
            found.push(
                Diagnostic::error(message)
                    .at(place)
                    .suggest(did_you_mean(phase, defined.iter().copied())),
            );
        }
    }
    found
}

/// Secrets that are not where pallet.toml says they are.
fn secrets(context: &Context, project: &LoadedProject) -> Vec<Diagnostic> {
    let finder = context.finder(project);
    let missing = project.config.secrets.iter().filter_map(|(name, reference)| {
        let error = finder.check(reference).err()?;
        let place = project.config.secret_places.get(name).cloned();
        Some(Diagnostic::error(format!("secret `{name}`: {error:#}")).at(place))
    });
    missing.collect()
}

/// Listed nodes whose group the project does not declare.
fn listed_groups(project: &LoadedProject) -> Vec<Diagnostic> {
    let groups: Vec<&str> = project.groups.iter().map(|group| group.name.as_str()).collect();
    let mut found = Vec::new();
    for (name, service) in
        project.config.services.iter().filter(|(_, service)| service.provider == NODE_LIST)
    {
        for (node, group) in
            listed(service).into_iter().filter(|(_, group)| !groups.contains(&group.as_str()))
        {
            let place = |key: String| service.places.get(&key).cloned();
            let at = place(format!("nodes.{node}.group"))
                .or_else(|| place(format!("nodes.{node}")))
                .or_else(|| place("nodes".to_owned()));
            let help = did_you_mean(&group, groups.iter().copied()).unwrap_or_else(|| match groups
                .is_empty()
            {
                true => "declare it in pallet.star".to_owned(),
                false => format!("there are {}", groups.join(", ")),
            });
            let message = format!(
                "services.{name}: node `{node}` belongs to group `{group}`, which the project does \
                 not declare"
            );
            found.push(Diagnostic::error(message).at(at).suggest(help));
        }
    }
    found
}

/// The nodes that a service lists, with their groups.
fn listed(service: &Service) -> Vec<(String, String)> {
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    match service.options.get("nodes") {
        Some(Value::Object(nodes)) => nodes
            .iter()
            .filter_map(|(name, node)| Some((name.clone(), text(node, "group")?)))
            .collect(),
        Some(Value::Array(nodes)) => nodes
            .iter()
            .filter_map(|node| Some((text(node, "name")?, text(node, "group")?)))
            .collect(),
        _ => Vec::new(),
    }
}

/// The diagnostic for a fault, with its line of the project.
fn diagnostic(project: &LoadedProject, Fault { group, node, error }: &Fault) -> Diagnostic {
    let NodeError { message, phase, source, .. } = error;
    let phase = phase.as_deref().unwrap_or_default();
    let place = source.as_ref().map(|source| {
        let text =
            std::fs::read_to_string(project.directory.join(&source.file)).unwrap_or_default();
        let line = usize::try_from(source.line).unwrap_or_default().saturating_sub(1);
        let excerpt = text.lines().nth(line).unwrap_or_default().to_owned();
        SourceSpan {
            file: source.file.clone(),
            line: source.line,
            column: source.column,
            length: 1,
            excerpt,
        }
    });
    let place = place.or_else(|| project.places.get(group).cloned());
    Diagnostic::error(message.clone())
        .at(place)
        .note(format!("in phase {phase} of group {group}, for its node {node}"), None)
}
