//! The schema of a node-spec.

use pallet_core::model::NodeSpec;
use pallet_core::schemars::schema_for;
use serde_json::Value as Json;

/// The schema of a node-spec; its objects have only the listed keys.
pub(crate) fn node_spec_schema() -> Json {
    let mut schema = schema_for!(NodeSpec).to_value();
    let definitions = schema.get_mut("$defs").and_then(Json::as_object_mut);
    for definition in definitions
        .into_iter()
        .flat_map(|definitions| definitions.values_mut())
        .filter_map(Json::as_object_mut)
    {
        definition.insert("additionalProperties".into(), false.into());
    }
    schema
}
