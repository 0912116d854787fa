//! `lift` and `drift`: existing nodes.

use pallet_core::engine::LiftOptions;
use starlark::values::Value;

use super::super::call::Call;

pub(super) fn lift<'v>(mut call: Call<'_, 'v, '_, '_>) -> starlark::Result<Value<'v>> {
    let options = call.lift_options()?;
    with(call, options)
}

pub(super) fn drift<'v>(mut call: Call<'_, 'v, '_, '_>) -> starlark::Result<Value<'v>> {
    let options = LiftOptions { drift_only: true, ..call.lift_options()? };
    with(call, options)
}

fn with<'v>(call: Call<'_, 'v, '_, '_>, options: LiftOptions) -> starlark::Result<Value<'v>> {
    let targets = call.targets("what")?;
    let selection = call.selection(&targets.nodes)?;
    let options = LiftOptions { selection, ..options };
    let groups = targets.groups;
    let outcome = call.session.clone().wait_for(
        &call.signature.function,
        call.evaluator,
        async move |engine, _| engine.lift(&groups, &options).await.map(Some),
    )?;
    Ok(call.give(outcome))
}
