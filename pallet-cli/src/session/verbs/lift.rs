//! `lift` and `drift`: nodes as they are.

use pallet_core::engine::LiftOptions;
use starlark::values::Value;

use super::super::arguments::Call;
use super::{DRY_RUN, Entry, OVERWRITE, PARALLEL, PHASE, Param, Takes};

const WHAT: Param = Param::first("what", Takes::Targets, "Only these groups, or only these nodes.");

pub(super) const LIFT: Entry = Entry {
    name: "lift",
    doc: "Configures nodes, without changing how many there are. Gives the outcome: `nodes`, \
        `plan`, `ok`.\n\n\
        Example: `lift(web, phase = \"restart\")`\n\n\
        Example: `lift(web, phase = lambda request: package(request, \"tree\"))`",
    parameters: &[WHAT, PHASE, DRY_RUN, OVERWRITE, PARALLEL],
    does: lift,
};

pub(super) const DRIFT: Entry = Entry {
    name: "drift",
    doc: "Reports what is not any more as Pallet made it, and changes nothing. It stands in the \
        `plan` of the outcome.\n\nExample: `drift(web)`",
    parameters: &[WHAT, PHASE, PARALLEL],
    does: drift,
};

fn lift<'v>(mut call: Call<'_, 'v, '_, '_>) -> starlark::Result<Value<'v>> {
    let options = call.lift_options()?;
    with(call, options)
}

fn drift<'v>(mut call: Call<'_, 'v, '_, '_>) -> starlark::Result<Value<'v>> {
    let options = LiftOptions { drift_only: true, ..call.lift_options()? };
    with(call, options)
}

fn with<'v>(call: Call<'_, 'v, '_, '_>, options: LiftOptions) -> starlark::Result<Value<'v>> {
    let targets = call.targets("what")?;
    let options = LiftOptions { nodes: targets.nodes, ..options };
    let groups = targets.groups;
    let outcome = call.session.clone().wait_for(
        &call.signature.function,
        call.evaluator,
        async move |engine, _| engine.lift(&groups, &options).await.map(Some),
    )?;
    Ok(call.give(outcome))
}
