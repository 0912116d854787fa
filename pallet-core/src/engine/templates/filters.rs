//! The filters, tests and functions that MiniJinja lacks, or that differ from Jinja2.

use std::fmt::Write as _;

use minijinja::value::{Kwargs, Rest, ValueKind, ValueOrKwargs};
use minijinja::{AutoEscape, Environment, Error, State, Value};

use super::arguments::{Given, bounded, centered, lines, text, wrong};
use super::comment::comment;
use super::cycler::Cycler;
use super::wrap::Wrap;

pub(super) fn add(environment: &mut Environment<'static>) {
    minijinja_contrib::add_to_environment(environment);
    environment.add_filter("center", center);
    environment.add_filter("comment", comment);
    environment.add_filter("d", default);
    environment.add_filter("default", default);
    environment.add_filter("dictsort", dictsort);
    environment.add_filter("filesizeformat", filesizeformat);
    environment.add_filter("e", escape);
    environment.add_filter("escape", escape);
    environment.add_filter("float", float);
    environment.add_filter("forceescape", forceescape);
    environment.add_filter("indent", indent);
    environment.add_filter("int", int);
    environment.add_filter("tojson", tojson);
    environment.add_filter("truncate", truncate);
    environment.add_filter("urlencode", urlencode);
    environment.add_filter("wordwrap", wordwrap);
    environment.add_filter("xmlattr", xmlattr);
    environment.add_filter(super::percent::FILTER, percent);
    environment.add_test("sequence", |value: &Value| {
        matches!(value.kind(), ValueKind::Seq | ValueKind::Map | ValueKind::String)
    });
    environment.add_function("cycler", |items: Rest<Value>| {
        Value::from_object(Cycler::new(items.to_vec()))
    });
    environment.set_formatter(|out, state, value| match float_text(value) {
        Some(text) => Ok(out.write_str(&text)?),
        None if matches!(state.auto_escape(), AutoEscape::Html)
            && !value.is_safe()
            && !value.is_undefined() =>
        {
            Ok(out.write_str(&html(&text(value)))?)
        }
        None => minijinja::escape_formatter(out, state, value),
    });
}

/// A number in Python's exponent notation, where MiniJinja would write all digits; `None` where
/// they agree.
fn float_text(value: &Value) -> Option<String> {
    if value.kind() != ValueKind::Number || value.is_integer() {
        return None;
    }
    let number =
        f64::try_from(value.clone()).ok().filter(|number| number.is_finite() && *number != 0.0)?;
    if (1e-4..1e16).contains(&number.abs()) {
        return None;
    }
    let text = format!("{number:e}");
    let (digits, exponent) = text.split_once('e')?;
    let (sign, exponent) =
        exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
    Some(format!("{digits}e{sign}{exponent:0>2}"))
}

fn indent(given: Rest<ValueOrKwargs>) -> Result<String, Error> {
    let given = Given::read(given, &["width", "first", "blank"])?;
    let indention = match given.get(0) {
        Some(width) if width.as_str().is_some() => text(width),
        _ => " ".repeat(bounded(given.number(0, 4)?)?),
    };
    let (first, blank) = (given.flag(1, false), given.flag(2, false));
    // as in Jinja2, a line end at the end of the text begins another line
    let content = text(&given.value) + "\n";
    let lines = lines(&content, false);
    bounded(indention.len().saturating_mul(lines.len()).saturating_add(content.len()))?;
    let mut made = String::new();
    for (number, line) in lines.iter().enumerate() {
        if number > 0 {
            made.push('\n');
        }
        let indented = if number == 0 { first } else { blank || !line.is_empty() };
        if indented {
            made.push_str(&indention);
        }
        made.push_str(line);
    }
    Ok(made)
}

fn center(given: Rest<ValueOrKwargs>) -> Result<String, Error> {
    let given = Given::read(given, &["width"])?;
    centered(&text(&given.value), given.number(0, 80)?, ' ')
}

