//! `explain`, `explain_plan` and `explain_session`: what would be done and why, and what was.

use std::collections::BTreeMap;

use pallet_core::engine::{ExplainOptions, Explanation, PhaseChoice};
use pallet_core::model::Os;
use serde_json::Value as Json;
use starlark::values::Value;

use super::super::call::Call;
use super::super::outcome::{EXPLANATION, OUTCOME};
use crate::output::explanation::text;
use crate::process::SOME_NODE_FAILED;
use crate::project::star::FunctionError;
use crate::project::star::plain_data::describe;
use crate::project::star::table::TableValue;

pub(super) fn explain<'v>(mut call: Call<'_, 'v, '_, '_>) -> starlark::Result<Value<'v>> {
    let phases = call.phases()?;
    let names = call.targets("what")?.names();
    explained(call, phases, names)
}

pub(super) fn explain_plan<'v>(mut call: Call<'_, 'v, '_, '_>) -> starlark::Result<Value<'v>> {
    let Some(plan) = call.value("plan") else {
        return Err(call.complaint("`plan` is missing").into());
    };
    if plan.get_type() != "function" {
        let names = call.targets("plan")?.groups.into_iter().map(|group| group.name).collect();
        return explained(call, Vec::new(), names);
    }
    let phases = vec![call.phase(plan)?];
    let mut names = call.targets("what")?.names();
    if call.value("what").is_none() {
        names.truncate(1);
    }
    explained(call, phases, names)
}

fn explained<'v>(
    call: Call<'_, 'v, '_, '_>,
    phases: Vec<PhaseChoice>,
    names: Vec<String>,
) -> starlark::Result<Value<'v>> {
    let os = call.text("os").map(|name| Os::of_name(&name, std::env::consts::ARCH)).transpose();
    let options = ExplainOptions {
        phases,
        os: os.map_err(|error| call.complaint(error))?,
        ..ExplainOptions::default()
    };
    let groups = call.all_groups();
    let selection = call.selection(&names)?;
    let explanations: Vec<Explanation> = call.session.clone().wait(
        &call.signature.function,
        call.evaluator,
        async move |engine, _| Ok(engine.explain_selected(&groups, &selection, &options).await?),
    )?;
    let printer = call.session.context().printer;
    if !printer.json() {
        let scripts = call.flag("scripts");
        let texts: Vec<_> =
            explanations.iter().map(|explanation| text(&printer, explanation, scripts)).collect();
        printer.text(&texts.join("\n"));
        call.session.mark_shown();
    }
    if explanations.iter().any(|explanation| explanation.error.is_some()) {
        call.session.remember(SOME_NODE_FAILED);
    }
    let rows = explanations
        .iter()
        .map(|explanation| serde_json::to_value(explanation).unwrap_or_default());
    Ok(call.rows(EXPLANATION, rows.collect()))
}

pub(super) fn explain_session<'v>(call: Call<'_, 'v, '_, '_>) -> starlark::Result<Value<'v>> {
    let value = call
        .value("outcome")
        .or_else(|| call.evaluator.module().get("_"))
        .unwrap_or_else(Value::new_none);
    let outcome =
        TableValue::of(value).filter(|table| table.name() == OUTCOME).ok_or_else(|| {
            let help = "converge, lift, drift and down return one".to_owned();
            FunctionError::new(format!(
                "explain_session: `outcome` must be the outcome of an operation, not {}",
                describe(value)
            ))
            .help(help)
        })?;
    call.session.context().printer.printed(told(outcome).trim_end());
    Ok(Value::new_none())
}

/// The outcome as text, node by node.
fn told(outcome: &TableValue) -> String {
    let of =
        |row: &Json, key: &str| row.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
    let list =
        |key: &str| outcome.values().get(key).and_then(Json::as_array).cloned().unwrap_or_default();
    let mut changes: BTreeMap<String, Vec<Json>> = BTreeMap::new();
    for change in list("plan") {
        changes.entry(of(&change, "node")).or_default().push(change);
    }
    let mut out = String::new();
    for key in ["created", "destroyed"] {
        let names: Vec<String> =
            list(key).iter().filter_map(Json::as_str).map(str::to_owned).collect();
        if !names.is_empty() {
            out.push_str(&format!("{key}: {}\n", names.join(", ")));
        }
    }
    for node in list("nodes") {
        let (name, error) = (of(&node, "name"), of(&node, "error"));
        out.push_str(&format!(
            "{name}: {}{}\n",
            of(&node, "result"),
            if error.is_empty() { String::new() } else { format!(": {error}") }
        ));
        for change in changes.remove(&name).unwrap_or_default() {
            let source = of(&change, "source");
            let via: Vec<&str> = change
                .get("via")
                .and_then(Json::as_array)
                .into_iter()
                .flatten()
                .filter_map(Json::as_str)
                .collect();
            let via =
                if via.is_empty() { String::new() } else { format!(" through {}", via.join(", ")) };
            let [phase, action, subject, summary] =
                ["phase", "action", "subject", "summary"].map(|key| of(&change, key));
            out.push_str(&format!("  {phase}: {action} {subject}: {summary}  ({source}{via})\n"));
        }
    }
    if out.is_empty() { "nothing was done\n".to_owned() } else { out }
}
