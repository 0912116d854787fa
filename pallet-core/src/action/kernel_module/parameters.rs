//! The parameters of a module, and the line of /etc/modprobe.d that has them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// What a parameter may be given as.
#[derive(JsonSchema)]
#[schemars(inline)]
#[serde(untagged)]
#[expect(dead_code, reason = "it is only a schema")]
pub(super) enum ParameterValue {
    Text(String),
    Number(i64),
}

/// Reads parameters, which may be numbers.
pub(super) fn texts<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    let text = |(name, value): (String, Value)| match value {
        Value::String(text) => Ok((name, text)),
        Value::Number(number) => Ok((name, number.to_string())),
        other => Err(serde::de::Error::custom(format!(
            "{other} is not a value of {name}; give text or a number"
        ))),
    };
    BTreeMap::<String, Value>::deserialize(deserializer)?.into_iter().map(text).collect()
}

/// Refuses what a line of modprobe.d(5) cannot hold.
pub(super) fn check_parameters(parameters: &BTreeMap<String, String>) -> Result<(), String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    for (name, value) in parameters {
        if name.is_empty() || !name.bytes().all(plain) {
            return Err(format!("{name:?} is not the name of a parameter"));
        }
        if value.contains(|char: char| char.is_control() || char == '"') || value.ends_with('\\') {
            return Err(format!(
                "the value {value:?} of {name} has a newline, a \" or a backslash at its end, \
                 which modprobe.d cannot hold"
            ));
        }
    }
    Ok(())
}

/// The line with the parameters of a module; empty if there are none.
pub(super) fn options(module: &str, parameters: &BTreeMap<String, String>) -> String {
    if parameters.is_empty() {
        return String::new();
    }
    let word = |(name, value): (&String, &String)| match value.contains(' ') {
        true => format!(" {name}=\"{value}\""),
        false => format!(" {name}={value}"),
    };
    format!("options {module}{}\n", parameters.iter().map(word).collect::<String>())
}
