//! The keys of a table, taken from the type that it is read into, so that the reference and the
//! suggestions of errors are the same.

use pallet_core::schemars::{JsonSchema, schema_for};
use serde_json::Value;

/// The keys of a table that is read into this type, in order.
pub(super) fn keys<T: JsonSchema>() -> Vec<String> {
    let schema = schema_for!(T).to_value();
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.into_iter().flat_map(|properties| properties.keys().cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::keys;
    use crate::project::config::{Config, ConfigText, ProjectConfig, read};

    #[test]
    fn every_key_of_the_schema_is_read() {
        let unknown = |text: &str| {
            let (_, found) =
                read(&ConfigText { file: "pallet.toml", text, ..ConfigText::default() });
            found.0.iter().any(|diagnostic| diagnostic.one_line().contains("unknown key"))
        };
        for key in keys::<Config>() {
            assert!(!unknown(&format!("{key} = 1\n")), "{key}");
        }
        assert!(unknown("services_ = 1\n"));
        assert_eq!(keys::<ProjectConfig>(), ["name", "max_nodes"]);
    }
}
