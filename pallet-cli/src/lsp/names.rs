//! What a name in a file means: one of Pallet's functions, a crate, something of the project, or
//! one of Starlark's own.

use std::collections::BTreeMap;

use pallet_core::model::Manifest;

use super::workspace::Workspace;
use crate::project::{Definition, DefinitionKind, builtins, file_name};
use crate::reference::{DocEntry, actions, declarations};

/// What is there without a load.
pub(super) struct NameIndex {
    /// Actions and declarations.
    pub(super) entries: BTreeMap<String, DocEntry>,
}

/// What a name means.
#[derive(Debug)]
pub(super) enum Meaning {
    /// A function that Pallet or a crate gives.
    DocEntry(DocEntry),
    /// A crate.
    Crate(Manifest),
    /// Something that a file of the project defines.
    Own {
        /// The file's name.
        file: String,
        /// What, and where.
        definition: Definition,
    },
    /// Something that Starlark gives, with its documentation in Markdown.
    Builtin(String),
}

impl NameIndex {
    /// All of it.
    pub(super) fn new() -> Self {
        let entries =
            actions().into_iter().chain(declarations()).map(|entry| (entry.name.clone(), entry));
        NameIndex { entries: entries.collect() }
    }

    /// What names joined by dots mean in a line of a file, from 1.
    pub(super) fn meaning(
        &self,
        workspace: &Workspace,
        file: &str,
        line: u32,
        names: &[String],
    ) -> Option<Meaning> {
        let (first, rest) = names.split_first()?;
        let known = workspace.outline(file).and_then(|outline| outline.find(first, line));
        match known {
            Some(definition) => defined(workspace, file, definition, rest, 0),
            None if !rest.is_empty() => None,
            None => match self.entries.get(first) {
                Some(entry) => Some(Meaning::DocEntry(entry.clone())),
                None => builtins().get(first).cloned().map(Meaning::Builtin),
            },
        }
    }
}

/// How many files may hand a name on to each other.
const CHAIN: usize = 20;

/// What a definition means, or an attribute of it.
fn defined(
    workspace: &Workspace,
    file: &str,
    definition: &Definition,
    rest: &[String],
    depth: usize,
) -> Option<Meaning> {
    let own = || Meaning::Own { file: file.to_owned(), definition: definition.clone() };
    let DefinitionKind::Loaded { module, name } = &definition.what else {
        return rest.is_empty().then(own);
    };
    let found = match module.strip_prefix('@') {
        Some(config_crate) => of_crate(workspace, config_crate, name, rest),
        None => {
            let there = file_name(module);
            let definition = workspace
                .outline(&there)
                .and_then(|outline| outline.top(name))
                .filter(|_| depth < CHAIN);
            definition
                .and_then(|definition| defined(workspace, &there, definition, rest, depth + 1))
        }
    };
    // what is not there is at least named by the load statement
    found.or_else(|| rest.is_empty().then(own))
}

/// What a name that is loaded from a crate means: the crate's namespace, or a function of it.
fn of_crate(
    workspace: &Workspace,
    config_crate: &str,
    name: &str,
    rest: &[String],
) -> Option<Meaning> {
    let manifest = workspace.manifest(config_crate)?;
    let function = |name: &str| {
        let found = manifest.functions.iter().find(|function| function.name == name)?;
        Some(Meaning::DocEntry(DocEntry::of_function(&manifest.name, found)))
    };
    match (function(name), rest) {
        (Some(function), []) => Some(function),
        (None, _) if name != namespace(&manifest) => None,
        (None, []) => Some(Meaning::Crate(manifest)),
        (None, [name]) => function(name),
        _ => None,
    }
}

/// What a file calls the functions of a crate together.
pub(super) fn namespace(manifest: &Manifest) -> String {
    manifest.name.replace('-', "_")
}
