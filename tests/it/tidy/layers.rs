//! Imports follow the layers in the tables of ARCHITECTURE.md, and pure modules do no I/O.

use std::collections::BTreeMap;

use pallet_tests::root;

use super::sources::{Source, none, sources};

/// The packages whose folders are layers.
const PACKAGES: [&str; 2] = ["pallet-core/src", "pallet-cli/src"];

/// The layers of a package, each with those that it may import.
type Layers = BTreeMap<String, Vec<String>>;

/// The layers of the package with this folder, from the tables of ARCHITECTURE.md: a row names a
/// folder in its first cell, and what may be imported in its last.
fn layers(package: &str) -> Layers {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let layers = table(&text, package);
    assert!(layers.len() > 5, "ARCHITECTURE.md has no table of the layers of {package}");
    layers
}

fn table(text: &str, package: &str) -> Layers {
    let mut layers = Layers::new();
    for line in text.lines().filter(|line| line.starts_with('|')) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let folder = cells[0].trim_matches('`').strip_prefix(package);
        let Some(folder) = folder.map(|folder| folder.trim_matches('/')) else { continue };
        let may = cells[cells.len() - 1];
        let named: Vec<String> = may.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        let allowed = match (may, may.strip_prefix("all of the above")) {
            ("nothing", _) => Vec::new(),
            (_, None) => named,
            (_, Some(_)) => layers.keys().filter(|layer| !named.contains(layer)).cloned().collect(),
        };
        layers.insert(folder.to_owned(), allowed);
    }
    layers
}

/// The folder of a package that a file is in; `None`: it lies beside the folders.
fn folder(source: &Source) -> Option<String> {
    let parts: Vec<_> = source.path.components().collect();
    (parts.len() > 3).then(|| parts[2].as_os_str().to_string_lossy().into_owned())
}

#[test]
fn imports_go_one_way() {
    let mut offences = Vec::new();
    for package in PACKAGES {
        let layers = layers(package);
        for source in sources(package) {
            let Some(layer) = folder(&source) else { continue };
            let Some(allowed) = layers.get(&layer) else { continue };
            let code: Vec<_> = source.lines().map(|(_, line)| line).collect();
            for imported in imported(&code.join(" ")) {
                let is_layer = layers.contains_key(&imported);
                let is_root = root().join(package).join(format!("{imported}.rs")).exists();
                if imported != layer && (is_layer || is_root) && !allowed.contains(&imported) {
                    offences.push(format!("{}: {layer} imports {imported}", source.path.display()));
                }
            }
        }
    }
    none("a layer imports only what its row in ARCHITECTURE.md allows", offences);
}

#[test]
fn every_folder_is_a_layer() {
    for package in PACKAGES {
        let layers = layers(package);
        let folders: Vec<_> = sources(package).iter().filter_map(folder).collect();
        let unknown = folders.iter().filter(|folder| !layers.contains_key(*folder)).cloned();
        none(&format!("a folder of {package} has a row in ARCHITECTURE.md"), unknown.collect());
        let gone = layers.keys().filter(|layer| !folders.contains(layer)).cloned();
        none(&format!("a row in ARCHITECTURE.md is a folder of {package}"), gone.collect());
    }
}

#[test]
fn layers_are_read_from_a_table() {
    let text = "| folder | what | may import |\n|---|---|---|\n\
        | `a/src/x/` | `y` and more | nothing |\n| `a/src/y/` | | `x` (feature `f`) |\n\
        | `a/src/z/` | | all of the above but `y` |\n| `b/` | | `a` |\n";
    let layers = table(text, "a/src");
    let of = |layer: &str| layers[layer].iter().map(String::as_str).collect::<Vec<_>>();
    assert_eq!((layers.len(), of("x"), of("z")), (3, vec![], vec!["x"]));
    assert_eq!(of("y"), ["x", "f"]);
}

/// The first words after `crate::`, also those in `crate::{a, b::{c, d}}`.
fn imported(line: &str) -> Vec<String> {
    let first = |text: &str| {
        text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>()
    };
    line.match_indices("crate::")
        .filter(|(at, _)| !line[..*at].ends_with(['$', '_']))
        .flat_map(|(at, found)| {
            let rest = &line[at + found.len()..];
            match rest.strip_prefix('{') {
                Some(list) => top_level(list).split(',').map(first).collect(),
                None => vec![first(rest)],
            }
        })
        .collect()
}

