//! What `providers` and `crates` share: a table of the plugins that are installed.

use pallet_core::model::{Manifest, PluginKind};
use pallet_core::registry::Registry;
use serde_json::{Map, Value, json};

use crate::context::Context;
use crate::output::table;

/// Prints the plugins of one kind. For a program, `more` adds what is only known of each by its name.
pub(crate) fn list(
    context: &Context,
    registry: &Registry,
    kind: PluginKind,
    more: impl Fn(&str) -> Map<String, Value>,
) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    let mut values = Vec::new();
    for found in registry.plugins().iter().filter(|found| found.summary.kind == kind) {
        let name = &found.summary.name;
        let manifest = match kind {
            PluginKind::Provider => registry.provider_manifest(name)?,
            _ => registry.crate_manifest(name)?,
        };
        rows.push(vec![name.clone(), found.summary.version.to_string(), manifest.about.clone(), provides(&manifest)]);
        let mut value = json!({
            "name": name,
            "version": found.summary.version,
            "abi": found.summary.abi,
            "path": found.path,
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
        context.printer.line("none is installed");
    } else {
        let last = if kind == PluginKind::Provider { "OPTIONS" } else { "FUNCTIONS" };
        context.printer.text(&table(&["NAME", "VERSION", "WHAT IT IS", last], rows));
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
