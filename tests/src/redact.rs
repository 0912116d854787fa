//! Replaces text that differs between runs, so that output can be compared with a snapshot.

use std::path::Path;

/// Replacements, applied in order.
#[derive(Debug, Clone, Default)]
pub struct Redactions(Vec<(String, &'static str)>);

impl Redactions {
    /// No replacements yet.
    pub fn new() -> Self {
        Redactions::default()
    }

    /// Replaces a path.
    pub fn path(self, path: &Path, name: &'static str) -> Self {
        self.text(&path.to_string_lossy(), name)
    }

    /// Replaces a text.
    pub fn text(mut self, text: &str, name: &'static str) -> Self {
        self.0.push((text.to_owned(), name));
        self
    }

    /// Applies all replacements, and replaces durations such as `1.25 s` or `30ms`.
    pub fn apply(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (from, to) in &self.0 {
            text = text.replace(from, to);
        }
        durations(&text)
    }
}

fn durations(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let inside_a_word = rest[..start]
            .chars()
            .next_back()
            .is_some_and(|c| c.is_alphanumeric() || c == '-' || c == '.' || c == '_');
        let number = rest[start..]
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len() - start);
        let (before, after) = (&rest[..start], &rest[start + number..]);
        let unit = ["ms", " ms", "s", " s"].into_iter().find(|unit| {
            let end = after.strip_prefix(unit);
            end.is_some_and(|end| !end.starts_with(|c: char| c.is_alphanumeric()))
        });
        out.push_str(before);
        match unit {
            Some(unit) if !inside_a_word => {
                out.push_str("[time]");
                rest = &after[unit.len()..];
            }
            _ => {
                out.push_str(&rest[start..start + number]);
                rest = after;
            }
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_durations_are_replaced_and_nothing_else() {
        let redactions = Redactions::new().path(Path::new("/tmp/x1"), "[home]");
        let text = "/tmp/x1/pallet.star:3: web-1 took 1.25 s (30ms), 2 nodes, v1.0s3";
        assert_eq!(
            redactions.apply(text),
            "[home]/pallet.star:3: web-1 took [time] ([time]), 2 nodes, v1.0s3"
        );
    }
}
