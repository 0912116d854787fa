//! The arguments of filters, and helpers that filters share.

use minijinja::value::{Kwargs, Rest, ValueOrKwargs, from_args};
use minijinja::{Error, ErrorKind, Value};

/// Maximum length of a filter's result, in characters.
const LONGEST: usize = 16 << 20;

/// A filter's input: its value, and its arguments by name or position.
pub(super) struct Given {
    pub(super) value: Value,
    arguments: Vec<Option<Value>>,
}

impl Given {
    pub(super) fn read(given: Rest<ValueOrKwargs>, names: &[&str]) -> Result<Self, Error> {
        let given = given.into_values();
        let (places, named) = from_args::<(&[Value], Kwargs)>(&given)?;
        let Some((value, places)) = places.split_first() else {
            return Err(Error::from(ErrorKind::MissingArgument));
        };
        if places.len() > names.len() {
            return Err(Error::from(ErrorKind::TooManyArguments));
        }
        let mut arguments = Vec::new();
        for (place, name) in names.iter().enumerate() {
            arguments.push(match places.get(place) {
                Some(value) => Some(value.clone()),
                None if named.has(name) => Some(named.get::<Value>(name)?),
                None => None,
            });
        }
        named.assert_all_used()?;
        Ok(Given { value: value.clone(), arguments })
    }

    /// An argument; `None` if it is omitted.
    pub(super) fn get(&self, place: usize) -> Option<&Value> {
        self.arguments.get(place).and_then(Option::as_ref)
    }

    pub(super) fn number(&self, place: usize, default: usize) -> Result<usize, Error> {
        self.get(place).map_or(Ok(default), |value| usize::try_from(value.clone()))
    }

    pub(super) fn flag(&self, place: usize, default: bool) -> bool {
        self.get(place).map_or(default, Value::is_true)
    }

    pub(super) fn text(&self, place: usize, default: &str) -> String {
        self.get(place).map_or_else(|| default.to_owned(), text)
    }
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

pub(super) fn wrong(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}

/// Refuses a result that would be too long.
pub(super) fn bounded(length: usize) -> Result<usize, Error> {
    if length > LONGEST {
        Err(wrong(format!("a text of {length} characters is too long")))
    } else {
        Ok(length)
    }
}

/// Splits a text into lines like Python's `splitlines`.
pub(super) fn lines(text: &str, keep_ends: bool) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    let is_end = |letter: char| {
        matches!(
            letter,
            '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'
                ..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'
        )
    };
    while let Some(at) = rest.find(is_end) {
        let length = if rest[at..].starts_with("\r\n") {
            2
        } else {
            rest[at..].chars().next().map_or(1, char::len_utf8)
        };
        lines.push(if keep_ends { &rest[..at + length] } else { &rest[..at] });
        rest = &rest[at + length..];
    }
    if !rest.is_empty() {
        lines.push(rest);
    }
    lines
}

pub(super) fn centered(text: &str, width: usize, fill: char) -> Result<String, Error> {
    let length = text.chars().count();
    let missing = bounded(width)?.saturating_sub(length);
    // if the padding is uneven, the extra character goes where Python's `center` puts it
    let left = missing / 2 + (missing & width & 1);
    let blanks = |count| std::iter::repeat_n(fill, count).collect::<String>();
    Ok(blanks(left) + text + &blanks(missing - left))
}
