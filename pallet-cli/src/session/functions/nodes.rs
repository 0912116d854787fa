//! `nodes` and `groups`, and their text forms: `show_nodes`, `show_group`.

use pallet_core::engine::{GroupSpec, natural};
use pallet_core::model::Node;
use serde_json::{Value as Json, json};
use starlark::values::Value;

use super::super::call::Call;
use crate::output::{nodes, table};
use crate::project::star::FunctionError;

/// The selected nodes, ordered by name.
fn found(call: &mut Call<'_, '_, '_, '_>) -> Result<Vec<Node>, FunctionError> {
    let targets = call.value("what").map(|_| call.targets("what")).transpose()?;
    let mut nodes = call.session.clone().wait(
        &call.signature.function,
        call.evaluator,
        async |engine, _| Ok(engine.nodes().await?),
    )?;
    nodes.sort_by_cached_key(|node| natural(&node.name));
    *call.session.node_names() = nodes.iter().map(|node| node.name.clone()).collect();
    let Some(targets) = targets else { return Ok(nodes) };
    for name in &targets.nodes {
        if !nodes.iter().any(|node| node.name == *name) {
            let known: Vec<&str> = targets
                .groups
                .iter()
                .map(|group| group.name.as_str())
                .chain(nodes.iter().map(|node| node.name.as_str()))
                .collect();
            let help = crate::diagnostic::did_you_mean_or_list(name, &known, "there are");
            return Err(call
                .complaint(format!("there is no node, group or role {name}"))
                .help(help));
        }
    }
    let of_group = |node: &Node| {
        targets.groups.iter().any(|group| node.group.as_deref() == Some(group.name.as_str()))
    };
    nodes.retain(|node| {
        if targets.nodes.is_empty() { of_group(node) } else { targets.nodes.contains(&node.name) }
    });
    Ok(nodes)
}

pub(super) fn nodes<'v>(mut call: Call<'_, 'v, '_, '_>) -> starlark::Result<Value<'v>> {
    let found = found(&mut call)?;
    let rows = found.iter().map(|node| {
        let [name, group, status, address, system, reached_by] = nodes::row(node);
        // an id that equals the name adds nothing
        let id = Some(&node.id).filter(|id| **id != name);
        json!({
            "name": name, "group": group, "status": status, "address": address, "system": system,
            "reached_by": reached_by, "id": id,
        })
    });
    let rows: Vec<Json> = rows.collect();
    Ok(call.rows("a node", rows))
}

pub(super) fn show_nodes<'v>(mut call: Call<'_, 'v, '_, '_>) -> starlark::Result<Value<'v>> {
    let found = found(&mut call)?;
    let printer = call.session.context().printer;
    match printer.json() {
        true => printer.value(&json!({"event": "value", "value": found})),
        false => {
            printer.text(&table(&nodes::TITLES, found.iter().map(|node| nodes::row(node).to_vec())))
        }
    }
    Ok(Value::new_none())
}

pub(super) fn groups<'v>(call: Call<'_, 'v, '_, '_>) -> starlark::Result<Value<'v>> {
    let rows = call.all_groups().iter().map(described).collect();
    Ok(call.rows("a group", rows))
}

fn described(group: &GroupSpec) -> Json {
    json!({
        "name": group.name,
        "count": group.count,
        "phases": group.server.phases.keys().collect::<Vec<_>>(),
        "default_phases": group.default_phases(),
        "roles": group.server.roles,
    })
}

pub(super) fn show_group<'v>(call: Call<'_, 'v, '_, '_>) -> starlark::Result<Value<'v>> {
    let targets = call.targets("group")?;
    if let Some(name) = targets.nodes.first() {
        return Err(call.no_group(name).into());
    }
    let nodes = call
        .session
        .clone()
        .wait("show_group", call.evaluator, async |engine, _| Ok(engine.nodes().await?))?;
    let printer = call.session.context().printer;
    for group in &targets.groups {
        let mut shown = super::super::outcome::object(described(group));
        shown.insert(
            "node_spec".to_owned(),
            serde_json::to_value(&group.server.node_spec).unwrap_or_default(),
        );
        let own = nodes.iter().filter(|node| node.group.as_deref() == Some(group.name.as_str()));
        shown.insert("nodes".to_owned(), own.map(|node| node.name.clone()).collect());
        match printer.json() {
            true => printer.value(&json!({"event": "value", "value": shown})),
            false => printer.text(&super::super::show::one_table(&shown)),
        }
    }
    Ok(Value::new_none())
}
