//! TOML values as plain data.

use std::ops::Range;

use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A key, its place, and its value.
pub(super) type Item<'a, 'i> = (&'a str, Range<usize>, &'a Spanned<DeValue<'i>>);

/// The items of a table.
pub(super) fn items<'a, 'i>(table: &'a DeTable<'i>) -> impl Iterator<Item = Item<'a, 'i>> {
    table.iter().map(|(key, value)| (key.get_ref().as_ref(), key.span(), value))
}

/// A value as JSON; a date becomes text.
pub(super) fn json(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Boolean(value) => Value::Bool(*value),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => number.into(),
            Err(_) => Value::String(number.as_str().to_owned()),
        },
        DeValue::Float(number) => number.as_str().parse::<f64>().map_or(Value::Null, Value::from),
        DeValue::Datetime(time) => Value::String(time.to_string()),
        DeValue::Array(items) => items.iter().map(|item| json(item.get_ref())).collect(),
        DeValue::Table(table) => Value::Object(
            items(table)
                .map(|(key, _, value)| (key.to_owned(), json(value.get_ref())))
                .collect::<Map<_, _>>(),
        ),
    }
}

/// A whole number of at least 1.
pub(super) fn positive(value: &DeValue<'_>) -> Option<u32> {
    let number = value.as_integer()?.as_str().parse().ok()?;
    (number > 0).then_some(number)
}
