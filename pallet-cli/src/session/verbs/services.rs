//! `services` and `use_service`: where nodes are.

use serde_json::{Value as Json, json};
use starlark::values::Value;
use starlark::values::none::NoneType;

use super::super::arguments::Call;
use super::{Entry, Param, Takes};

pub(super) const SERVICES: Entry =
    Entry { name: "services", doc: "Lists the services of pallet.toml.\n\nExample: `services()`", parameters: &[], does: services };

pub(super) const USE_SERVICE: Entry = Entry {
    name: "use_service",
    doc: "Uses another service of pallet.toml from now on, with its environment.\n\nExample: `use_service(\"ec2\")`",
    parameters: &[Param::required("name", Takes::Service, "The name of the service.")],
    does: use_service,
};

fn services<'v>(call: Call<'_, 'v, '_, '_>) -> starlark::Result<Value<'v>> {
    let used = call.session.context().global.service;
    let config = &call.session.loaded().project.config;
    let used = config.service(used.as_deref()).map(|(name, _)| name).unwrap_or_default();
    let services = call.session.services();
    let rows = services.iter().map(|(name, provider)| json!({"name": name, "provider": provider, "in_use": *name == used}));
    let rows: Vec<Json> = rows.collect();
    Ok(call.rows("a service", rows))
}

fn use_service<'v>(call: Call<'_, 'v, '_, '_>) -> starlark::Result<Value<'v>> {
    let name = call.value("name").and_then(|name| name.unpack_str());
    let Some(name) = name else { return Err(call.complaint("`name` must be the name of a service").into()) };
    let loaded = call.session.loaded();
    loaded.project.config.service(Some(name)).map_err(|error| call.session.complaint(crate::project::Diagnostics::from(error).into()))?;
    call.session.reload(Some(name.to_owned())).map_err(|error| call.session.complaint(error))?;
    call.session.look_for_nodes();
    Ok(call.evaluator.heap().alloc(NoneType))
}
