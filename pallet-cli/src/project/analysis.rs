//! Analyses the files in a directory for editors: their errors and their definitions.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use super::configuration::{Configuration, configuration};
use super::star::{
    Crate, DefinitionKind, Files, Kind, KnownName, Language, Outline, Parameter, Signature,
    builtins, plain_signature, with_room,
};
use super::{CONFIG, CrateCatalog, LoadOptions, LoadedProject, MAIN};
use crate::diagnostic::Diagnostics;
use crate::project::star::complete::{CompletionScope, Name};

/// The analysis of the files in a directory.
#[derive(Debug, Default)]
pub(crate) struct Analysis {
    /// Errors and warnings.
    pub(crate) found: Diagnostics,
    /// The definitions by file, without files that cannot be parsed.
    pub(crate) outlines: BTreeMap<String, Outline>,
    /// The project, if it has no errors.
    pub(crate) project: Option<LoadedProject>,
    /// The crates that the files load.
    crates: BTreeMap<String, Crate>,
    /// The functions that are available without a load.
    known: HashMap<String, KnownName>,
}

impl Analysis {
    /// Reads the project in a directory, if there is one, and these files, whether or not they
    /// belong to it.
    pub(crate) fn of(
        directory: &Path,
        catalog: &dyn CrateCatalog,
        options: LoadOptions,
        files: &[String],
    ) -> Self {
        with_room(|| Self::read(directory, catalog, options, files))
            .unwrap_or_else(|panic| Analysis { found: panic.into(), ..Analysis::default() })
    }

    fn read(
        directory: &Path,
        catalog: &dyn CrateCatalog,
        options: LoadOptions,
        others: &[String],
    ) -> Self {
        let there =
            |file: &str| options.unsaved.contains_key(file) || directory.join(file).exists();
        let is_project = there(CONFIG);
        let Configuration { config, mut found, .. } =
            if is_project { configuration(directory, &options) } else { Default::default() };
        let language = Language::new(config.secrets.keys().map(String::as_str));
        let mut files = Files::none(directory, &options.unsaved, Some(catalog), &language);
        if is_project && there(MAIN) {
            files.add(MAIN);
        }
        found.extend(std::mem::take(&mut files.found.0));
        let sound = !found.has_errors();
        others.iter().for_each(|name| files.add(name));
        // a file that cannot be parsed is read twice, and its error reported twice
        let more: Vec<_> = std::mem::take(&mut files.found.0)
            .into_iter()
            .filter(|one| !found.0.contains(one))
            .collect();
        found.extend(more);
        let outlines = files.outlines();
        let crates =
            files.crates.into_iter().filter_map(|(name, found)| Some((name, found?))).collect();
        let mut project = None;
        // in the scenarios of a crate, pallet.toml may be the only file of a project
        if is_project && there(MAIN) && sound {
            let (loaded, more) = match LoadedProject::load(directory, catalog, options) {
                Ok(loaded) => (Some(loaded.clone()), loaded.warnings),
                Err(errors) => (None, errors),
            };
            project = loaded;
            let more: Vec<_> = more.0.into_iter().filter(|one| !found.0.contains(one)).collect();
            found.extend(more);
        }
        Analysis { found, outlines, project, crates, known: language.known() }
    }

    /// Keeps earlier findings that are missing now: a file that cannot be parsed keeps its last
    /// definitions.
    pub(crate) fn after(mut self, before: Analysis) -> Self {
        let or = |name: &str| !self.outlines.contains_key(name);
        let outlines: Vec<_> = before.outlines.into_iter().filter(|(name, _)| or(name)).collect();
        self.outlines.extend(outlines);
        for (name, config_crate) in before.crates {
            self.crates.entry(name).or_insert(config_crate);
        }
        if self.known.is_empty() {
            self.known = before.known;
        }
        self
    }

    /// The names that can be used in a line (from 1) of a file.
    pub(crate) fn scope(&self, file: &str, line: u32, crates: Vec<String>) -> CompletionScope {
        let mut names: BTreeMap<String, Name> = builtins()
            .keys()
            .map(|name| (name.clone(), Name::about("a Starlark builtin")))
            .collect();
        names.extend(self.known.iter().map(|(name, known)| (name.clone(), Name::known(known))));
        // the innermost definition comes first, and must be inserted last to win
        let visible: Vec<_> =
            self.outlines.get(file).into_iter().flat_map(|outline| outline.visible(line)).collect();
        for definition in visible.into_iter().rev() {
            names.insert(definition.name.clone(), self.name(&definition.what, 0));
        }
        let groups = self.project.iter().flat_map(|project| &project.groups);
        CompletionScope {
            names,
            crates,
            groups: groups.map(|group| group.name.clone()).collect(),
            ..CompletionScope::default()
        }
    }

    fn name(&self, what: &DefinitionKind, depth: usize) -> Name {
        match what {
            DefinitionKind::Function { call, parameters, .. } => {
                let parameters = parameters.iter().map(|name| match name.as_str() {
                    "request" => Parameter {
                        name: name.clone(),
                        kind: Kind::Request,
                        required: true,
                        positional: true,
                    },
                    _ => Parameter {
                        name: name.clone(),
                        kind: Kind::Any("any value"),
                        required: false,
                        positional: true,
                    },
                });
                let signature =
                    Signature { parameters: parameters.collect(), ..plain_signature(call) };
                Name { signature: Some(Arc::new(signature)), ..Name::about(call) }
            }
            DefinitionKind::Parameter => Name::about("a parameter"),
            DefinitionKind::Variable => Name::about("a variable"),
            DefinitionKind::Loaded { module, name } => {
                let known = module
                    .strip_prefix('@')
                    .and_then(|config_crate| self.crates.get(config_crate)?.known(name));
                let own = self
                    .outlines
                    .get(&super::file_name(module))
                    .and_then(|outline| outline.top(name));
                match (known, own) {
                    (Some(known), _) => Name::known(&known),
                    (None, Some(own)) if depth < 20 => self.name(&own.what, depth + 1),
                    _ => Name::about("loaded"),
                }
            }
        }
    }
}
