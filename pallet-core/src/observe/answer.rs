//! Parses the answers of the observing script: their frames and fields.

use std::collections::BTreeMap;

use super::ObserveError;

/// The fields of one answer.
pub(super) type Answer<'a> = Vec<&'a str>;

/// The answers in the output, in order; any other output is ignored.
pub(super) fn answers<'a>(token: &str, output: &'a str) -> Vec<Answer<'a>> {
    let (open, close, separator) =
        (format!("{token}< {token} "), format!(" {token} {token}> {token} "), format!(" {token} "));
    let mut rest = output;
    let mut found = Vec::new();
    while let Some(start) = rest.find(&open) {
        rest = &rest[start + open.len()..];
        let Some(end) = rest.find(&close) else { break };
        found.push(rest[..end].split(&separator).collect());
        rest = &rest[end + close.len()..];
    }
    found
}

pub(super) fn number<T: std::str::FromStr>(answer: &[&str], text: &str) -> Result<T, ObserveError> {
    text.parse().map_err(|_| malformed(answer))
}

pub(super) fn malformed(answer: &[&str]) -> ObserveError {
    ObserveError::Malformed { answer: answer.join(" ") }
}

/// Entries of passwd or group, by name.
pub(super) fn entries(lines: &str) -> BTreeMap<&str, Vec<&str>> {
    lines
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .map(|fields| (fields[0], fields))
        .collect()
}

pub(super) fn field<'a>(fields: &[&'a str], index: usize) -> Option<&'a str> {
    fields.get(index).copied()
}
