//! The methods of Python's types that templates can call.

use minijinja::value::{ValueKind, from_args};
use minijinja::{Error, ErrorKind, State, Value};

use super::arguments::{bounded, centered, lines, wrong};

pub(super) fn call(
    state: &mut State<'_, '_>,
    value: &Value,
    method: &str,
    arguments: &[Value],
) -> Result<Value, Error> {
    let own = match (value.kind(), value.as_str()) {
        (ValueKind::String, Some(text)) => of_text(text, method, arguments),
        (ValueKind::Seq, _) => of_list(value, method, arguments),
        _ => Err(Error::from(ErrorKind::UnknownMethod)),
    };
    match own {
        Err(error) if error.kind() == ErrorKind::UnknownMethod => {
            minijinja_contrib::pycompat::unknown_method_callback(state, value, method, arguments)
        }
        end => end,
    }
}

fn of_list(value: &Value, method: &str, arguments: &[Value]) -> Result<Value, Error> {
    match method {
        "copy" => {
            let () = from_args(arguments)?;
            Ok(value.try_iter()?.collect())
        }
        "index" => {
            let (wanted,): (Value,) = from_args(arguments)?;
            let at = value.try_iter()?.position(|item| item == wanted);
            at.map(Value::from).ok_or_else(|| wrong(format!("{wanted} is not in the list")))
        }
        "append" | "extend" | "insert" | "remove" | "pop" | "sort" | "reverse" | "clear" => {
            Err(wrong(format!(
                "lists in templates are immutable, so there is no {method}; make a new one, as \
                 in {{% set list = list + [item] %}}"
            )))
        }
        _ => Err(Error::from(ErrorKind::UnknownMethod)),
    }
}

fn of_text(text: &str, method: &str, arguments: &[Value]) -> Result<Value, Error> {
    let padding = || {
        let (width, fill): (usize, Option<char>) = from_args(arguments)?;
        let missing = bounded(width)?.saturating_sub(text.chars().count());
        Ok::<_, Error>(std::iter::repeat_n(fill.unwrap_or(' '), missing).collect::<String>())
    };
    let found = |at: Option<usize>, part: &str| match at {
        Some(at) => Ok(Value::from(text[..at].chars().count())),
        None => Err(wrong(format!("{part:?} is not in the text"))),
    };
    Ok(match method {
        "center" => {
            let (width, fill): (usize, Option<char>) = from_args(arguments)?;
            Value::from(centered(text, width, fill.unwrap_or(' '))?)
        }
        "expandtabs" => {
            let (size,): (Option<usize>,) = from_args(arguments)?;
            Value::from(expanded(text, size.unwrap_or(8))?)
        }
        "format" => {
            // a width makes at least that many characters
            let widths = text
                .split(|letter: char| !letter.is_ascii_digit())
                .filter(|digits| !digits.is_empty());
            for width in widths {
                bounded(width.parse().unwrap_or(usize::MAX))?;
            }
            // a width may also be an argument
            let numbers = arguments.iter().filter(|argument| argument.is_integer());
            if text.split(':').skip(1).any(|spec| spec.contains('{'))
                && numbers.cloned().any(|number| {
                    i64::try_from(number).is_ok_and(|number| {
                        bounded(usize::try_from(number).unwrap_or_default()).is_err()
                    })
                })
            {
                return Err(wrong("a width is too large"));
            }
            return Err(Error::from(ErrorKind::UnknownMethod));
        }
        "index" => {
            let (part,): (&str,) = from_args(arguments)?;
            found(text.find(part), part)?
        }
        "rindex" => {
            let (part,): (&str,) = from_args(arguments)?;
            found(text.rfind(part), part)?
        }
        "isdecimal" => Value::from(!text.is_empty() && text.chars().all(char::is_numeric)),
        "ljust" => Value::from(text.to_owned() + &padding()?),
        "rjust" => Value::from(padding()? + text),
        "partition" | "rpartition" => {
            let (separator,): (&str,) = from_args(arguments)?;
            if separator.is_empty() {
                return Err(wrong("the separator is empty"));
            }
            let parts = match (method, text.split_once(separator), text.rsplit_once(separator)) {
                ("partition", Some((before, after)), _)
                | ("rpartition", _, Some((before, after))) => [before, separator, after],
                ("partition", ..) => [text, "", ""],
                _ => ["", "", text],
            };
            minijinja::value::Tuple::new(parts.map(Value::from).to_vec()).into()
        }
        "removeprefix" => {
            let (part,): (&str,) = from_args(arguments)?;
            Value::from(text.strip_prefix(part).unwrap_or(text))
        }
        "removesuffix" => {
            let (part,): (&str,) = from_args(arguments)?;
            Value::from(text.strip_suffix(part).unwrap_or(text))
        }
        "rsplit" => {
            let (separator, most): (Option<&str>, Option<i64>) = from_args(arguments)?;
            let most = most
                .and_then(|most| usize::try_from(most).ok())
                .map_or(usize::MAX, |most| most.saturating_add(1));
            let mut parts: Vec<&str> = match separator {
                Some("") => return Err(wrong("the separator is empty")),
                Some(separator) => text.rsplitn(most, separator).collect(),
                None if most == usize::MAX => text.split_whitespace().rev().collect(),
                None => words_from_behind(text, most),
            };
            parts.reverse();
            parts.into_iter().map(Value::from).collect()
        }
        "splitlines" => {
            let (keep,): (Option<bool>,) = from_args(arguments)?;
            lines(text, keep.unwrap_or(false)).into_iter().map(Value::from).collect()
        }
        "swapcase" => {
            let swapped = text.chars().flat_map(|letter| match letter.is_uppercase() {
                true => letter.to_lowercase().collect::<Vec<_>>(),
                false => letter.to_uppercase().collect(),
            });
            Value::from(swapped.collect::<String>())
        }
        "zfill" => {
            let (width,): (usize,) = from_args(arguments)?;
            let missing = bounded(width)?.saturating_sub(text.chars().count());
            let sign = text.len() - text.trim_start_matches(['+', '-']).len();
            let (sign, digits) = text.split_at(sign.min(1));
            Value::from(format!("{sign}{}{digits}", "0".repeat(missing)))
        }
        _ => return Err(Error::from(ErrorKind::UnknownMethod)),
    })
}

/// Splits at most `most - 1` words off the end of a text, last word first; the rest of the text
/// comes last.
fn words_from_behind(text: &str, most: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text.trim_end();
    while !rest.is_empty() {
        if parts.len() + 1 == most {
            parts.push(rest);
            break;
        }
        let (before, word) = rest.rsplit_once(char::is_whitespace).unwrap_or(("", rest));
        parts.push(word);
        rest = before.trim_end();
    }
    parts
}

fn expanded(text: &str, size: usize) -> Result<String, Error> {
    bounded(size.saturating_mul(text.matches('\t').count()).saturating_add(text.len()))?;
    let (mut made, mut column) = (String::new(), 0);
    for letter in text.chars() {
        match letter {
            '\t' if size > 0 => {
                let blanks = size - column % size;
                made.extend(std::iter::repeat_n(' ', blanks));
                column += blanks;
            }
            '\t' => {}
            _ => {
                made.push(letter);
                column = if matches!(letter, '\n' | '\r') { 0 } else { column + 1 };
            }
        }
    }
    Ok(made)
}
