//! The summary of a plugin as bytes that a constant can hold, to stand in an ELF section of its
//! own.

use crate::model::{Capabilities, Patterns};

/// The size of the section; what the summary does not fill is spaces.
pub const SIZE: usize = 8192;

/// What a [`PluginSummary`](crate::model::PluginSummary) is made of, as constants.
#[derive(Debug, Clone, Copy)]
pub struct Summary {
    /// `crate` or `provider`.
    pub kind: &'static str,
    /// The plugin's name.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// The crates that it calls, with the versions that will do.
    pub requires: &'static [(&'static str, &'static str)],
    /// What a crate may do to nodes.
    pub capabilities: Option<Capabilities<Patterns>>,
    /// The systems that a crate is for.
    pub systems: &'static [&'static str],
}

/// The bytes so far, and how many they are.
#[derive(Clone, Copy)]
struct Out([u8; SIZE], usize);

/// Writes the summary at compile time. What cannot be a name or a pattern, or too much of all, is a
/// compile error.
pub const fn summary(summary: &Summary) -> [u8; SIZE] {
    let out = Out([b' '; SIZE], 0);
    let out = out.text("{\"abi\":").value(env!("CARGO_PKG_VERSION"));
    let out = out.text(",\"kind\":").value(summary.kind);
    let out = out.text(",\"name\":").value(summary.name);
    let out = out.text(",\"version\":").value(summary.version);
    let mut out = out.text(",\"requires\":[");
    let mut index = 0;
    while index < summary.requires.len() {
        out = out
            .text(if index == 0 { "{\"name\":" } else { ",{\"name\":" })
            .value(summary.requires[index].0);
        out = out.text(",\"version\":").value(summary.requires[index].1).text("}");
        index += 1;
    }
    out = out.text("],\"systems\":").list(summary.systems);
    if let Some(capabilities) = summary.capabilities {
        let mut index = 0;
        while index < capabilities.paths.len() {
            let path = capabilities.paths[index].as_bytes();
            assert!(
                !path.is_empty() && path[0] == b'/',
                "a path in CAPABILITIES does not begin with /"
            );
            index += 1;
        }
        out = out.text(",\"capabilities\":{\"paths\":").list(capabilities.paths);
        out = out.text(",\"packages\":").list(capabilities.packages);
        out = out.text(",\"services\":").list(capabilities.services);
        out = out.text(",\"users\":").list(capabilities.users);
        out = out.text(",\"commands\":").list(capabilities.commands);
        out = out.text(",\"network\":").list(capabilities.network);
        out = out.text(",\"local_files\":").list(capabilities.local_files).text("}");
    }
    out.text("}").0
}

impl Out {
    const fn text(self, text: &str) -> Self {
        let mut out = self;
        let bytes = text.as_bytes();
        let mut index = 0;
        while index < bytes.len() {
            out = out.byte(bytes[index]);
            index += 1;
        }
        out
    }

    const fn byte(mut self, byte: u8) -> Self {
        assert!(
            self.1 < SIZE,
            "the plugin says too much of itself: its name, version, REQUIRES, CAPABILITIES and \
             SYSTEMS take over 8192 bytes"
        );
        self.0[self.1] = byte;
        self.1 += 1;
        self
    }

    /// A string of JSON.
    const fn value(self, word: &str) -> Self {
        let mut out = self.byte(b'"');
        let bytes = word.as_bytes();
        assert!(!bytes.is_empty(), "a name, version or pattern is empty");
        let mut index = 0;
        while index < bytes.len() {
            assert!(
                bytes[index] >= b' ',
                "a name, version or pattern holds a character that is not allowed"
            );
            if bytes[index] == b'"' || bytes[index] == b'\\' {
                out = out.byte(b'\\');
            }
            out = out.byte(bytes[index]);
            index += 1;
        }
        out.byte(b'"')
    }

    /// An array of JSON.
    const fn list(self, words: &[&str]) -> Self {
        let mut out = self.byte(b'[');
        let mut index = 0;
        while index < words.len() {
            if index > 0 {
                out = out.byte(b',');
            }
            out = out.value(words[index]);
            index += 1;
        }
        out.byte(b']')
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{PluginKind, PluginSummary};

    const NGINX: Summary = Summary {
        kind: "crate",
        name: "nginx",
        version: "1.2.3",
        requires: &[("firewall", "^1"), ("tls", ">=2, <4")],
        capabilities: None,
        systems: &[],
    };

    fn read(bytes: [u8; SIZE]) -> PluginSummary {
        serde_json::from_slice(bytes.trim_ascii_end()).unwrap()
    }

    #[test]
    fn a_summary_is_json_that_the_host_reads() {
        const BYTES: [u8; SIZE] = summary(&NGINX);
        let summary = read(BYTES);
        assert_eq!((summary.kind, summary.name.as_str()), (PluginKind::Crate, "nginx"));
        assert_eq!(summary.requires[1].version.to_string(), ">=2, <4");
        assert_eq!((summary.capabilities, summary.systems), (None, vec![]));
    }

    #[test]
    fn capabilities_stand_in_it_as_they_were_written() {
        const MAY: Capabilities<Patterns> = Capabilities {
            paths: &["/etc/nginx/**", "/srv"],
            packages: &["nginx"],
            services: &["a"],
            users: &["b"],
            commands: &[r#"printf '%s\n' "a""#],
            network: &["c:1"],
            local_files: &["**"],
        };
        const BYTES: [u8; SIZE] = summary(&Summary {
            capabilities: Some(MAY),
            systems: &["debian 12", "rocky"],
            ..NGINX
        });
        let summary = read(BYTES);
        assert_eq!(summary.capabilities, Some(Capabilities::from(MAY)));
        assert_eq!(summary.systems, ["debian 12", "rocky"]);
    }
}
