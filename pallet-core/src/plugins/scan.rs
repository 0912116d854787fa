//! Finds plugins on a search path.

use std::collections::{BTreeMap, BTreeSet};
use std::env::consts::DLL_SUFFIX;
use std::path::{Path, PathBuf};

use super::elf;
use super::error::RegistryError;
use super::found::FoundPlugin;
use super::pin::Pin;
use crate::model::{ABI_VERSION, PluginKind};

/// The result of a scan.
#[derive(Default)]
pub(super) struct Scanned {
    pub(super) found: Vec<FoundPlugin>,
    pub(super) problems: Vec<RegistryError>,
    /// Files that are ignored because a lock names another plugin with that name.
    pub(super) shadowed: Vec<FoundPlugin>,
}

pub(super) fn scan(pins: Vec<Pin>, directories: &[PathBuf]) -> Scanned {
    let mut found: BTreeMap<(String, String), FoundPlugin> = BTreeMap::new();
    let mut problems = Vec::new();
    let mut shadowed = Vec::new();
    let key = |kind: PluginKind, name: &str| (name.to_owned(), format!("{kind:?}"));
    let locked: BTreeSet<_> = pins.iter().map(|pin| key(pin.kind, &pin.name)).collect();
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
    for path in directories.iter().flat_map(|directory| libraries(directory)) {
        let summary = match elf::summary(&path) {
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

fn libraries(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    // absolute, because dlopen searches the system's path for a name without a slash
    let directory = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
    let mut files: Vec<_> = entries
        .flatten()
        .map(|entry| entry.file_name())
        .filter(|name| {
            name.to_str()
                .is_some_and(|name| name.starts_with("libpallet_") && name.ends_with(DLL_SUFFIX))
        })
        .map(|name| directory.join(name))
        .collect();
    files.sort();
    files
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
    let size = |path: &Path| std::fs::metadata(path).map(|data| data.len()).ok();
    size(first).is_some()
        && size(first) == size(second)
        && matches!((std::fs::read(first), std::fs::read(second)), (Ok(a), Ok(b)) if a == b)
}