fn truncate(given: Rest<ValueOrKwargs>) -> Result<String, Error> {
    let given = Given::read(given, &["length", "killwords", "end", "leeway"])?;
    let whole = text(&given.value);
    let (length, end) = (given.number(0, 255)?, given.text(2, "..."));
    if whole.chars().count() <= length.saturating_add(given.number(3, 5)?) {
        return Ok(whole);
    }
    let Some(kept) = length.checked_sub(end.chars().count()) else {
        return Err(wrong(format!("a length of {length} characters is too short for {end:?}")));
    };
    let begin: String = whole.chars().take(kept).collect();
    let begin = if given.flag(1, false) {
        begin.as_str()
    } else {
        begin.rsplit_once(' ').map_or(begin.as_str(), |(begin, _)| begin)
    };
    Ok(format!("{begin}{end}"))
}

fn wordwrap(given: Rest<ValueOrKwargs>) -> Result<String, Error> {
    let given =
        Given::read(given, &["width", "break_long_words", "wrapstring", "break_on_hyphens"])?;
    let wrap = Wrap {
        width: given.number(0, 79)?,
        long_words: given.flag(1, true),
        hyphens: given.flag(3, true),
    };
    if wrap.width == 0 {
        return Err(wrong("the width must be at least 1"));
    }
    let (end, whole) = (given.text(2, "\n"), text(&given.value));
    let wrapped: Vec<String> =
        lines(&whole, false).into_iter().map(|line| wrap.lines(line).join(&end)).collect();
    Ok(wrapped.join(&end))
}

fn default(
    value: &Value,
    other: Option<Value>,
    boolean: Option<bool>,
    named: Kwargs,
) -> Result<Value, Error> {
    let other = other
        .map_or_else(|| named.get::<Option<Value>>("default_value"), |other| Ok(Some(other)))?;
    let boolean = boolean
        .map_or_else(|| named.get::<Option<bool>>("boolean"), |boolean| Ok(Some(boolean)))?;
    named.assert_all_used()?;
    let lacks = value.is_undefined() || (boolean == Some(true) && !value.is_true());
    Ok(if lacks { other.unwrap_or_else(|| Value::from("")) } else { value.clone() })
}

fn filesizeformat(given: Rest<ValueOrKwargs>) -> Result<Value, Error> {
    let given = Given::read(given, &["binary"])?;
    let bytes = f64::try_from(given.value.clone())?;
    Ok(Value::from(minijinja_contrib::filters::filesizeformat(bytes, Some(given.flag(0, false)))))
}

fn dictsort(given: Rest<ValueOrKwargs>) -> Result<Value, Error> {
    let names = ["case_sensitive", "by", "reverse"];
    let given = Given::read(given, &names)?;
    let named = names
        .iter()
        .enumerate()
        .filter_map(|(place, name)| Some((*name, given.get(place)?.clone())));
    minijinja::filters::dictsort(&given.value, named.collect())
}

fn int(state: &State<'_, '_>, given: Rest<ValueOrKwargs>) -> Result<Value, Error> {
    let given = Given::read(given, &["default", "base"])?;
    let default = || given.get(0).cloned().unwrap_or(Value::from(0));
    let base = u32::try_from(given.number(1, 10)?).unwrap_or_default();
    let Some(written) = given.value.as_str() else {
        return Ok(match given.value.kind() {
            ValueKind::Number | ValueKind::Bool => minijinja::filters::int(
                state,
                &given.value,
                None,
                None,
                Kwargs::from_iter([("default", default())]),
            )?,
            _ => default(),
        });
    };
    let written = written.trim().replace('_', "");
    let (sign, digits) = match written.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, written.strip_prefix('+').unwrap_or(&written)),
    };
    let lower = digits.to_ascii_lowercase();
    let prefix = match base {
        2 => "0b",
        8 => "0o",
        16 => "0x",
        _ => "",
    };
    let digits = if prefix.is_empty() {
        lower.as_str()
    } else {
        lower.strip_prefix(prefix).unwrap_or(&lower)
    };
    if (2..=36).contains(&base)
        && let Ok(number) = i128::from_str_radix(digits, base)
    {
        return Ok(Value::from(sign * number));
    }
    Ok(match number(&written) {
        Some(number) if number.is_finite() && number.abs() < 1e30 => {
            Value::from(number.trunc() as i128)
        }
        _ => default(),
    })
}

fn float(given: Rest<ValueOrKwargs>) -> Result<Value, Error> {
    let given = Given::read(given, &["default"])?;
    let default = || given.get(0).cloned().unwrap_or(Value::from(0.0));
    Ok(match given.value.as_str() {
        Some(written) => number(written.trim()).map_or_else(default, Value::from),
        None if given.value.kind() == ValueKind::Bool => {
            Value::from(f64::from(u8::from(given.value.is_true())))
        }
        None => f64::try_from(given.value.clone()).map_or_else(|_| default(), Value::from),
    })
}

