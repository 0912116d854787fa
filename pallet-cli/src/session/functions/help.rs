//! `help`: lists and explains functions.

use std::fmt::Write;

use pallet_core::model::PluginKind;
use starlark::docs::DocItem;
use starlark::docs::DocMember;
use starlark::values::Value;
use starlark::values::structs::StructRef;

use super::super::call::Call;
use super::signature::signature;
use crate::output::table;
use crate::project::star::plain_data::{describe, function_name};
use crate::project::star::spec_values::GroupValue;
use crate::project::star::{FunctionError, HostBehavior, HostFunction};
use crate::reference::{DocEntry, PluginDocs, actions, find, text};
use crate::verbs;

pub(super) fn help<'v>(call: Call<'_, 'v, '_, '_>) -> starlark::Result<Value<'v>> {
    let printer = call.session.context().printer;
    let shown = match call.value("x") {
        None => overview(),
        Some(value) => explained(&call, value)?,
    };
    printer.printed(shown.trim_end());
    Ok(Value::new_none())
}

fn overview() -> String {
    let rows = verbs::ALL.iter().map(|verb| {
        let entry = DocEntry::of_signature(&signature(verb));
        vec![entry.call(), entry.summary()]
    });
    let mut out = table(&["FUNCTION", "WHAT IT DOES"], rows);
    out.push_str(
        "\nEverything that pallet.star defines or loads is available by name, as are actions, \
         specs and groups.\n\
         Your own definitions can be used immediately: `def f(request): ...` and then `lift(web, \
         phase = f)`. `_` is the last value.\n\
         help(x) explains a function, an action, a crate, a spec or a group; help(\"actions\") \
         lists all actions.\n\
         Tab completes; Ctrl-C stops the running operation; Ctrl-D quits.\n",
    );
    out
}

fn explained(call: &Call<'_, '_, '_, '_>, value: Value<'_>) -> Result<String, FunctionError> {
    if let Some(name) = value.unpack_str() {
        return named(call, name);
    }
    if let Some(function) = HostFunction::of(value) {
        return match &function.does {
            HostBehavior::Action(name) => named(call, name),
            HostBehavior::Call { config_crate, function } => {
                named(call, &format!("crate:{config_crate}.{function}"))
            }
            _ => named(call, &function.signature.function),
        };
    }
    if let Some(group) = GroupValue::of(value) {
        let names: Vec<&str> = group.groups.iter().map(|group| group.name.as_str()).collect();
        let what = if group.cluster {
            format!("a cluster of {}", names.join(", "))
        } else {
            "a group".to_owned()
        };
        let phases: std::collections::BTreeSet<&String> =
            group.groups.iter().flat_map(|group| group.server.phases.keys()).collect();
        let phases = phases.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        return Ok(format!(
            "{} is {what}; phases: {phases}\n\nshow_group({:?}) shows more.\n",
            group.name, group.name
        ));
    }
    if let Some(fields) = StructRef::from_value(value)
        && let Some(HostBehavior::Call { config_crate, .. }) =
            fields.iter().find_map(|(_, one)| HostFunction::of(one)).map(|function| &function.does)
    {
        return named(call, &format!("crate:{config_crate}"));
    }
    match value.documentation() {
        DocItem::Member(DocMember::Function(function)) => {
            let mut out = format!("{}({})\n", function_name(value), parameters(&function));
            if let Some(docs) = &function.docs {
                let _ = write!(out, "\n{}\n", docs.summary);
                docs.details.iter().for_each(|details| out.push_str(&format!("\n{details}\n")));
            }
            Ok(out)
        }
        _ => Ok(format!("{}\n", describe(value))),
    }
}

fn parameters(function: &starlark::docs::DocFunction) -> String {
    let names = function.params.regular_params().map(|one| one.name.clone());
    names.collect::<Vec<_>>().join(", ")
}

fn named(call: &Call<'_, '_, '_, '_>, name: &str) -> Result<String, FunctionError> {
    if name == "actions" {
        return Ok(table(
            &["ACTION", "WHAT IT ENSURES"],
            actions().iter().map(|entry| vec![entry.name.clone(), entry.summary()]),
        ));
    }
    if let Some(verb) = verbs::ALL.iter().find(|verb| verb.name == name) {
        return Ok(text(&DocEntry::of_signature(&signature(verb))));
    }
    let actions = actions();
    let context = call.session.context();
    // the name of a crate may be given in the form of its functions
    let registry = call.session.loaded().registry.clone();
    let dashed = |name: &str| {
        let (of, function) =
            name.split_once('.').map_or((name, None), |(of, function)| (of, Some(function)));
        let of = registry
            .names(PluginKind::Crate)
            .into_iter()
            .find(|one| one.replace('-', "_") == of.replace('-', "_"))
            .unwrap_or(of);
        function.map_or_else(|| of.to_owned(), |function| format!("{of}.{function}"))
    };
    let (prefix, plain) = name.strip_prefix("crate:").map_or(("", name), |plain| ("crate:", plain));
    let (about, entries): (Option<PluginDocs>, Vec<DocEntry>) =
        find(|| context.registry(false), &actions, &format!("{prefix}{}", dashed(plain)))
            .map_err(|error| call.complaint(format!("{error:#}")))?;
    let entries: String = entries.iter().map(text).collect();
    Ok(format!("{}{entries}", about.map(|about| about.text()).unwrap_or_default()))
}
