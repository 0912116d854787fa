//! The facts of nodes: for a person, and as data.

use std::fmt::Write;

use pallet_core::engine::NodeFacts;
use serde_json::{Value, json};

use super::printer::Printer;
use crate::terminal::visible;

/// The facts of a node as data: the attributes of a target, or `error`.
pub(crate) fn value(facts: &NodeFacts) -> Value {
    match &facts.known {
        Ok((target, details)) => {
            let mut attributes = target.attributes(details);
            attributes.insert("error".to_owned(), Value::Null);
            Value::Object(attributes)
        }
        Err(error) => json!({
            "id": facts.node.id, "name": facts.node.name, "group": facts.node.group,
            "error": error.message,
        }),
    }
}

/// The facts of nodes, for a person. What is unknown is left out.
pub(crate) fn text(printer: &Printer, nodes: &[NodeFacts]) -> String {
    let mut out = String::new();
    for facts in nodes {
        if !out.is_empty() {
            out.push('\n');
        }
        let name = visible(&facts.node.name);
        let (target, details) = match &facts.known {
            Ok(known) => known,
            Err(error) => {
                let heading = printer.paint(&format!("{name} failed:"), "31;1");
                let _ = writeln!(out, "{heading} {}", visible(&error.message));
                continue;
            }
        };
        let _ = writeln!(out, "{}", printer.paint(&name, "1"));
        for (attribute, value) in target.attributes(details) {
            // they are in the heading, or in `os`
            if ["name", "os_family", "os_version"].contains(&attribute.as_str()) {
                continue;
            }
            write_value(&mut out, &attribute, &value);
        }
    }
    out
}

/// The width of the names.
const NAMES: usize = 15;

fn write_value(out: &mut String, name: &str, value: &Value) {
    let mut line = |text: &str| {
        if !text.is_empty() {
            let _ = writeln!(out, "  {name:<NAMES$} {}", visible(text));
        }
    };
    match value {
        Value::Array(items) if items.iter().any(Value::is_object) => {
            items.iter().for_each(|item| line(&words(item)));
        }
        value => line(&words(value)),
    }
}

/// A value in one line.
fn words(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(words).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| (name, words(value)));
            let fields = fields.filter(|(_, value)| !value.is_empty());
            fields.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    }
}
