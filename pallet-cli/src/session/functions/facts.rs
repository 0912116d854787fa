//! `facts`: what is known of nodes.

use pallet_core::engine::natural;
use starlark::values::Value;

use super::super::call::Call;
use crate::operation::code;
use crate::output::facts;

pub(super) fn facts<'v>(call: Call<'_, 'v, '_, '_>) -> starlark::Result<Value<'v>> {
    let targets = call.targets("what")?;
    let selection = call.selection(&targets.names())?;
    let all = call.all_groups();
    let mut found = call.session.clone().wait(
        &call.signature.function,
        call.evaluator,
        async move |engine, _| Ok(engine.facts(&all, &selection).await?),
    )?;
    found.sort_by_cached_key(|facts| natural(&facts.node.name));
    call.session.remember(code(false, found.iter().all(|facts| facts.known.is_ok())));
    Ok(call.rows("the facts of a node", found.iter().map(facts::value).collect()))
}
