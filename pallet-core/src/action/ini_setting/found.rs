//! Parses what an INI file has for a section and a key, like common parsers of such files.

use super::super::text::trim;

/// What a file has for a section and a key.
#[derive(Debug, Default)]
pub(super) struct Found<'a> {
    /// The lines that set the key.
    pub(super) own: Vec<usize>,
    /// The value on the last of them.
    pub(super) setting: &'a str,
    /// Lines that continue a value, each with the line of its key.
    pub(super) parts: Vec<(usize, usize)>,
    /// Whether the section exists.
    pub(super) seen: bool,
    /// The number of lines before the place of a new line.
    pub(super) place: usize,
}

impl<'a> Found<'a> {
    pub(super) fn read(lines: &[&'a str], section: &str, key: &str, joins: bool) -> Self {
        let mut inside = section.is_empty();
        let mut found = Found { seen: inside, ..Found::default() };
        // the line of the last key, and whether the previous line ends with a continuation
        let (mut item, mut joined) = (None, false);
        for (at, whole) in lines.iter().enumerate() {
            let line = trim(whole);
            let comment = line.starts_with([';', '#']);
            let deeper = !joins
                && !line.is_empty()
                && item.is_some_and(|item: usize| depth(whole) > depth(lines[item]));
            if let Some(item) = item.filter(|_| joined || deeper) {
                if !comment {
                    found.parts.push((at, item));
                    joined = joined && line.ends_with('\\');
                }
            } else if line.is_empty() {
                continue;
            } else if let Some(name) = header(line).filter(|_| !comment) {
                item = None;
                inside = name == section;
                found.seen = found.seen || inside;
            } else if !comment {
                item = Some(at);
                joined = joins && line.ends_with('\\');
                if let Some(value) = setting_of(line, key).filter(|_| inside) {
                    found.own.push(at);
                    found.setting = value;
                }
            }
            if inside {
                found.place = at + 1;
            }
        }
        found
    }
}

/// The indentation of a line.
pub(super) fn depth(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '\t']).len()
}

/// The name of the section that starts at a line: everything up to the first closing bracket that
/// is followed by nothing but a comment.
fn header(line: &str) -> Option<&str> {
    let inner = line.strip_prefix('[')?;
    let ends = |(at, _): &(usize, &str)| {
        let rest = trim(&inner[at + 1..]);
        rest.is_empty() || rest.starts_with([';', '#'])
    };
    inner.match_indices(']').find(ends).map(|(at, _)| trim(&inner[..at]))
}

/// The value, if the line sets the key.
fn setting_of<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let (name, value) = line.split_once('=').unwrap_or((line, ""));
    if trim(name) == key {
        return Some(trim(value));
    }
    let value = trim(line.strip_prefix(key)?).strip_prefix(':')?;
    // a colon followed by an equals sign may be part of a longer key
    (value.is_empty() || value.starts_with([' ', '\t']) || !line.contains('=')).then(|| trim(value))
}
