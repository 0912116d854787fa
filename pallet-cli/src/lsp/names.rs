//! Resolves a name in a file: a function of Pallet, a crate, a definition in the project, or a
//! builtin of Starlark.

use std::collections::BTreeMap;

use pallet_core::model::Manifest;

use super::workspace::Workspace;
use crate::project::{Definition, DefinitionKind, builtins, file_name};
use crate::reference::{DocEntry, actions, declarations};

/// The names that are available without a load.
pub(super) struct NameIndex {
    /// Actions and declarations.
    pub(super) entries: BTreeMap<String, DocEntry>,
}

/// What a name means.
#[derive(Debug)]
pub(super) enum Meaning {
    /// A function of Pallet or of a crate.
    DocEntry(DocEntry),
    /// A crate.
    Crate(Manifest),
    /// A definition in a file of the project.
    Own {
        /// The file's name.
        file: String,
        /// What, and where.
        definition: Definition,
    },
    /// A Starlark builtin, with its documentation in Markdown.
    Builtin(String),
}

impl NameIndex {
    /// The index of all such names.
    pub(super) fn new() -> Self {
        let entries =
            actions().into_iter().chain(declarations()).map(|entry| (entry.name.clone(), entry));
        NameIndex { entries: entries.collect() }
    }

    /// What names joined by dots mean in a line (from 1) of a file.
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

/// Maximum number of files through which a name is followed.
const CHAIN: usize = 20;

/// What a definition means, or one of its attributes.
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
    // if the definition is not found, the load statement at least names it
    found.or_else(|| rest.is_empty().then(own))
}

/// What a name loaded from a crate means: the crate's namespace, or a function of it.
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

/// The name of a crate's namespace in files.
pub(super) fn namespace(manifest: &Manifest) -> String {
    manifest.name.replace('-', "_")
}
