//! `check` and `reload`: the project's files.

use starlark::values::Value;
use starlark::values::none::NoneType;

use super::super::call::Call;
use crate::verbs::SelectionOptions;

pub(super) fn check<'v>(call: Call<'_, 'v, '_, '_>) -> starlark::Result<Value<'v>> {
    let context = call.session.context();
    let (_, groups) = crate::operation::check(&context, &[], &SelectionOptions::default())
        .map_err(|error| call.session.complaint(error))?;
    let groups = groups.len();
    context.printer.status(&format!(
        "the project is valid: {groups} {}",
        if groups == 1 { "group" } else { "groups" }
    ));
    Ok(call.evaluator.heap().alloc(NoneType))
}

pub(super) fn reload<'v>(call: Call<'_, 'v, '_, '_>) -> starlark::Result<Value<'v>> {
    let service = call.session.context().global.service;
    call.session.reload(service).map_err(|error| {
        let complaint = call.session.complaint(error);
        complaint.help("the session keeps the old project".to_owned())
    })?;
    let loaded = call.session.loaded();
    let groups: Vec<&str> = loaded.project.groups.iter().map(|group| group.name.as_str()).collect();
    call.session.context().printer.status(&format!("reloaded; groups: {}", groups.join(", ")));
    Ok(call.evaluator.heap().alloc(NoneType))
}
