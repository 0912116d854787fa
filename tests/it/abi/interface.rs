//! The interface only grows: operations, the fields of their payloads, and the parameters of
//! actions.
//!
//! tests/fixtures/abi/interface.json records operations and actions; payloads.json has a complete
//! sample of each payload. `UPDATE_EXPECT=1` adds what is new, and removes nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use pallet_core::abi::author::ConnectService;
use pallet_core::action::{Options, TABLE};
use pallet_core::model::{AdminUser, Manifest, Node, PluginSummary, Target};
use pallet_core::plugin::operation::{
    Block, CallFunction, DeclareAction, GetSettings, InvokeService, Log, Scope, SetSettings,
};
use pallet_core::plugin::{
    Created, Credential, Lease, Offers, PluginError, RunNodes, WantedOffers,
};
use pallet_tests::root;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

fn file(name: &str) -> PathBuf {
    root().join("tests/fixtures/abi").join(name)
}

fn read(name: &str) -> Value {
    let path = file(name);
    serde_json::from_str(&fs::read_to_string(&path).unwrap())
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The operations of requests, and those of services with their argument and result types, from the
/// source.
fn operations() -> Vec<String> {
    let source =
        |name: &str| fs::read_to_string(root().join("pallet-core/src/plugin").join(name)).unwrap();
    let requests = source("operation.rs");
    let requests = requests
        .lines()
        .filter_map(|line| line.strip_prefix("pub const ")?.split('"').nth(1))
        .map(str::to_owned);
    let services = source("service.rs");
    let table = services.split("\noperations! {\n").nth(1).unwrap().split("\n}").next().unwrap();
    let mut all: Vec<_> =
        requests.chain(table.lines().map(|line| line.trim().to_owned())).collect();
    all.sort();
    assert!(all.len() > 20, "{all:?}");
    all
}

/// The schema of each action's parameters and of the options, without documentation.
fn actions() -> Map<String, Value> {
    let mut all: Map<String, Value> =
        TABLE.iter().map(|entry| (entry.name.to_owned(), stripped((entry.parameters)()))).collect();
    all.insert(
        "every action".to_owned(),
        stripped(pallet_core::schemars::schema_for!(Options).to_value()),
    );
    all.sort_keys();
    all
}

fn stripped(schema: Value) -> Value {
    match schema {
        Value::Object(fields) => {
            let told = |name: &str| ["description", "title", "$schema"].contains(&name);
            // a parameter may be called so
            let is_text = |value: &Value| value.is_string();
            fields
                .into_iter()
                .filter(|(name, value)| !(told(name) && is_text(value)))
                .map(|(name, value)| (name, stripped(value)))
                .collect()
        }
        Value::Array(items) => items.into_iter().map(stripped).collect(),
        other => other,
    }
}

/// What `old` accepted and `new` does not, with its path.
fn taken_away(place: &str, old: &Value, new: &Value, gone: &mut Vec<String>) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            for (name, was) in old {
                let place = format!("{place}.{name}");
                match (name.as_str(), new.get(name)) {
                    ("default" | "format" | "minimum" | "maximum" | "required", _) => {}
                    (_, None) => gone.push(format!("{place} is gone")),
                    (_, Some(is)) => taken_away(&place, was, is, gone),
                }
            }
            for name in new.get("required").and_then(Value::as_array).into_iter().flatten() {
                let was = old.get("required").and_then(Value::as_array);
                if was.is_none_or(|was| !was.contains(name)) && old.contains_key("properties") {
                    gone.push(format!("{place}: {name} must be given now"));
                }
            }
        }
        (Value::Array(old), Value::Array(new)) => {
            gone.extend(
                old.iter()
                    .filter(|was| !new.contains(was))
                    .map(|was| format!("{place}: {was} is gone")),
            );
        }
        // a type became a list of types
        (was, Value::Array(new)) if new.contains(was) => {}
        _ if old == new => {}
        _ => gone.push(format!("{place} was {old} and is {new}")),
    }
}

#[test]
fn no_operation_and_no_parameter_is_ever_taken_away() {
    let path = file("interface.json");
    let recorded: Value = fs::read_to_string(&path)
        .ok()
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    let now = json!({"operations": operations(), "actions": actions()});
    let mut gone = Vec::new();
    if !recorded.is_null() {
        taken_away("", &recorded["operations"], &now["operations"], &mut gone);
        taken_away("", &recorded["actions"], &now["actions"], &mut gone);
    }
    assert!(
        gone.is_empty(),
        "plugins that exist use what was taken away; give it back:\n{}",
        gone.join("\n")
    );
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, serde_json::to_string_pretty(&now).unwrap() + "\n").unwrap();
    } else {
        assert!(
            recorded == now,
            "the interface has grown; record it: UPDATE_EXPECT=1 cargo test \
            -p pallet-tests abi::interface"
        );
    }
}

