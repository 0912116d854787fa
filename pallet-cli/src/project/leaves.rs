//! The values in nested tables, by dotted keys.

use serde_json::{Map, Value};

/// All values that are not tables, by dotted keys, in order: `proxy.host`.
pub(crate) fn leaves(table: &Map<String, Value>) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for (key, value) in table {
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                let inner = leaves(inner).into_iter();
                found.extend(inner.map(|(rest, value)| (format!("{key}.{rest}"), value)));
            }
            value => found.push((key.clone(), value.clone())),
        }
    }
    found
}
