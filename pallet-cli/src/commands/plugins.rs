//! Shared by `providers` and `crates`: a table of the installed plugins.

use pallet_core::distribution::resolve::Package;
use pallet_core::model::{Manifest, PluginKind};
use pallet_core::plugins::Registry;
use serde_json::{Map, Value, json};

use crate::context::Context;
use crate::distribution::signer;
use crate::output::table;

/// Prints the plugins of one kind. In JSON, `more` adds further keys, by the plugin's name.
pub(crate) fn list(
    context: &Context,
    registry: &Registry,
    kind: PluginKind,
    more: impl Fn(&str) -> Map<String, Value>,
) -> anyhow::Result<()> {
    let lock = context.lock()?.unwrap_or_default();
    let mut rows = Vec::new();
    let mut values = Vec::new();
    for found in registry.plugins().iter().filter(|found| found.summary.kind == kind) {
        let name = &found.summary.name;
        let manifest = match kind {
            PluginKind::Provider => registry.provider_manifest(name)?,
            _ => registry.crate_manifest(name)?,
        };
        let package = Package { kind, name: name.clone() };
        let locked = lock.get(&package).filter(|_| found.pinned.is_some());
        let source = match locked {
            Some(locked) => locked.source.to_string(),
            None => context.source_of(found),
        };
        let signed = locked.map_or("-".to_owned(), signer);
        rows.push(vec![
            name.clone(),
            found.summary.version.to_string(),
            source.clone(),
            signed,
            manifest.about.clone(),
            provides(&manifest),
        ]);
        let mut value = json!({
            "name": name,
            "version": found.summary.version,
            "abi": found.summary.abi,
            "path": found.path,
            "source": source,
            "signer": locked.and_then(|locked| locked.signer.as_ref()).map(ToString::to_string),
            "accepted": locked.and_then(|locked| locked.accepted),
            "requires": found.summary.requires,
            "about": manifest.about,
            "functions": manifest.functions,
            "options": manifest.options,
        });
        if let Value::Object(object) = &mut value {
            object.extend(more(name));
        }
        values.push(value);
    }
    if context.printer.json() {
        context.printer.value(&Value::Array(values));
    } else if rows.is_empty() {
        context.printer.line("none are installed");
    } else {
        let last = if kind == PluginKind::Provider { "OPTIONS" } else { "FUNCTIONS" };
        context
            .printer
            .text(&table(&["NAME", "VERSION", "SOURCE", "SIGNER", "WHAT IT IS", last], rows));
    }
    Ok(())
}

fn provides(manifest: &Manifest) -> String {
    let names: Vec<&str> = match manifest.options.get("properties").and_then(Value::as_object) {
        Some(options) => options.keys().map(String::as_str).collect(),
        None => manifest.functions.iter().map(|function| function.name.as_str()).collect(),
    };
    names.join(", ")
}
