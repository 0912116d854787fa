//! Imports go one way, and what is pure does no I/O.

use super::sources::{Source, none, sources};

/// The layers of pallet-core, each with those that it may import.
const LAYERS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("script", &["model"]),
    ("action", &["model", "script"]),
    ("plugin", &["model", "action"]),
    ("abi", &["model", "plugin"]),
    ("local", &[]),
    ("plugins", &["model", "plugin", "abi"]),
    ("distribution", &["model", "plugin", "local", "plugins"]),
    ("transport", &["model", "script"]),
    ("engine", &["model", "script", "action", "plugin", "local", "plugins", "transport"]),
];

#[test]
fn imports_go_one_way() {
    let mut offences = Vec::new();
    for (layer, allowed) in LAYERS {
        for source in sources(&format!("pallet-core/src/{layer}")) {
            let code: Vec<_> = source.lines().map(|(_, line)| line).collect();
            for imported in imported(&code.join(" ")) {
                if imported != *layer
                    && LAYERS.iter().any(|(other, _)| *other == imported)
                    && !allowed.contains(&imported.as_str())
                {
                    offences.push(format!("{}: {layer} imports {imported}", source.path.display()));
                }
            }
        }
    }
    none("a layer imports only those above it (see LAYERS)", offences);
}

#[test]
fn every_folder_of_the_core_is_a_layer() {
    let folder = |source: &Source| {
        source.path.components().nth(2).map(|part| part.as_os_str().to_string_lossy().into_owned())
    };
    let unknown = sources("pallet-core/src")
        .into_iter()
        .filter(|source| source.path.components().count() > 3);
    let unknown = unknown
        .filter(|source| !LAYERS.iter().any(|(layer, _)| folder(source).as_deref() == Some(layer)));
    none(
        "pallet-core has no other layers",
        unknown.map(|source| source.path.display().to_string()).collect(),
    );
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

/// Asserts that no source below `folder` says one of `words`, apart from the files in `home`.
fn never_says(rule: &str, folder: &str, words: &[&str], home: &[&str]) {
    let mut offences = Vec::new();
    for source in sources(folder)
        .into_iter()
        .filter(|source| !home.iter().any(|home| source.path.starts_with(home)))
    {
        for (number, line) in source.lines() {
            offences.extend(words.iter().filter(|word| line.contains(**word)).map(|word| {
                format!(
                    "{}:{number}: \
                    {word}",
                    source.path.display()
                )
            }));
        }
    }
    none(rule, offences);
}

#[test]
fn model_script_action_and_plugin_do_no_io() {
    for layer in ["model", "script", "action", "plugin"] {
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
            "model, script, action and plugin do no I/O",
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
