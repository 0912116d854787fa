//! `run` and `run_script`: commands on nodes, once.

use std::time::Duration;

use pallet_core::engine::{RunAs, RunOptions, RunOutcome, shell_line};
use serde_json::json;
use starlark::values::Value;

use super::super::call::Call;
use super::super::outcome::{RESULT, object};
use crate::operation::code;
use crate::project::star::plain_data::{describe, names};
use crate::project::star::table::TableValue;

pub(super) fn run<'v>(call: Call<'_, 'v, '_, '_>) -> starlark::Result<Value<'v>> {
    let command = call.value("command").unwrap_or_else(Value::new_none);
    let Some(words) = names(command).filter(|words| !words.is_empty()) else {
        return Err(call
            .complaint(format!(
                "`command` must be a line of shell, or a list of words, not {}",
                describe(command)
            ))
            .into());
    };
    let script =
        if command.unpack_str().is_some() { words.concat() } else { shell_line(&quoted(words)) };
    on_nodes(call, script)
}

/// A list with a single word names a program: it is quoted, so that the shell does not parse it.
fn quoted(words: Vec<String>) -> Vec<String> {
    match words.as_slice() {
        [program] => vec![pallet_core::script::quote(program)],
        _ => words,
    }
}

pub(super) fn run_script<'v>(call: Call<'_, 'v, '_, '_>) -> starlark::Result<Value<'v>> {
    let script = call.text("script").unwrap_or_default();
    on_nodes(call, script)
}

fn on_nodes<'v>(call: Call<'_, 'v, '_, '_>, script: String) -> starlark::Result<Value<'v>> {
    let targets = call.targets("what")?;
    let user = match (call.text("user"), call.flag("no_sudo")) {
        (Some(_), true) => {
            return Err(call.complaint("either `user` or `no_sudo`, not both").into());
        }
        (Some(user), false) => RunAs::User(user),
        (None, true) => RunAs::Login,
        (None, false) => RunAs::Admin,
    };
    let selection = call.selection(&targets.names())?;
    let options = RunOptions {
        script,
        selection,
        parallel: call.parallel(),
        user,
        timeout: call.number("timeout").map(Duration::from_secs),
    };
    let all = call.all_groups();
    let outcome: RunOutcome = call.session.clone().wait(
        &call.signature.function,
        call.evaluator,
        async move |engine, reporter| {
            let outcome = engine.run_command(&all, &options).await?;
            reporter.end_run(&outcome);
            Ok(outcome)
        },
    )?;
    call.session.remember(code(outcome.cancelled, outcome.ok()));
    call.session.mark_shown();
    let nodes = outcome.nodes.iter().map(|node| {
        json!({
            "name": node.node,
            "group": node.group,
            "exit": node.exit,
            "failed": node.exit != Some(0),
            "error": node.error,
            "stdout": node.stdout,
            "stderr": node.stderr,
            "seconds": node.seconds,
        })
    });
    let value = json!({
        "ok": outcome.ok(), "cancelled": outcome.cancelled, "nodes": nodes.collect::<Vec<_>>(),
    });
    Ok(call.give(Some(TableValue::new(RESULT, object(value)))))
}
