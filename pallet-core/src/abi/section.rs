//! The summary of a plugin as bytes that a constant can hold, to stand in an ELF section of its own.

/// The size of the section; what the summary does not fill is spaces.
pub const SIZE: usize = 4096;

/// Writes the summary at compile time. A part that JSON would have to escape, or too many parts, is a compile error.
pub const fn summary(kind: &str, name: &str, version: &str, requires: &[(&str, &str)]) -> [u8; SIZE] {
    let out = ([b' '; SIZE], 0);
    let out = text(out, "{\"abi\":\"");
    let out = value(out, env!("CARGO_PKG_VERSION"));
    let out = text(out, "\",\"kind\":\"");
    let out = value(out, kind);
    let out = text(out, "\",\"name\":\"");
    let out = value(out, name);
    let out = text(out, "\",\"version\":\"");
    let out = value(out, version);
    let mut out = text(out, "\",\"requires\":[");
    let mut index = 0;
    while index < requires.len() {
        out = text(out, if index == 0 { "{\"name\":\"" } else { ",{\"name\":\"" });
        out = value(out, requires[index].0);
        out = text(out, "\",\"version\":\"");
        out = value(out, requires[index].1);
        out = text(out, "\"}");
        index += 1;
    }
    text(out, "]}").0
}

const fn text(mut out: ([u8; SIZE], usize), text: &str) -> ([u8; SIZE], usize) {
    let bytes = text.as_bytes();
    let mut index = 0;
    while index < bytes.len() {
        out.0[out.1] = bytes[index];
        out.1 += 1;
        index += 1;
    }
    out
}

const fn value(out: ([u8; SIZE], usize), word: &str) -> ([u8; SIZE], usize) {
    let bytes = word.as_bytes();
    let mut index = 0;
    while index < bytes.len() {
        assert!(
            bytes[index] >= b' ' && bytes[index] != b'"' && bytes[index] != b'\\',
            "a name or version holds a character that is not allowed"
        );
        index += 1;
    }
    text(out, word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{PluginKind, PluginSummary};

    #[test]
    fn a_summary_is_json_that_the_host_reads() {
        const BYTES: [u8; SIZE] = summary("crate", "nginx", "1.2.3", &[("firewall", "^1"), ("tls", ">=2, <4")]);
        let summary: PluginSummary = serde_json::from_slice(BYTES.trim_ascii_end()).unwrap();
        assert_eq!((summary.kind, summary.name.as_str()), (PluginKind::Crate, "nginx"));
        assert_eq!(summary.requires[1].version.to_string(), ">=2, <4");
    }
}
