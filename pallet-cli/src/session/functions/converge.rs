//! `converge` and `down`: the number of nodes.

use pallet_core::engine::{ConvergePlan, EngineError, LiftOptions};
use pallet_core::model::Node;
use starlark::values::Value;

use super::super::call::Call;
use super::super::state::Session;
use crate::context::Context;
use crate::operation::Reporter;

pub(super) fn converge<'v>(mut call: Call<'_, 'v, '_, '_>) -> starlark::Result<Value<'v>> {
    let groups = call.counts("groups")?;
    let node_changes = call.node_changes()?;
    let options = LiftOptions { node_changes, ..call.lift_options()? };
    let (asking, remove_undeclared) = (Confirmation::of(&call), call.flag("remove_undeclared"));
    let outcome = call.session.clone().wait_for(
        "converge",
        call.evaluator,
        async move |engine, reporter| {
            let cancel = engine.cancel.clone();
            let agree = |plan: &mut ConvergePlan| {
                let leaving = plan.leaving();
                if remove_undeclared {
                    plan.remove_undeclared();
                }
                if options.dry_run {
                    Ok(true)
                } else {
                    asking.agree(&leaving, &reporter, &|| cancel.is_cancelled())
                }
            };
            engine.converge(&groups, &options, agree).await
        },
    )?;
    call.session.refresh_node_names();
    Ok(call.give(outcome))
}

pub(super) fn down<'v>(call: Call<'_, 'v, '_, '_>) -> starlark::Result<Value<'v>> {
    let groups = call.all_groups();
    let names = match call.value("what") {
        Some(_) => call.targets("what")?.names(),
        None => Vec::new(),
    };
    let (node_changes, selection) = (call.node_changes()?, call.selection(&names)?);
    let options = LiftOptions { node_changes, selection, ..LiftOptions::default() };
    let asking = Confirmation::of(&call);
    let outcome =
        call.session.clone().wait_for("down", call.evaluator, async move |engine, reporter| {
            let cancel = engine.cancel.clone();
            let agree = |nodes: &[Node]| asking.agree(nodes, &reporter, &|| cancel.is_cancelled());
            engine.down(&groups, &options, agree).await
        })?;
    call.session.refresh_node_names();
    Ok(call.give(outcome))
}

/// Asks before nodes are destroyed.
struct Confirmation {
    context: Context,
    interactive: bool,
    yes: bool,
}

impl Confirmation {
    fn of(call: &Call<'_, '_, '_, '_>) -> Self {
        let session: &Session = call.session;
        Confirmation {
            context: session.context(),
            interactive: session.is_interactive(),
            yes: call.flag("yes"),
        }
    }

    fn agree(
        &self,
        nodes: &[Node],
        reporter: &Reporter,
        stop: &dyn Fn() -> bool,
    ) -> Result<bool, EngineError> {
        if self.yes || nodes.is_empty() {
            return Ok(true);
        }
        let list = nodes.iter().map(|node| node.name.as_str()).collect::<Vec<_>>().join(", ");
        if !self.interactive || self.context.printer.json() {
            return Err(EngineError::Refused(format!(
                "this destroys {list}; pass yes = True to confirm"
            )));
        }
        reporter.abandon();
        let answer = self.context.printer.ask_unless(&format!("Destroy {list}? [y/N] "), stop);
        let agreed =
            answer.is_some_and(|answer| matches!(answer.to_lowercase().as_str(), "y" | "yes"));
        if !agreed {
            self.context.printer.line("cancelled");
        }
        Ok(agreed)
    }
}
