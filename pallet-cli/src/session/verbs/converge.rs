//! `converge` and `down`: the number of nodes.

use pallet_core::engine::{ConvergePlan, EngineError, LiftOptions};
use pallet_core::model::Node;
use starlark::values::Value;

use super::super::Session;
use super::super::arguments::Call;
use super::{DRY_RUN, Entry, OVERWRITE, PARALLEL, PHASE, Param, Takes, YES};
use crate::context::Context;
use crate::operation::Telling;

pub(super) const CONVERGE: Entry = Entry {
    name: "converge",
    doc: "Makes the right number of nodes exist, and configures them. Gives the outcome: `nodes`, \
        `created`, `destroyed`, `plan`, `ok`.\n\n\
        Example: `converge({web: 3})`\n\n\
        Example: `[node.name for node in converge().nodes if node.failed]`",
    parameters: &[
        Param::first(
            "groups",
            Takes::Counts,
            "Only these groups: one, a list, or a dict of groups \
            with their counts.",
        ),
        PHASE,
        DRY_RUN,
        OVERWRITE,
        PARALLEL,
        YES,
        Param::named(
            "remove_undeclared",
            Takes::Flag,
            "Destroy nodes of groups that the project \
            does not declare any more.",
        ),
    ],
    does: converge,
};

pub(super) const DOWN: Entry = Entry {
    name: "down",
    doc: "Destroys all nodes of the project at the service.\n\nExample: `down(yes = True)`",
    parameters: &[YES],
    does: down,
};

fn converge<'v>(mut call: Call<'_, 'v, '_, '_>) -> starlark::Result<Value<'v>> {
    let groups = call.counts("groups")?;
    let options = call.lift_options()?;
    let (asking, remove_undeclared) = (Asking::of(&call), call.flag("remove_undeclared"));
    let outcome = call.session.clone().wait_for(
        "converge",
        call.evaluator,
        async move |engine, telling| {
            let cancel = engine.cancel.clone();
            let agree = |plan: &mut ConvergePlan| {
                let destroy = plan.destroy.clone();
                if remove_undeclared {
                    plan.remove_undeclared();
                }
                if options.dry_run {
                    Ok(true)
                } else {
                    asking.agree(&destroy, &telling, &|| cancel.is_cancelled())
                }
            };
            engine.converge(&groups, &options, agree).await
        },
    )?;
    call.session.look_for_nodes();
    Ok(call.give(outcome))
}

fn down<'v>(call: Call<'_, 'v, '_, '_>) -> starlark::Result<Value<'v>> {
    let groups = call.all_groups();
    let asking = Asking::of(&call);
    let outcome =
        call.session.clone().wait_for("down", call.evaluator, async move |engine, telling| {
            let cancel = engine.cancel.clone();
            let agree = |nodes: &[Node]| asking.agree(nodes, &telling, &|| cancel.is_cancelled());
            engine.down(&groups, &LiftOptions::default(), agree).await
        })?;
    call.session.look_for_nodes();
    Ok(call.give(outcome))
}

/// Asks before nodes are destroyed.
struct Asking {
    context: Context,
    interactive: bool,
    yes: bool,
}

impl Asking {
    fn of(call: &Call<'_, '_, '_, '_>) -> Self {
        let session: &Session = call.session;
        Asking {
            context: session.context(),
            interactive: session.is_interactive(),
            yes: call.flag("yes"),
        }
    }

    fn agree(
        &self,
        nodes: &[Node],
        telling: &Telling,
        stop: &dyn Fn() -> bool,
    ) -> Result<bool, EngineError> {
        if self.yes || nodes.is_empty() {
            return Ok(true);
        }
        let list = nodes.iter().map(|node| node.name.as_str()).collect::<Vec<_>>().join(", ");
        if !self.interactive || self.context.printer.json() {
            return Err(EngineError::Refused(format!(
                "this destroys {list}; say yes = True to do \
                it"
            )));
        }
        telling.abandon();
        let answer = self.context.printer.ask_unless(&format!("Destroy {list}? [y/N] "), stop);
        let agreed =
            answer.is_some_and(|answer| matches!(answer.to_lowercase().as_str(), "y" | "yes"));
        if !agreed {
            self.context.printer.line("nothing was done");
        }
        Ok(agreed)
    }
}
