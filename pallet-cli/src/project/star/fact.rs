//! The function `fact`, and the facts of a spec.

use std::collections::BTreeMap;

use pallet_core::engine::{FactKind, FactSpec};
use serde_json::Value as Json;
use starlark::values::{Value, ValueLike};

use super::arguments::BoundArguments;
use super::function_error::FunctionError;
use super::plain_data::{describe, sequence};
use super::signature::Signature;
use super::spec_values::FactValue;

/// The types of facts, by the names of Starlark's types.
const TYPES: [(&str, FactKind); 6] = [
    ("str", FactKind::Text),
    ("int", FactKind::Integer),
    ("float", FactKind::Number),
    ("bool", FactKind::Boolean),
    ("list", FactKind::Lines),
    ("dict", FactKind::Object),
];

/// The types, in words.
pub(crate) const TYPE: &str = "str, int, float, bool, list or dict";

/// The fact of a call.
pub(crate) fn fact(
    signature: &Signature,
    bound: &BoundArguments<'_>,
) -> Result<FactValue, FunctionError> {
    let text = |name: &str| bound.data.get(name).and_then(Json::as_str).unwrap_or_default();
    let (name, command) = (text("name"), text("command"));
    let complaint =
        |problem: String| FunctionError::new(format!("{}: {problem}", signature.function));
    let mut letters = name.chars();
    let begins = letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
    if !begins || !letters.all(|one| one.is_ascii_alphanumeric() || one == '_') {
        return Err(complaint(format!(
            "`name` must consist of letters, digits and _, and not begin with a digit, not {name:?}"
        )));
    }
    if command.trim().is_empty() || command.contains('\0') {
        return Err(complaint(format!("`command` of {name} is empty or holds a NUL character")));
    }
    let kind = match bound.value("type") {
        None => FactKind::Text,
        Some(value) => {
            let word = value.to_str();
            let known = TYPES.iter().find(|(known, _)| *known == word);
            let wrong = || complaint(format!("`type` must be {TYPE}, not {}", describe(value)));
            known.map(|(_, kind)| *kind).ok_or_else(wrong)?
        }
    };
    let default = bound.data.get("default").cloned();
    if let Some(default) = default.as_ref().filter(|default| !is_of(kind, default)) {
        let known = TYPES.iter().find(|(_, known)| *known == kind);
        let expected = known.map(|(name, _)| *name).unwrap_or_default();
        return Err(complaint(format!("`default` must be of the type {expected}, not {default}")));
    }
    let spec = FactSpec { command: command.to_owned(), kind, default };
    Ok(FactValue { name: name.to_owned(), spec })
}

/// Whether a default is of the type of its fact.
fn is_of(kind: FactKind, default: &Json) -> bool {
    match kind {
        FactKind::Text => default.is_string(),
        FactKind::Integer => default.is_i64(),
        FactKind::Number => default.is_number(),
        FactKind::Boolean => default.is_boolean(),
        FactKind::Lines => {
            default.as_array().is_some_and(|lines| lines.iter().all(Json::is_string))
        }
        FactKind::Object => default.is_object(),
    }
}

/// The facts of a spec, by name.
pub(crate) fn facts(
    signature: &Signature,
    value: Value<'_>,
) -> Result<BTreeMap<String, FactSpec>, FunctionError> {
    let wrong = |item: Value<'_>| {
        FunctionError::new(format!(
            "{}: `facts` must be a list of facts, made by the function fact, not {}",
            signature.function,
            describe(item)
        ))
    };
    let mut facts = BTreeMap::new();
    for item in sequence(value).ok_or_else(|| wrong(value))? {
        let fact = item.downcast_ref::<FactValue>().ok_or_else(|| wrong(item))?;
        if facts.insert(fact.name.clone(), fact.spec.clone()).is_some() {
            let message = format!("{}: there are two facts {}", signature.function, fact.name);
            return Err(FunctionError::new(message));
        }
    }
    Ok(facts)
}