/// A list up to its closing brace, without the lists in it.
fn top_level(list: &str) -> String {
    let mut depth = 0;
    let end = list.chars().take_while(|c| {
        depth += i32::from(*c == '{') - i32::from(*c == '}');
        depth >= 0
    });
    let list: String = end.collect();
    let mut depth = 0;
    let outside = list.chars().filter(|c| {
        depth += i32::from(*c == '{') - i32::from(*c == '}');
        depth == 0 && *c != '}'
    });
    outside.collect()
}

/// Asserts that no source below `folder` contains one of `words`, except for the files in `home`.
fn never_says(rule: &str, folder: &str, words: &[&str], home: &[&str]) {
    let mut offences = Vec::new();
    for source in sources(folder)
        .into_iter()
        .filter(|source| !home.iter().any(|home| source.path.starts_with(home)))
    {
        for (number, line) in source.lines() {
            offences.extend(
                words
                    .iter()
                    .filter(|word| line.contains(**word))
                    .map(|word| format!("{}:{number}: {word}", source.path.display())),
            );
        }
    }
    none(rule, offences);
}

#[test]
fn pure_layers_do_no_io() {
    for layer in ["model", "script", "observe", "action", "plugin"] {
        let words = [
            "std::fs",
            "std::net",
            "std::process",
            "std::env",
            "tokio::",
            "std::thread",
            "SystemTime::now",
            "Instant::now",
        ];
        let home = [
            // the harness of the actions' tests, and the tests of their law
            "pallet-core/src/action/check.rs",
            "pallet-core/src/action/law",
            // what providers call that keep their nodes on this machine
            "pallet-core/src/plugin/files.rs",
            "pallet-core/src/plugin/clock.rs",
            "pallet-core/src/plugin/directory_lock.rs",
            "pallet-core/src/plugin/node_store.rs",
            // the files and helpers that docker's own client reads
            "pallet-core/src/plugin/registry_credentials",
        ];
        never_says(
            "model, script, observe, action and plugin do no I/O",
            &format!("pallet-core/src/{layer}"),
            &words,
            &home,
        );
    }
}

#[test]
fn the_core_reads_no_environment_and_never_exits() {
    let words = ["env::var", "env::args", "process::exit", "process::abort"];
    never_says("pallet-core reads no environment and never exits", "pallet-core/src", &words, &[]);
}

#[test]
fn the_core_has_no_statics() {
    let mut offences = Vec::new();
    for source in sources("pallet-core/src")
        .into_iter()
        .filter(|source| !source.path.starts_with("pallet-core/src/abi"))
    {
        for (number, line) in source.lines() {
            let line = line
                .trim_start_matches("pub ")
                .trim_start_matches("pub(crate) ")
                .trim_start_matches("pub(super) ");
            if line.starts_with("static ") || line.starts_with("thread_local!") {
                offences.push(format!("{}:{number}: {line}", source.path.display()));
            }
        }
    }
    none("every dylib has its own copy of pallet-core's statics, so there are none", offences);
}

#[test]
fn libraries_have_one_home() {
    never_says(
        "abi_stable and libloading are for src/abi alone",
        "pallet-core/src",
        &["abi_stable::", "libloading::"],
        &["pallet-core/src/abi"],
    );
    never_says(
        "ssh2 is for src/transport/ssh alone",
        "pallet-core/src",
        &["ssh2::"],
        &["pallet-core/src/transport/ssh", "pallet-core/src/transport/ssh.rs"],
    );
    never_says(
        "pallet-cli opens no ssh and no library",
        "pallet-cli/src",
        &["ssh2::", "abi_stable::", "libloading::", "Library::"],
        &[],
    );
}

#[test]
fn imports_are_found() {
    assert_eq!(imported("use crate::model::Node;"), ["model"]);
    assert_eq!(
        imported("use crate::{abi, model::{Node, Os}, script}; use std::{fmt}"),
        ["abi", "model", "script"]
    );
    assert_eq!(
        imported("let x: crate::plugin::Request = crate::engine::y();"),
        ["plugin", "engine"]
    );
    assert_eq!(imported("$crate::abi::author, config_crate::Function"), Vec::<String>::new());
}
