//! What an ini file has of a section and a key, read as those read it who know such files.

use super::super::text::trim;

/// What a file has of a section and a key.
#[derive(Debug, Default)]
pub(super) struct Found<'a> {
    /// The lines that set the key.
    pub(super) own: Vec<usize>,
    /// The value in the last of them.
    pub(super) setting: &'a str,
    /// Lines that continue a value, with the line of its key.
    pub(super) parts: Vec<(usize, usize)>,
    /// Whether the section is there.
    pub(super) seen: bool,
    /// How many lines stand before a new one.
    pub(super) place: usize,
}

impl<'a> Found<'a> {
    pub(super) fn read(lines: &[&'a str], section: &str, key: &str, joins: bool) -> Self {
        let mut inside = section.is_empty();
        let mut found = Found { seen: inside, ..Found::default() };
        // the line of the key that was met last, and whether the line before this one goes on
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

/// How far a line is indented.
pub(super) fn depth(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '\t']).len()
}

/// The name of the section that a line begins: what stands before the first bracket that nothing
/// follows but a comment.
fn header(line: &str) -> Option<&str> {
    let inner = line.strip_prefix('[')?;
    let ends = |(at, _): &(usize, &str)| {
        let rest = trim(&inner[at + 1..]);
        rest.is_empty() || rest.starts_with([';', '#'])
    };
    inner.match_indices(']').find(ends).map(|(at, _)| trim(&inner[..at]))
}

/// What a line sets the key to, if it does.
fn setting_of<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let (name, value) = line.split_once('=').unwrap_or((line, ""));
    if trim(name) == key {
        return Some(trim(value));
    }
    let value = trim(line.strip_prefix(key)?).strip_prefix(':')?;
    // a colon can be a part of a longer key, where an equals sign comes behind it
    (value.is_empty() || value.starts_with([' ', '\t']) || !line.contains('=')).then(|| trim(value))
}