/// Parses a number like Python's `float`.
fn number(written: &str) -> Option<f64> {
    written.replace('_', "").parse().ok()
}

fn escape(value: &Value) -> Value {
    if value.is_safe() { value.clone() } else { forceescape(value) }
}

fn forceescape(value: &Value) -> Value {
    Value::from_safe_string(html(&text(value)))
}

/// Escapes text for HTML.
fn html(text: &str) -> String {
    let mut made = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => made.push_str("&amp;"),
            '<' => made.push_str("&lt;"),
            '>' => made.push_str("&gt;"),
            '\'' => made.push_str("&#39;"),
            '"' => made.push_str("&#34;"),
            other => made.push(other),
        }
    }
    made
}

fn tojson(value: &Value, indent: Option<Value>, named: Kwargs) -> Result<Value, Error> {
    let made = text(&minijinja::filters::tojson(value, indent, named)?);
    let mut plain = String::with_capacity(made.len());
    for letter in made.chars() {
        if letter.is_ascii() {
            plain.push(letter);
            continue;
        }
        for unit in letter.encode_utf16(&mut [0; 2]) {
            let _ = write!(plain, "\\u{unit:04x}");
        }
    }
    Ok(Value::from_safe_string(plain))
}

fn urlencode(value: &Value) -> Result<String, Error> {
    // in a query, a space becomes a plus, and a slash is escaped
    let part = |value: &Value| {
        let text = minijinja::filters::urlencode(&Value::from(text(value)))?;
        Ok::<_, Error>(text.replace('/', "%2F").replace("%20", "+").replace("%7E", "~"))
    };
    let pairs: Vec<(Value, Value)> = match value.kind() {
        ValueKind::Map => {
            let pair = |key: Value| Ok::<_, Error>((key.clone(), value.get_item(&key)?));
            value.try_iter()?.map(pair).collect::<Result<_, _>>()?
        }
        ValueKind::Seq | ValueKind::Iterable => {
            let pair = |pair: Value| {
                Ok::<_, Error>((pair.get_item(&Value::from(0))?, pair.get_item(&Value::from(1))?))
            };
            value.try_iter()?.map(pair).collect::<Result<_, _>>()?
        }
        _ => return Ok(minijinja::filters::urlencode(value)?.replace("%7E", "~")),
    };
    let pairs =
        pairs.iter().map(|(key, value)| Ok::<_, Error>(format!("{}={}", part(key)?, part(value)?)));
    Ok(pairs.collect::<Result<Vec<_>, _>>()?.join("&"))
}

fn xmlattr(value: &Value, autospace: Option<bool>) -> Result<Value, Error> {
    let mut made = String::new();
    for key in value.try_iter()? {
        let (value, name) = (value.get_item(&key)?, text(&key));
        if value.is_none() || value.is_undefined() {
            continue;
        }
        if name.is_empty()
            || name.contains(|letter: char| {
                letter.is_whitespace() || matches!(letter, '/' | '>' | '=')
            })
        {
            return Err(wrong(format!("{name:?} cannot be the name of an attribute")));
        }
        if !made.is_empty() || autospace.unwrap_or(true) {
            made.push(' ');
        }
        let _ = write!(made, "{}=\"{}\"", html(&name), html(&text(&value)));
    }
    Ok(Value::from_safe_string(made))
}

/// `"%s" % value`.
fn percent(state: &mut State<'_, '_>, format: Value, value: Value) -> Result<Value, Error> {
    let mut arguments = vec![format];
    arguments.extend::<Vec<Value>>(match (value.kind(), value.is_tuple()) {
        (ValueKind::Seq, true) => value.try_iter()?.collect(),
        (ValueKind::Map, _) => {
            let pair = |key: Value| Ok::<_, Error>((text(&key), value.get_item(&key)?));
            let named = value.try_iter()?.map(pair).collect::<Result<Vec<_>, _>>()?;
            vec![named.into_iter().collect::<Kwargs>().into()]
        }
        _ => vec![value],
    });
    state.apply_filter("format", &arguments)
}
