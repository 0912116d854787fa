//! The keys of a declaration.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// One public key, or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Keys {
    /// One key.
    One(String),
    /// Several keys.
    Several(Vec<String>),
}

impl Keys {
    /// The schema of the parameter as it was when only one key was possible, plus a list.
    pub(in super::super) fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "array"], "items": { "type": "string" } })
    }

    pub(in super::super) fn lines(&self) -> &[String] {
        match self {
            Keys::One(key) => std::slice::from_ref(key),
            Keys::Several(keys) => keys,
        }
    }
}

impl From<&str> for Keys {
    fn from(key: &str) -> Self {
        Keys::One(key.to_owned())
    }
}

impl From<String> for Keys {
    fn from(key: String) -> Self {
        Keys::One(key)
    }
}

impl From<Vec<String>> for Keys {
    fn from(keys: Vec<String>) -> Self {
        Keys::Several(keys)
    }
}
