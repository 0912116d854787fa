//! Finds plugins on a search path.

use std::collections::{BTreeMap, BTreeSet};
use std::env::consts::DLL_SUFFIX;
use std::path::{Path, PathBuf};

use super::error::RegistryError;
use super::file::{is_source, summary};
use super::found::FoundPlugin;
use super::pin::Pin;
use super::source::DESCRIPTION;
use super::tree::tree_digest;
use crate::model::{ABI_VERSION, PluginKind};

/// The result of a scan.
#[derive(Default)]
pub(super) struct Scanned {
    pub(super) found: Vec<FoundPlugin>,
    pub(super) problems: Vec<RegistryError>,
    /// Files that are ignored because a lock names another plugin with that name.
    pub(super) shadowed: Vec<FoundPlugin>,
}

/// Finds the plugins of a lock, crates in Starlark in the given directories, and those on the
/// search path. The former two hide what has their name in the latter.
pub(super) fn scan(pins: Vec<Pin>, crates: &[PathBuf], directories: &[PathBuf]) -> Scanned {
    let mut found: BTreeMap<(String, String), FoundPlugin> = BTreeMap::new();
    let mut problems = Vec::new();
    let mut shadowed = Vec::new();
    let key = |kind: PluginKind, name: &str| (name.to_owned(), format!("{kind:?}"));
    let mut locked: BTreeSet<_> = pins.iter().map(|pin| key(pin.kind, &pin.name)).collect();
    for pin in pins {
        match pin.find() {
            Ok(plugin) if abi_matches(&plugin.summary.abi) => {
                drop(found.insert(key(plugin.summary.kind, &plugin.summary.name), plugin))
            }
            Ok(plugin) => problems.push(RegistryError::Abi {
                path: plugin.path,
                name: plugin.summary.name,
                theirs: plugin.summary.abi,
            }),
            Err(problem) => problems.push(problem),
        }
    }
    for directory in crates {
        let path = absolute(directory).join(DESCRIPTION);
        match summary(&path) {
            Ok(summary) => {
                let key = key(summary.kind, &summary.name);
                locked.insert(key.clone());
                found.insert(key, FoundPlugin { summary, path, pinned: None });
            }
            Err(message) => problems.push(RegistryError::File { path, message }),
        }
    }
    for path in directories.iter().flat_map(|directory| plugins(directory)) {
        let summary = match summary(&path) {
            Ok(summary) => summary,
            Err(message) => {
                problems.push(RegistryError::File { path, message });
                continue;
            }
        };
        if summary.kind == PluginKind::Unknown {
            let message = "is a kind of plugin that this pallet does not know; it needs a newer \
                pallet"
                .to_owned();
            problems.push(RegistryError::File { path, message });
            continue;
        }
        if !abi_matches(&summary.abi) {
            problems.push(RegistryError::Abi { path, name: summary.name, theirs: summary.abi });
            continue;
        }
        let key = key(summary.kind, &summary.name);
        if locked.contains(&key) {
            shadowed.push(FoundPlugin { summary, path, pinned: None });
            continue;
        }
        match found.get(&key) {
            None => {
                found.insert(key, FoundPlugin { summary, path, pinned: None });
            }
            Some(first) if same_file(&first.path, &path) => {}
            Some(first) => problems.push(RegistryError::Duplicate {
                name: summary.name,
                first: first.path.clone(),
                second: path,
            }),
        }
    }
    Scanned { found: found.into_values().collect(), problems, shadowed }
}

/// The files of the plugins in a directory of the search path, which may itself be a crate.
fn plugins(directory: &Path) -> Vec<PathBuf> {
    let own = absolute(directory).join(DESCRIPTION);
    if own.is_file() {
        return vec![own];
    }
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    // absolute, because dlopen searches the system's path for a name without a slash
    let directory = absolute(directory);
    let mut files: Vec<_> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name();
            let name = name.to_str()?;
            if name.starts_with("libpallet_") && name.ends_with(DLL_SUFFIX) {
                return Some(directory.join(name));
            }
            let description = directory.join(name).join(DESCRIPTION);
            description.is_file().then_some(description)
        })
        .collect();
    files.sort();
    files
}

fn absolute(directory: &Path) -> PathBuf {
    directory.canonicalize().unwrap_or_else(|_| directory.to_owned())
}

/// Whether this version of the binary interface is compatible: the major versions must be equal.
fn abi_matches(theirs: &semver::Version) -> bool {
    semver::Version::parse(ABI_VERSION).is_ok_and(|ours| ours.major == theirs.major)
}

/// Whether both are the same file, or copies: then either will do.
fn same_file(first: &Path, second: &Path) -> bool {
    if first == second {
        return true;
    }
    if is_source(first) || is_source(second) {
        let digest = |path: &Path| tree_digest(path.parent()?).ok();
        return digest(first).is_some() && digest(first) == digest(second);
    }
    let size = |path: &Path| std::fs::metadata(path).map(|data| data.len()).ok();
    size(first).is_some()
        && size(first) == size(second)
        && matches!((std::fs::read(first), std::fs::read(second)), (Ok(a), Ok(b)) if a == b)
}
