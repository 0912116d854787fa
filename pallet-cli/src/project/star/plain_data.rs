//! Converts Starlark values to plain data, and describes them in messages.

use serde_json::Value as Json;
use starlark::values::Value;
use starlark::values::dict::DictRef;
use starlark::values::structs::StructRef;

use super::function_error::FunctionError;

/// Maximum nesting of plain data; less than the JSON parser on the other side allows.
const DEPTH: usize = 100;

/// Maximum number of values in plain data.
const VALUES: usize = 1_000_000;

/// Converts a value to plain data.
pub(crate) fn to_json(value: Value<'_>) -> Result<Json, FunctionError> {
    check_size(value)?;
    value
        .to_json_value()
        .map_err(|_| FunctionError::new(format!("must be plain data, not {}", describe(value))))
}

/// Refuses values that are nested too deep or too large: a value may contain another one many
/// times.
fn check_size(value: Value<'_>) -> Result<(), FunctionError> {
    let mut open = vec![(value, 0)];
    let mut seen = 0;
    while let Some((value, depth)) = open.pop() {
        seen += 1;
        if depth > DEPTH {
            return Err(FunctionError::new(format!(
                "is nested too deep: more than {DEPTH} levels of lists and dicts"
            )));
        }
        if let Some(items) = sequence(value) {
            open.extend(items.into_iter().map(|item| (item, depth + 1)));
        } else if let Some(dict) = DictRef::from_value(value) {
            open.extend(dict.iter().map(|(_, item)| (item, depth + 1)));
        } else if let Some(fields) = StructRef::from_value(value) {
            open.extend(fields.iter().map(|(_, item)| (item, depth + 1)));
        }
        if seen + open.len() > VALUES {
            return Err(FunctionError::new(format!(
                "is too big: it holds more than {VALUES} values"
            )));
        }
    }
    Ok(())
}

/// A value in messages: its type, and the value itself if it is short.
pub(crate) fn describe(value: Value<'_>) -> String {
    let text = value.to_repr();
    match value.get_type() {
        "string" if text.len() <= 60 => format!("the string {text}"),
        "int" | "float" | "bool" | "NoneType" => text,
        "function" => format!("the function {}", function_name(value)),
        "string" => "a long string".to_owned(),
        other => format!("a {other}"),
    }
}

/// The name of a function.
pub(crate) fn function_name(value: Value<'_>) -> String {
    let name = value.to_str();
    name.rsplit(".star.").next().unwrap_or(&name).to_owned()
}

/// The strings of a value that is a string or a list of strings.
pub(crate) fn names(value: Value<'_>) -> Option<Vec<String>> {
    match value.unpack_str() {
        Some(name) => Some(vec![name.to_owned()]),
        None => {
            sequence(value)?.into_iter().map(|item| item.unpack_str().map(str::to_owned)).collect()
        }
    }
}

/// The items of a list or a tuple.
pub(crate) fn sequence(value: Value<'_>) -> Option<Vec<Value<'_>>> {
    use starlark::values::list::ListRef;
    use starlark::values::tuple::TupleRef;
    match ListRef::from_value(value) {
        Some(list) => Some(list.iter().collect()),
        None => TupleRef::from_value(value).map(|tuple| tuple.iter().collect()),
    }
}
