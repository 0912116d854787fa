//! Every source file: what it begins with, how long it is, that it is compiled, and that it is safe.

use std::fs;
use std::path::{Path, PathBuf};

use pallet_tests::root;

/// The longest a source file may be without its tests.
const LONGEST: usize = 400;

/// A source file of this repository.
pub(super) struct Source {
    /// Where, relative to the repository.
    pub(super) path: PathBuf,
    /// All of it.
    pub(super) text: String,
}

impl Source {
    /// The text before its tests.
    pub(super) fn code(&self) -> &str {
        let end = self.text.find("\n#[cfg(test)]\nmod ").unwrap_or(self.text.len());
        &self.text[..end]
    }

    /// The lines of code, with their numbers, without comments.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.code().lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
        lines.filter(|(_, line)| !line.starts_with("//"))
    }
}

/// All source files, or those below one directory.
pub(super) fn sources(below: &str) -> Vec<Source> {
    let mut paths = Vec::new();
    walk(&root().join(below), &mut paths);
    let read = |path: PathBuf| Source { text: fs::read_to_string(&path).unwrap(), path: path.strip_prefix(root()).unwrap().to_owned() };
    let sources: Vec<_> = paths.into_iter().filter(|path| path.extension().is_some_and(|end| end == "rs")).map(read).collect();
    assert!(!sources.is_empty(), "there are no sources in {below:?}");
    sources
}

fn walk(directory: &Path, paths: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for path in entries.map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_string_lossy();
        if path.is_dir() && !path.is_symlink() {
            if name != "target" && !name.starts_with('.') {
                walk(&path, paths);
            }
        } else {
            paths.push(path);
        }
    }
}

/// Fails with every offence in one message.
#[track_caller]
pub(super) fn none(rule: &str, offences: Vec<String>) {
    assert!(offences.is_empty(), "{rule}:\n{}", offences.join("\n"));
}

#[test]
fn every_file_begins_with_what_it_is() {
    let untold = sources("").into_iter().filter(|source| {
        let first = source.text.lines().next().unwrap_or_default();
        !first.starts_with("//! ") || first.len() < 12
    });
    none("a file begins with a `//!` line that says what it is", untold.map(|source| source.path.display().to_string()).collect());
}

#[test]
fn no_file_is_long() {
    let long = sources("").into_iter().map(|source| (source.code().lines().count(), source)).filter(|(lines, _)| *lines > LONGEST);
    let long = long.map(|(lines, source)| format!("{}: {lines} lines", source.path.display()));
    none(&format!("a file has at most {LONGEST} lines before its tests"), long.collect());
}

#[test]
fn no_module_is_forgotten() {
    let mut forgotten = Vec::new();
    let packages = packages();
    for source in sources("") {
        let (directory, stem) = (source.path.parent().unwrap(), source.path.file_stem().unwrap().to_string_lossy().into_owned());
        let package = packages.iter().filter(|package| source.path.starts_with(package)).max_by_key(|package| package.components().count());
        let Some(package) = package else { continue };
        let below = source.path.strip_prefix(package).unwrap();
        let is_root = matches!(stem.as_str(), "lib" | "main") || below.components().count() <= 1;
        // each file there is a target of its own
        let is_target =
            ["examples", "benches", "tests", "src/bin", "fixtures"].iter().any(|folder| below.parent() == Some(Path::new(folder)));
        if is_root || is_target {
            continue;
        }
        let (parent, name) = if stem == "mod" {
            (directory.parent().unwrap(), directory.file_name().unwrap().to_string_lossy().into_owned())
        } else {
            (directory, stem)
        };
        let beside = parent.with_extension("rs");
        let parents = ["mod.rs", "lib.rs", "main.rs"].map(|file| parent.join(file)).into_iter().chain([beside]);
        let named = parents.filter_map(|file| fs::read_to_string(root().join(file)).ok()).any(|text| {
            // a table's macro may declare the modules that it names
            text.contains(&format!("mod {name};")) || text.lines().any(|line| line.trim().starts_with(&format!("{name}::")))
        });
        if !named {
            forgotten.push(source.path.display().to_string());
        }
    }
    none("a file that no module names is never compiled", forgotten);
}

/// The folders of all packages, relative to the repository.
fn packages() -> Vec<PathBuf> {
    let mut paths = Vec::new();
    walk(&root(), &mut paths);
    let manifests = paths.into_iter().filter(|path| path.ends_with("Cargo.toml"));
    manifests
        .map(|path| path.parent().unwrap().strip_prefix(root()).unwrap().to_owned())
        .filter(|path| !path.as_os_str().is_empty())
        .collect()
}

#[test]
fn only_the_binary_interface_is_unsafe() {
    let mut offences = Vec::new();
    for source in sources("").into_iter().filter(|source| !source.path.starts_with("pallet-core/src/abi")) {
        let tells_itself = source.path.ends_with("tidy/sources.rs");
        for (number, line) in source.text.lines().enumerate().filter(|(_, line)| !line.trim().starts_with("//")) {
            let words = ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern", "#[unsafe(", "allow(unsafe_code"];
            if !tells_itself && words.iter().any(|word| line.contains(word)) {
                offences.push(format!("{}:{}: {}", source.path.display(), number + 1, line.trim()));
            }
        }
    }
    none("unsafe code lives in pallet-core/src/abi alone", offences);
}
