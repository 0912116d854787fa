//! The description of a whole plugin, shown before its functions or options: its file,
//! capabilities and systems.

use std::fmt::Write;

use pallet_core::model::{Manifest, PluginKind};
use pallet_core::plugins::Registry;
use serde_json::{Value, json};

/// A whole plugin.
#[derive(Debug)]
pub(crate) struct PluginDocs {
    kind: PluginKind,
    manifest: Manifest,
    /// The crates that it requires, with their versions.
    requires: Vec<String>,
    file: String,
}

impl PluginDocs {
    /// The description of an installed plugin.
    pub(crate) fn of(registry: &Registry, kind: PluginKind, manifest: Manifest) -> Self {
        let found = registry
            .plugins()
            .iter()
            .find(|found| found.summary.kind == kind && found.summary.name == manifest.name);
        let requires = found.iter().flat_map(|found| &found.summary.requires);
        let requires =
            requires.map(|required| format!("{} {}", required.name, required.version)).collect();
        PluginDocs {
            kind,
            manifest,
            requires,
            file: found.map(|found| found.path.display().to_string()).unwrap_or_default(),
        }
    }

    /// The description as text.
    pub(crate) fn text(&self) -> String {
        let Manifest { name, version, about, .. } = &self.manifest;
        let kind = if self.kind == PluginKind::Crate { "crate" } else { "provider" };
        let mut out = format!("{kind} {name} {version}: {about}\n  file: {}\n", self.file);
        if !self.requires.is_empty() {
            let _ = writeln!(out, "  requires: {}", self.requires.join(", "));
        }
        if !self.manifest.systems.is_empty() {
            let _ = writeln!(out, "  systems: {}", self.manifest.systems.join(", "));
        }
        if self.kind == PluginKind::Crate {
            out.push_str(&self.may());
        }
        out.push('\n');
        out
    }

    /// The requirements, systems and capabilities of a crate, as a Markdown list.
    pub(crate) fn markdown(&self) -> String {
        let listed = |what: &str, values: &[String]| match values {
            [] => String::new(),
            values => format!("- {what}: `{}`\n", values.join("`, `")),
        };
        let mut out = listed("requires", &self.requires);
        out += &listed("systems", &self.manifest.systems);
        for (kind, patterns) in
            self.manifest.capabilities.iter().flat_map(|capabilities| capabilities.declared())
        {
            let patterns: Vec<String> = patterns.iter().map(ToString::to_string).collect();
            out += &listed(&format!("may change {kind}"), &patterns);
        }
        out
    }

    fn may(&self) -> String {
        let Some(capabilities) = &self.manifest.capabilities else {
            return "  capabilities: undeclared, so everything is allowed\n".to_owned();
        };
        let declared = capabilities.declared();
        if declared.is_empty() {
            return "  capabilities: none\n".to_owned();
        }
        let lines = declared
            .iter()
            .map(|(kind, patterns)| format!("    {kind}: {}\n", patterns.join(", ")));
        format!("  may do:\n{}", lines.collect::<String>())
    }

    /// The description as JSON.
    pub(crate) fn json(&self) -> Value {
        let Manifest { name, version, about, capabilities, systems, .. } = &self.manifest;
        json!({"name": name, "version": version, "about": about,
        "kind": self.kind, "file": self.file, "requires": self.requires,
            "systems": systems, "capabilities": capabilities})
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pallet_core::model::Capabilities;

    #[test]
    fn a_crate_says_what_it_may_do() {
        let of = |capabilities| {
            let manifest = Manifest {
                name: "a".into(),
                version: "1.0.0".into(),
                about: "A".into(),
                capabilities,
                ..Manifest::default()
            };
            PluginDocs {
                kind: PluginKind::Crate,
                manifest,
                requires: vec!["b ^1".into()],
                file: "/a.so".into(),
            }
            .text()
        };
        assert!(of(None).contains("undeclared, so everything is allowed"));
        assert!(of(Some(Capabilities::default())).contains("none"));
        let some =
            Capabilities { paths: vec!["/a".into(), "/b/**".into()], ..Capabilities::default() };
        assert_eq!(
            of(Some(some)),
            "crate a 1.0.0: A\n  file: /a.so\n  requires: b ^1\n  may do:\n    paths: /a, /b/**\n\n"
        );
    }
}
