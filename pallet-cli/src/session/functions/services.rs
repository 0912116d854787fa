//! `providers`, `services`, `compute_service` and `use_service`: sources of nodes.

use pallet_core::model::{PluginKind, is_host_name};
use serde_json::{Map, Value as Json, json};
use starlark::values::Value;
use starlark::values::none::NoneType;

use super::super::call::Call;
use crate::project::config::Service;
use crate::project::star::plain_data::to_json;

pub(super) fn providers<'v>(call: Call<'_, 'v, '_, '_>) -> starlark::Result<Value<'v>> {
    let loaded = call.session.loaded();
    let provider = |name: &&str| {
        let manifest = loaded.registry.provider_manifest(name).ok()?;
        let options: Vec<String> = manifest.options["properties"]
            .as_object()
            .into_iter()
            .flat_map(|options| options.keys().cloned())
            .collect();
        Some(json!({
            "name": name, "version": manifest.version, "about": manifest.about,
            "options": options.join(", "),
        }))
    };
    let rows = loaded.registry.names(PluginKind::Provider).iter().filter_map(provider).collect();
    Ok(call.rows("a provider", rows))
}

pub(super) fn compute_service<'v>(call: Call<'_, 'v, '_, '_>) -> starlark::Result<Value<'v>> {
    let provider = call.text("provider").unwrap_or_default();
    let name = call.text("name").unwrap_or_else(|| provider.clone());
    if !is_host_name(&name) {
        return Err(call
            .complaint(format!("{name:?} cannot name a service: use a-z, 0-9 and -"))
            .into());
    }
    if call.session.is_in_files(&name) {
        return Err(call
            .complaint(format!(
                "service {name} already exists in pallet.toml; select it with use_service, or set \
                 `name`"
            ))
            .into());
    }
    let options = match call.value("options").map(to_json) {
        None | Some(Ok(Json::Null)) => Map::new(),
        Some(Ok(Json::Object(options))) => options,
        _ => {
            return Err(call
                .complaint("`options` must be a dict of the provider's options")
                .into());
        }
    };
    let service = Service { provider, options, ..Service::default() };
    // tests the service, as `pallet-cli add-service` does
    let (context, loaded) = (call.session.context(), call.session.loaded());
    let made = || -> anyhow::Result<()> {
        context.check_service(&loaded, &service)?;
        context.services(&loaded)?.open_as(&name, &service.config())?;
        call.session.add_service(&name, service.clone())
    };
    made().map_err(|error| call.session.complaint(error))?;
    call.session.refresh_node_names();
    Ok(call.evaluator.heap().alloc(name))
}

pub(super) fn services<'v>(call: Call<'_, 'v, '_, '_>) -> starlark::Result<Value<'v>> {
    let used = call.session.context().global.service;
    let config = &call.session.loaded().project.config;
    let used = config.service(used.as_deref()).map(|(name, _)| name).unwrap_or_default();
    let services = call.session.services();
    let rows = services.iter().map(
        |(name, provider)| json!({"name": name, "provider": provider, "in_use": *name == used}),
    );
    let rows: Vec<Json> = rows.collect();
    Ok(call.rows("a service", rows))
}

pub(super) fn use_service<'v>(call: Call<'_, 'v, '_, '_>) -> starlark::Result<Value<'v>> {
    let name = call.value("name").and_then(|name| name.unpack_str());
    let Some(name) = name else {
        return Err(call.complaint("`name` must be the name of a service").into());
    };
    let loaded = call.session.loaded();
    loaded.project.config.service(Some(name)).map_err(|error| {
        call.session.complaint(crate::diagnostic::Diagnostics::from(error).into())
    })?;
    call.session.reload(Some(name.to_owned())).map_err(|error| call.session.complaint(error))?;
    call.session.refresh_node_names();
    Ok(call.evaluator.heap().alloc(NoneType))
}
