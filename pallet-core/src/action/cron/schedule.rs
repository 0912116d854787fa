//! The schedules of cron jobs.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Words for whole schedules, with their fields.
pub(super) const SPECIAL: [(&str, &str); 8] = [
    ("@reboot", ""),
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];
pub(super) const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
pub(super) const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// Checks one field of a schedule.
pub(super) fn check_times(text: &str, least: u32, most: u32, names: &[&str]) -> Result<(), String> {
    let value = |word: &str| -> Result<u32, String> {
        let named = names
            .iter()
            .position(|name| name.eq_ignore_ascii_case(word))
            .and_then(|at| u32::try_from(at).ok());
        let number = named.map(|at| at + least).or_else(|| {
            word.bytes().all(|byte| byte.is_ascii_digit()).then(|| word.parse().ok()).flatten()
        });
        match number {
            Some(number) if (least..=most).contains(&number) => Ok(number),
            Some(_) => Err(format!("{word} is not from {least} to {most}")),
            None => Err(format!(
                "{word:?} is not a number{}",
                if names.is_empty() { "" } else { " or a name of three letters" }
            )),
        }
    };
    for part in text.split(',') {
        let (range, step) =
            part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
        if let Some((low, high)) = range.split_once('-') {
            if value(low)? > value(high)? {
                return Err(format!("the range {range} is empty"));
            }
        } else if range != "*" {
            value(range)?;
            if step.is_some() {
                return Err(format!("a step needs a range, such as */5 or {range}-{most}/5"));
            }
        }
        if let Some(step) = step {
            match step.parse::<u32>() {
                Ok(number) if (1..=most).contains(&number) && !step.starts_with('+') => {}
                _ => return Err(format!("{step:?} is not a step from 1 to {most}")),
            }
        }
    }
    Ok(())
}

/// What a time may be given as.
#[derive(JsonSchema)]
#[schemars(inline)]
#[serde(untagged)]
#[expect(dead_code, reason = "it is only a schema")]
pub(super) enum TextOrNumber {
    Text(String),
    Number(u32),
}

pub(super) fn text_or_number<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<String, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        other => Err(serde::de::Error::custom(format!(
            "{other} is not a time; give a number or text such as \"*/15\""
        ))),
    }
}
