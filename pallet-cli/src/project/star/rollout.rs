//! The function `rollout`.

use std::time::Duration;

use pallet_core::engine::{Rollout, Share, Waves};
use serde_json::{Map, Value as Json};
use starlark::eval::Evaluator;

use super::arguments::BoundArguments;
use super::function_error::FunctionError;
use super::signature::Signature;
use super::spec_parts::phase;
use super::spec_values::RolloutValue;

/// The rollout of a call.
pub(crate) fn rollout<'v>(
    signature: &Signature,
    bound: &BoundArguments<'v>,
    evaluator: &mut Evaluator<'v, '_, '_>,
) -> Result<RolloutValue, FunctionError> {
    let wrong = |name: &str, error: String| {
        FunctionError::new(format!("{}: `{name}`: {error}", signature.function))
    };
    let data: &Map<String, Json> = &bound.data;
    let waves = data.get("waves").map(|waves| Waves::parse(&words(waves)));
    let waves = waves.transpose().map_err(|error| wrong("waves", error.to_string()))?;
    let max_failures = data.get("max_failures").map(|most| word(most).parse::<Share>());
    let max_failures =
        max_failures.transpose().map_err(|error| wrong("max_failures", error.to_string()))?;
    let pause = data.get("pause").map(time).transpose().map_err(|error| wrong("pause", error))?;
    let surge = data.get("surge").and_then(Json::as_u64).unwrap_or_default();
    let health = bound
        .value("health")
        .map(|function| phase(signature, "health", function, evaluator))
        .transpose()?;
    let rollout = Rollout {
        waves,
        max_failures,
        health,
        pause: pause.unwrap_or_default(),
        surge: u32::try_from(surge).unwrap_or(u32::MAX),
    };
    Ok(RolloutValue { rollout })
}

/// A number or a string, as it would be written on the command line.
fn word(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn words(value: &Json) -> Vec<String> {
    match value {
        Json::Array(items) => items.iter().map(word).collect(),
        one => vec![word(one)],
    }
}

/// A time: a number of seconds, or text such as `30s` and `5m`.
fn time(value: &Json) -> Result<Duration, String> {
    match value {
        Json::String(text) => humantime::parse_duration(text).map_err(|_| {
            format!("{text:?} is not a time: write seconds, or text such as \"30s\" or \"5m\"")
        }),
        seconds => Ok(Duration::from_secs(seconds.as_u64().unwrap_or_default())),
    }
}
