//! Rules for every source file: its beginning, its length, that it is compiled, and that it is
//! safe.

use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use pallet_tests::root;
use proc_macro2::{TokenStream, TokenTree};

/// The longest a source file may be without its tests.
const LONGEST: usize = 400;

/// The widest a line may be, in characters.
const WIDEST: usize = 100;

/// A source file of this repository.
pub(super) struct Source {
    /// The path, relative to the repository.
    pub(super) path: PathBuf,
    /// The whole text.
    pub(super) text: String,
}

impl Source {
    /// The text before its tests; nothing in a file of tests.
    pub(super) fn code(&self) -> &str {
        if self.is_test() {
            return "";
        }
        let end = [
            "\n#[cfg(test)]\nmod ",
            "\n#[cfg(test)]\npub(super) mod ",
            "\n#[cfg(test)]\n\
            #[path",
        ]
        .iter()
        .filter_map(|start| self.text.find(start))
        .min();
        &self.text[..end.unwrap_or(self.text.len())]
    }

    /// Whether it is compiled for tests alone, as a module of its own or within one.
    pub(super) fn is_test(&self) -> bool {
        if self.declaration().is_some_and(|declaration| declaration.contains("#[cfg(test)]")) {
            return true;
        }
        let Some(path) = self.path.parent().map(|directory| directory.with_extension("rs")) else {
            return false;
        };
        fs::read_to_string(root().join(&path)).is_ok_and(|text| Source { path, text }.is_test())
    }

    /// The line that declares it as a module, with the attributes before it; `None` if nothing
    /// does.
    fn declaration(&self) -> Option<String> {
        let (directory, file) = (self.path.parent()?, self.path.file_name()?.to_str()?);
        let (parent, name) = if file == "mod.rs" {
            (directory.parent()?, directory.file_name()?.to_str()?)
        } else {
            (directory, file.strip_suffix(".rs")?)
        };
        let beside = fs::read_dir(root().join(parent))
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().path());
        let above = root().join(parent.with_extension("rs"));
        let parents =
            beside.chain([above]).filter(|path| path.extension().is_some_and(|end| end == "rs"));
        parents.filter_map(|path| fs::read_to_string(path).ok()).find_map(|text| {
            let lines: Vec<_> = text.lines().map(str::trim).collect();
            let declares = |line: &str| {
                let module = line.ends_with(&format!("mod {name};")) && !line.starts_with("//");
                // a table's macro declares the modules that it names
                module
                    || line.starts_with(&format!("{name}::"))
                    || line == format!("#[path = \"{file}\"]")
            };
            let at = lines.iter().position(|line| declares(line))?;
            let first = lines[..at]
                .iter()
                .rposition(|line| !line.starts_with("#["))
                .map_or(0, |before| before + 1);
            Some(lines[first..=at].join("\n"))
        })
    }

    /// Whether it must stay as it was when a binary was built from it.
    fn is_fixture(&self) -> bool {
        self.path.starts_with("tests/fixtures/abi")
    }

    /// The lines of each raw string literal.
    fn raw_literals(&self) -> Vec<RangeInclusive<usize>> {
        let tokens = self.text.parse::<TokenStream>();
        let tokens = tokens.unwrap_or_else(|error| panic!("{}: {error}", self.path.display()));
        let mut found = Vec::new();
        raw_literals(tokens, &mut found);
        found
    }

    /// The lines of code, with their numbers, without comments.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.code().lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
        lines.filter(|(_, line)| !line.starts_with("//"))
    }
}

fn raw_literals(tokens: TokenStream, found: &mut Vec<RangeInclusive<usize>>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => raw_literals(group.stream(), found),
            TokenTree::Literal(literal) if literal.to_string().starts_with(['r', 'b', 'c']) => {
                let span = literal.span();
                found.push(span.start().line..=span.end().line);
            }
            _ => {}
        }
    }
}

/// All source files, or those below one directory.
pub(super) fn sources(below: &str) -> Vec<Source> {
    let mut paths = Vec::new();
    walk(&root().join(below), &mut paths);
    let read = |path: PathBuf| Source {
        text: fs::read_to_string(&path).unwrap(),
        path: path.strip_prefix(root()).unwrap().to_owned(),
    };
    let sources: Vec<_> = paths
        .into_iter()
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
        .map(read)
        .collect();
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
    none(
        "a file begins with a `//!` line that says what it is",
        untold.map(|source| source.path.display().to_string()).collect(),
    );
}

#[test]
fn no_file_is_long() {
    let long = sources("")
        .into_iter()
        .map(|source| (source.code().lines().count(), source))
        .filter(|(lines, _)| *lines > LONGEST);
    let long = long.map(|(lines, source)| format!("{}: {lines} lines", source.path.display()));
    none(&format!("a file has at most {LONGEST} lines before its tests"), long.collect());
}

#[test]
fn no_line_is_wide() {
    let mut wide = Vec::new();
    for source in sources("").into_iter().filter(|source| !source.is_fixture()) {
        let raw = source.raw_literals();
        let lines = source.text.lines().enumerate().map(|(index, line)| (index + 1, line));
        let lines = lines.filter(|(number, line)| {
            line.chars().count() > WIDEST
                && !line.trim().starts_with("/// Example: ")
                && !raw.iter().any(|lines| lines.contains(number))
        });
        wide.extend(lines.map(|(number, _)| format!("{}:{number}", source.path.display())));
    }
    none(&format!("a line has at most {WIDEST} characters, but for raw literals"), wide);
}

#[test]
fn no_module_is_forgotten() {
    let mut forgotten = Vec::new();
    let packages = packages();
    for source in sources("") {
        let stem = source.path.file_stem().unwrap().to_string_lossy();
        let package = packages
            .iter()
            .filter(|package| source.path.starts_with(package))
            .max_by_key(|package| package.components().count());
        let Some(package) = package else { continue };
        let below = source.path.strip_prefix(package).unwrap();
        let is_root = matches!(&*stem, "lib" | "main") || below.components().count() <= 1;
        // each file there is a target of its own
        let is_target = ["examples", "benches", "tests", "src/bin", "fixtures"]
            .iter()
            .any(|folder| below.parent() == Some(Path::new(folder)));
        if !is_root && !is_target && source.declaration().is_none() {
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
fn only_the_binary_interface_and_one_file_of_ssh_are_unsafe() {
    let homes = ["pallet-core/src/abi", "pallet-core/src/transport/ssh/agent_channel.rs"];
    let mut offences = Vec::new();
    for source in sources("")
        .into_iter()
        .filter(|source| !homes.iter().any(|home| source.path.starts_with(home)))
    {
        let tells_itself = source.path.ends_with("tidy/sources.rs");
        for (number, line) in
            source.text.lines().enumerate().filter(|(_, line)| !line.trim().starts_with("//"))
        {
            let words = ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern", "#[unsafe("];
            // the code in starlark's derives is unsafe, our own is not
            let allows = line.contains("allow(unsafe_code")
                && !source.path.starts_with("pallet-cli/src/project/star");
            if !tells_itself && (allows || words.iter().any(|word| line.contains(word))) {
                offences.push(format!("{}:{}: {}", source.path.display(), number + 1, line.trim()));
            }
        }
    }
    none(
        "unsafe code lives in pallet-core/src/abi and in transport/ssh/agent_channel.rs alone",
        offences,
    );
}
