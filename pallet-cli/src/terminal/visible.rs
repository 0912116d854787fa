//! Makes output safe: control characters from files and nodes are escaped, and only colours painted
//! here take effect.

use std::borrow::Cow;
use std::fmt::Write;
use std::iter::Peekable;

use pallet_core::model::acts;
pub(crate) use pallet_core::model::visible;

/// Maximum length of a line, and of the line that a node is printing now, in characters.
const LINE: usize = 1000;
const NOW: usize = 200;

/// One line. If it is too long, its beginning and its end.
pub(crate) fn short(line: &str) -> Cow<'_, str> {
    let left_out = line.chars().count().saturating_sub(LINE);
    if left_out == 0 {
        return visible(line);
    }
    let from = |at| line.char_indices().nth(at).map_or(line.len(), |(at, _)| at);
    let (beginning, end) = (&line[..from(LINE / 2)], &line[from(LINE / 2 + left_out)..]);
    Cow::Owned(format!(
        "{} ... ({left_out} characters are left out) ... {}",
        visible(beginning),
        visible(end)
    ))
}

/// The beginning of a line, for the progress of a node.
pub(crate) fn beginning(line: &str) -> Cow<'_, str> {
    visible(line.char_indices().nth(NOW).map_or(line, |(end, _)| &line[..end]))
}

/// Text of several lines for a file: escapes everything but ends of lines and tabs that affects a
/// display, colours too.
pub(crate) fn plain_lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\t' => out.push(character),
            _ if acts(character) => out.extend(character.escape_unicode()),
            _ => out.push(character),
        }
    }
    out
}

/// Begins a colour in text that is not printed yet. It is a Unicode noncharacter, so no other text
/// contains it.
const PAINT: char = '\u{fdd0}';
/// Ends the colour code.
const PAINT_END: char = '\u{fdd1}';

/// Paints text in a colour when it is printed.
pub(crate) fn paint(text: &str, code: &str) -> String {
    format!("{PAINT}{code}{PAINT_END}{text}{PAINT}0{PAINT_END}")
}

/// Text as printed for a person: keeps lines and tabs, applies painted colours, and escapes
/// everything else that affects a terminal.
pub(crate) fn written(text: &str) -> Cow<'_, str> {
    let plain = |character: char| matches!(character, '\n' | '\t') || !acts(character);
    if text.chars().all(plain) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            PAINT => out.push_str(&colour(&mut characters)),
            character if plain(character) => out.push(character),
            character => out.extend(character.escape_unicode()),
        }
    }
    Cow::Owned(out)
}

/// Reads a colour code; if it is invalid, returns it as text.
fn colour(characters: &mut Peekable<impl Iterator<Item = char>>) -> String {
    let mut code = String::new();
    while let Some(digit) =
        characters.next_if(|character| character.is_ascii_digit() || *character == ';')
    {
        code.push(digit);
    }
    match characters.next_if_eq(&PAINT_END) {
        Some(_) => format!("\x1b[{code}m"),
        None => code,
    }
}

/// JSON as printed for a program, which may show it to a person: characters that affect a terminal
/// are written as JSON escapes.
pub(crate) fn written_json(json: &str) -> Cow<'_, str> {
    if !json.contains(acts) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 16);
    for character in json.chars() {
        if acts(character) {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(character);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_painted_is_colour() {
        let text = format!("{}\x1b[31m\u{202e}\r\n\tx\n", paint("good", "32;1"));
        assert_eq!(written(&text), "\x1b[32;1mgood\x1b[0m\\u{1b}[31m\\u{202e}\\u{d}\n\tx\n");
        assert_eq!(
            visible(&paint("a", "1")),
            "\\u{fdd0}1\\u{fdd1}a\\u{fdd0}0\\u{fdd1}",
            "what a node says is not painted"
        );
        assert_eq!(written("\u{fdd0}2J\u{fdd1}"), "2J\\u{fdd1}", "there are colours alone");
    }

    #[test]
    fn of_a_long_line_both_ends_are_shown() {
        let line = format!("begin{}end", "\u{fc}".repeat(5_000_000));
        let shown = short(&line);
        assert!(
            shown.starts_with("begin\u{fc}")
                && shown.ends_with("\u{fc}end")
                && shown.chars().count() < LINE + 100,
            "{shown}"
        );
        assert!(shown.contains(" (4999008 characters are left out) "), "{shown}");
        let whole = "x".repeat(LINE);
        assert_eq!(
            (short(&whole).as_ref(), beginning(&line).chars().count()),
            (whole.as_str(), NOW)
        );
    }

    #[test]
    fn json_stays_the_same_json() {
        let value = serde_json::json!({"line": "\x1b[31m\u{9b}\u{202e}\u{e0041}\u{fc}"});
        let json = value.to_string();
        let text = written_json(&json);
        assert!(!text.chars().any(acts) && text.contains('\u{fc}'), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).expect("it is JSON"), value);
    }
}
