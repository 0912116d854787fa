//! The pages of the installed plugins: options of providers, functions of crates.

use std::fmt::Write;

use pallet_core::model::{Manifest, PluginKind};
use pallet_core::plugins::Registry;

use crate::reference::entry::{DocEntry, OPTION, rows, section};
use crate::reference::plugin::PluginDocs;

/// All providers, with their options.
pub(super) fn providers(registry: &Registry) -> anyhow::Result<String> {
    let mut out = String::new();
    for name in registry.names(PluginKind::Provider) {
        let manifest = registry.provider_manifest(name)?;
        let options = rows(OPTION, &DocEntry::of_options(&manifest).rows());
        let _ = write!(out, "## {name}\n\n{}\n{options}\n", about(&manifest));
    }
    Ok(format!("{}\n", out.trim_end()))
}

/// All crates, with their functions.
pub(super) fn crates(registry: &Registry) -> anyhow::Result<String> {
    let mut out = String::new();
    for name in registry.names(PluginKind::Crate) {
        let manifest = registry.crate_manifest(name)?;
        let functions: String = manifest
            .functions
            .iter()
            .map(|function| section(&DocEntry::of_function(name, function), "###"))
            .collect();
        let text = about(&manifest);
        let about = PluginDocs::of(registry, PluginKind::Crate, manifest);
        let _ = write!(out, "## {name}\n\n{text}\n\n{}{functions}\n", about.markdown());
    }
    Ok(format!("{}\n", out.trim_end()))
}

fn about(manifest: &Manifest) -> String {
    format!("{}.", manifest.about.trim_end_matches('.'))
}
