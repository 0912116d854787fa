//! Positions as editors count them: lines from 0, and UTF-16 code units within a line.

use lsp_types::{Position, Range};

use crate::diagnostic::SourceSpan;

/// The byte of a position. A position beyond the end of its line is that end.
pub(super) fn offset(text: &str, position: Position) -> usize {
    let mut start = 0;
    for _ in 0..position.line {
        match text[start..].find('\n') {
            Some(end) => start += end + 1,
            None => return text.len(),
        }
    }
    let line = text[start..].split(['\n', '\r']).next().unwrap_or_default();
    let mut units = 0;
    for (index, character) in line.char_indices() {
        if units >= position.character as usize {
            return start + index;
        }
        units += character.len_utf16();
    }
    start + line.len()
}

/// The position of a byte of the text.
pub(super) fn position(text: &str, offset: usize) -> Position {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.rfind('\n').map_or(0, |end| end + 1);
    Position::new(
        number(before.matches('\n').count()),
        number(before[line..].encode_utf16().count()),
    )
}

/// The range of a place.
pub(super) fn range(place: &SourceSpan) -> Range {
    let line = place.line.saturating_sub(1);
    let column = place.column.saturating_sub(1) as usize;
    let units = |from: usize, count: usize| {
        place.excerpt.chars().skip(from).take(count).map(char::len_utf16).sum::<usize>()
    };
    let start = units(0, column);
    let end = start + units(column, place.length as usize);
    Range::new(Position::new(line, number(start)), Position::new(line, number(end)))
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// A name, with the names before it that are joined to it by dots: `nginx.site`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NamePath {
    pub(super) names: Vec<String>,
    /// The bytes of the last name.
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The name that contains or ends at a byte of the text.
pub(super) fn path_at(text: &str, at: usize) -> Option<NamePath> {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let bytes = text.as_bytes();
    let at = at.min(bytes.len());
    let end = at + bytes[at..].iter().take_while(|byte| is_name(byte)).count();
    let mut start = at - bytes[..at].iter().rev().take_while(|byte| is_name(byte)).count();
    let mut path = NamePath { names: vec![text.get(start..end)?.to_owned()], start, end };
    while start > 0 && bytes[start - 1] == b'.' {
        let dot = start - 1;
        start = dot - bytes[..dot].iter().rev().take_while(|byte| is_name(byte)).count();
        path.names.insert(0, text.get(start..dot)?.to_owned());
    }
    let is_path = path
        .names
        .iter()
        .all(|name| name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_'));
    is_path.then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_units_of_utf_16() {
        let text = "a\n\u{1f600}b = 1\r\nc";
        for (line, character, byte) in [
            (0, 0, 0),
            (0, 9, 1),
            (1, 0, 2),
            (1, 2, 6),
            (1, 3, 7),
            (1, 99, 11),
            (2, 0, 13),
            (7, 0, 14),
        ] {
            assert_eq!(offset(text, Position::new(line, character)), byte, "{line}:{character}");
        }
        assert_eq!(position(text, 6), Position::new(1, 2));
        let place = SourceSpan::of("f", text, 6..7);
        assert_eq!(range(&place), Range::new(Position::new(1, 2), Position::new(1, 3)));
    }

    #[test]
    fn a_path_is_names_joined_by_dots() {
        let names = |text: &str, at| path_at(text, at).map(|path| path.names.join("/"));
        assert_eq!(names("f(nginx.site(request))", 10).as_deref(), Some("nginx/site"));
        assert_eq!(names("f(nginx.site(request))", 3).as_deref(), Some("nginx"));
        assert_eq!(names("a = 12", 6), None);
        assert_eq!(names("f().x", 5), None);
        assert_eq!(names("", 7), None);
        assert_eq!(names("\u{e9}x", 3).as_deref(), Some("x"));
    }
}
