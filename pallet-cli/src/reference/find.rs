//! Finds the reference entries for a name.

use std::sync::Arc;

use anyhow::bail;
use pallet_core::model::PluginKind;
use pallet_core::plugins::Registry;

use super::declarations::declarations;
use super::entry::DocEntry;
use super::plugin::PluginDocs;
use crate::diagnostic::did_you_mean;

/// The entries for a name, and the plugin if the name is that of a whole plugin.
pub(crate) fn find(
    registry: impl FnOnce() -> anyhow::Result<Arc<Registry>>,
    actions: &[DocEntry],
    name: &str,
) -> anyhow::Result<(Option<PluginDocs>, Vec<DocEntry>)> {
    let declarations = declarations();
    if let Some(entry) = actions.iter().chain(&declarations).find(|entry| entry.name == name) {
        return Ok((None, vec![entry.clone()]));
    }
    let registry = registry()?;
    if let Some(provider) = name.strip_prefix("provider:") {
        let manifest = registry.provider_manifest(provider)?;
        let entry = DocEntry::of_options(&manifest);
        return Ok((Some(PluginDocs::of(&registry, PluginKind::Provider, manifest)), vec![entry]));
    }
    let plain = name.strip_prefix("crate:").unwrap_or(name);
    let (of, function) =
        plain.split_once('.').map_or((plain, None), |(of, function)| (of, Some(function)));
    let crates = registry.names(PluginKind::Crate);
    if !crates.contains(&of) {
        if registry.names(PluginKind::Provider).contains(&of) {
            bail!(
                "there is no action or crate {name}; `pallet-cli doc provider:{of}` explains \
                 the provider"
            );
        }
        let known = actions
            .iter()
            .chain(&declarations)
            .map(|entry| entry.name.as_str())
            .chain(crates.iter().copied());
        let help = did_you_mean(name, known).unwrap_or_else(|| {
            "`pallet-cli doc` lists the actions, `pallet-cli crates` the crates".to_owned()
        });
        bail!("there is no action or crate {name}; {help}");
    }
    let manifest = registry.crate_manifest(of)?;
    let entries: Vec<DocEntry> =
        manifest.functions.iter().map(|known| DocEntry::of_function(of, known)).collect();
    let Some(function) = function else {
        return Ok((Some(PluginDocs::of(&registry, PluginKind::Crate, manifest)), entries));
    };
    match manifest.functions.iter().position(|known| known.name == function) {
        Some(position) => Ok((None, vec![entries[position].clone()])),
        None => {
            let names = manifest.functions.iter().map(|known| known.name.as_str());
            let all = names.clone().collect::<Vec<_>>().join(", ");
            bail!(
                "the crate {of} has no function {function}; {}",
                did_you_mean(function, names).unwrap_or(format!("it has {all}"))
            );
        }
    }
}
