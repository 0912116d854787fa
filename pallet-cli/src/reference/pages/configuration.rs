//! The page of `pallet.toml`, generated from the types that it is read into.

use pallet_core::schemars::schema_for;
use serde_json::{Map, Value, json};

use crate::project::config::Config;
use crate::project::schema::Schema;
use crate::reference::entry::{DocEntry, section};

/// The file as a whole, and each of its tables.
pub(crate) fn configuration() -> Vec<DocEntry> {
    let schema = schema_for!(Config).to_value();
    let text = |node: &Value| node["description"].as_str().unwrap_or_default().to_owned();
    let properties = schema["properties"].as_object().cloned().unwrap_or_default();
    let (mut keys, mut tables) = (Map::new(), Vec::new());
    for (key, node) in &properties {
        let part = Schema::new(&schema).part(node);
        let is_table = part.types().contains(&"object");
        if !is_table {
            keys.insert(key.clone(), node.clone());
            continue;
        }
        // `[services.NAME]` is a table per service; `[secrets]` contains the names as keys
        let under_a_name = node["additionalProperties"].is_object();
        let name = match key.as_str() {
            "services" | "stages" => format!("[{key}.NAME]"),
            _ => format!("[{key}]"),
        };
        let rows = match under_a_name {
            true => Schema::new(&schema).part(&node["additionalProperties"]).table(),
            false => part.table(),
        };
        let rows = with_definitions(rows.unwrap_or_else(|| json!({})), &schema);
        tables.push(DocEntry::of_keys(&name, &text(node), rows));
    }
    let keys = json!({"type": "object", "properties": keys});
    let whole = DocEntry::of_keys("pallet.toml", &text(&schema), with_definitions(keys, &schema));
    std::iter::once(whole).chain(tables).collect()
}

/// A part of a schema, with the definitions of the whole schema.
fn with_definitions(mut part: Value, whole: &Value) -> Value {
    if let Some(part) = part.as_object_mut() {
        part.insert("$defs".to_owned(), whole["$defs"].clone());
    }
    part
}

/// The Markdown page, without its title.
pub(super) fn page() -> String {
    let entries = configuration();
    let mut out = String::new();
    for (number, entry) in entries.iter().enumerate() {
        let section = section(entry, "##");
        out.push_str(match number {
            // the page already has the file name as its title
            0 => section.trim_start_matches("\n## `pallet.toml`\n\n"),
            _ => &section,
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_documented() {
        for entry in configuration() {
            assert!(!entry.summary().is_empty(), "{}", entry.name);
            for (name, _, takes, doc) in entry.parameters() {
                assert!(!doc.is_empty() && !takes.is_empty(), "{}: {name}", entry.name);
            }
        }
    }
}