#[test]
fn what_is_taken_away_is_found() {
    let found = |old: Value, new: Value| {
        let mut gone = Vec::new();
        taken_away("", &old, &new, &mut gone);
        gone.len()
    };
    let old = json!({
        "properties": {"a": {"type": "string"}, "b": {"enum": ["x", "y"]}}, "required": ["a"],
    });
    assert_eq!(found(old.clone(), old.clone()), 0);
    assert_eq!(
        found(
            old.clone(),
            json!({"properties": {
                "a": {"type": ["string", "null"]}, "b": {"enum": ["x", "y", "z"]}, "c": {},
            }})
        ),
        0
    );
    assert_eq!(found(old.clone(), json!({"properties": {"b": {"enum": ["x", "y"]}}})), 1);
    assert_eq!(
        found(
            old.clone(),
            json!({
                "properties": {"a": {"type": "integer"}, "b": {"enum": ["x"]}},
                "required": ["a", "b"],
            })
        ),
        3
    );
}

type Crossing = fn(Value) -> Result<Value, String>;

/// JSON after a round trip through this type.
fn crossed<T: Serialize + DeserializeOwned>(value: Value) -> Result<Value, String> {
    let read: T = serde_json::from_value(value).map_err(|error| error.to_string())?;
    serde_json::to_value(read).map_err(|error| error.to_string())
}

/// Every type that crosses the boundary, by its name.
fn payloads() -> BTreeMap<&'static str, Crossing> {
    macro_rules! types {
        ($($payload:ty),* $(,)?) => { BTreeMap::from([$(
            (stringify!($payload), crossed::<$payload> as Crossing),
        )*]) };
    }
    types![
        AdminUser,
        Block,
        CallFunction,
        ConnectService,
        Created,
        Credential,
        DeclareAction,
        GetSettings,
        InvokeService,
        Lease,
        Log,
        Manifest,
        Node,
        Offers,
        PluginError,
        PluginSummary,
        RunNodes,
        Scope,
        SetSettings,
        Target,
        WantedOffers,
    ]
}

/// The parts of `sample` that are missing in `crossed`, and the fields of `crossed` that the sample
/// lacks.
fn compare(
    place: &str,
    sample: &Value,
    crossed: &Value,
    lost: &mut Vec<String>,
    new: &mut Vec<String>,
) {
    match (sample, crossed) {
        (Value::Object(sample), Value::Object(crossed)) => {
            for (name, value) in sample {
                match crossed.get(name) {
                    Some(there) => compare(&format!("{place}.{name}"), value, there, lost, new),
                    None => lost.push(format!("{place}.{name}")),
                }
            }
            new.extend(
                crossed
                    .keys()
                    .filter(|name| !sample.contains_key(*name))
                    .map(|name| format!("{place}.{name}")),
            );
        }
        (Value::Array(sample), Value::Array(crossed)) if sample.len() == crossed.len() => {
            sample
                .iter()
                .zip(crossed)
                .for_each(|(sample, crossed)| compare(place, sample, crossed, lost, new));
        }
        _ if sample == crossed => {}
        _ => lost.push(format!("{place}: {sample} became {crossed}")),
    }
}

#[test]
fn no_field_of_a_payload_is_ever_taken_away() {
    let samples = read("payloads.json");
    let (mut lost, mut new) = (Vec::new(), Vec::new());
    for (name, cross) in payloads() {
        let samples = samples[name]
            .as_array()
            .unwrap_or_else(|| panic!("payloads.json has no sample of {name}"));
        for (number, sample) in samples.iter().enumerate() {
            // the first sample is complete, the others must be accepted as well
            let crossed = match cross(sample.clone()) {
                Ok(crossed) => crossed,
                Err(error) => panic!("{name} cannot be read any more from {sample}: {error}"),
            };
            let mut found = Vec::new();
            compare(
                name,
                sample,
                &crossed,
                &mut lost,
                if number == 0 { &mut new } else { &mut found },
            );
        }
    }
    assert!(
        lost.is_empty(),
        "plugins that exist say what is not understood any more:\n{}",
        lost.join("\n")
    );
    assert!(
        new.is_empty(),
        "payloads have grown; add these fields to the first samples in \
         tests/fixtures/abi/payloads.json:\n{}",
        new.join("\n")
    );
}

#[test]
fn every_payload_leaves_what_it_does_not_know() {
    let samples = read("payloads.json");
    for (name, cross) in payloads() {
        let mut sample = samples[name][0].clone();
        if let (Value::Object(fields), false) = (&mut sample, name == "Created") {
            fields.insert("said_by_a_later_version".to_owned(), json!({"a": [1]}));
        }
        cross(sample).unwrap_or_else(|error| {
            panic!("{name} refuses a field that it does not know: {error}")
        });
    }
}
