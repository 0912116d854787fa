//! The state of a directory with open files: its plugins, definitions and diagnostics.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use lsp_types::{DiagnosticRelatedInformation, DiagnosticSeverity, Location, Range, Uri};
use pallet_core::model::{Manifest, PluginKind};
use pallet_core::plugins::Registry;

use super::documents::{Documents, name_in, uri_of};
use super::position;
use crate::context::{Context, InstalledCrates, ProjectWithPlugins, check_plugins};
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::project::{Analysis, CONFIG, CrateCatalog, Limits, LoadOptions, MAIN, Outline};

/// Timeout of evaluating the top level of a file while the user writes.
const TIME: Duration = Duration::from_secs(3);

/// The state of a directory.
pub(super) struct Workspace {
    pub(super) directory: PathBuf,
    registry: Arc<Registry>,
    /// The plugin paths with their modification times, as of the last scan.
    seen: Vec<(PathBuf, Option<SystemTime>)>,
    /// The definitions in its files. Files that cannot be parsed now keep their last definitions.
    pub(super) analysis: Analysis,
    /// Diagnostics by file.
    found: BTreeMap<PathBuf, Vec<lsp_types::Diagnostic>>,
}

impl Workspace {
    /// A directory that has not been checked yet.
    pub(super) fn new(directory: PathBuf) -> Self {
        Workspace {
            directory,
            registry: Arc::default(),
            seen: Vec::new(),
            analysis: Analysis::default(),
            found: BTreeMap::new(),
        }
    }

    /// Checks everything, and returns the diagnostics by file: of all open files, and of all files
    /// that have or had any.
    pub(super) fn check(
        &mut self,
        context: &Context,
        options: &LoadOptions,
        documents: &Documents,
    ) -> Vec<(PathBuf, Vec<lsp_types::Diagnostic>)> {
        let mut found = self.refresh_plugins(context);
        let open = documents.of(&self.directory);
        let stars = open.iter().filter(|path| path.extension().is_some_and(|end| end == "star"));
        let stars: Vec<String> = stars.filter_map(|path| name_in(&self.directory, path)).collect();
        let limits = Limits { time: TIME };
        let options =
            LoadOptions { unsaved: documents.unsaved(&self.directory), limits, ..options.clone() };
        let analysis =
            Analysis::of(&self.directory, &InstalledCrates(self.registry.clone()), options, &stars);
        self.analysis = analysis.after(std::mem::take(&mut self.analysis));
        found.extend(self.analysis.found.0.iter().cloned());
        if let Some(project) = &self.analysis.project {
            let loaded =
                ProjectWithPlugins { project: project.clone(), registry: self.registry.clone() };
            let missing = check_plugins(&loaded.project, &self.registry);
            let services = loaded
                .project
                .config
                .services
                .values()
                .map(|service| context.check_service(&loaded, service));
            found.extend(
                services.chain([missing]).filter_map(Result::err).flat_map(|errors| errors.0),
            );
        }
        let mut by_file: BTreeMap<PathBuf, Vec<lsp_types::Diagnostic>> = BTreeMap::new();
        for path in open {
            by_file.entry(path.to_owned()).or_default();
        }
        let unplaced = self.main(documents);
        for diagnostic in &found.0 {
            let path = diagnostic
                .place
                .as_ref()
                .map_or_else(|| unplaced.clone(), |place| self.directory.join(&place.file));
            by_file.entry(path).or_default().push(self.shown(diagnostic));
        }
        for path in self.found.keys() {
            by_file.entry(path.clone()).or_default();
        }
        self.found = by_file
            .iter()
            .filter(|(_, found)| !found.is_empty())
            .map(|(path, found)| (path.clone(), found.clone()))
            .collect();
        by_file.into_iter().collect()
    }

    /// The files with diagnostics.
    pub(super) fn faulty(&self) -> BTreeSet<PathBuf> {
        self.found.keys().cloned().collect()
    }

    /// The definitions of a file, as of the last time it could be parsed.
    pub(super) fn outline(&self, name: &str) -> Option<&Outline> {
        self.analysis.outlines.get(name)
    }

    /// The crates that can be loaded.
    pub(super) fn crates(&self) -> Vec<String> {
        InstalledCrates(self.registry.clone()).crates()
    }

    /// The manifest of a crate.
    pub(super) fn manifest(&self, name: &str) -> Option<Manifest> {
        self.registry
            .names(PluginKind::Crate)
            .contains(&name)
            .then(|| self.registry.crate_manifest(name).ok())?
    }

    /// Rescans the plugins if they have changed. Files that are no valid plugin are not the
    /// project's problem.
    fn refresh_plugins(&mut self, context: &Context) -> Diagnostics {
        let seen = context.seen(&self.directory);
        if seen == self.seen {
            return Diagnostics::default();
        }
        match context.scan_without_own(&self.directory) {
            Ok(registry) => {
                (self.registry, self.seen) = (Arc::new(registry), seen);
                Diagnostics::default()
            }
            // tried again after the next change
            Err(error) => Diagnostic::error(format!("{error:#}")).into(),
        }
    }

    /// The file that shows diagnostics without a place.
    fn main(&self, documents: &Documents) -> PathBuf {
        let candidates = [MAIN, CONFIG].map(|name| self.directory.join(name));
        let open = candidates.iter().find(|path| documents.get(path).is_some());
        let open =
            open.map(PathBuf::as_path).or_else(|| documents.of(&self.directory).first().copied());
        open.unwrap_or(&candidates[0]).to_owned()
    }

    fn shown(&self, diagnostic: &Diagnostic) -> lsp_types::Diagnostic {
        let note = |note: &crate::diagnostic::Note| {
            let place = note.place.as_ref()?;
            let location = Location::new(self.uri(&place.file)?, position::range(place));
            Some(DiagnosticRelatedInformation { location, message: note.message.clone() })
        };
        let notes: Vec<_> = diagnostic.notes.iter().filter_map(note).collect();
        let message = match &diagnostic.suggestion {
            Some(suggestion) => format!("{}\nhelp: {suggestion}", diagnostic.message),
            None => diagnostic.message.clone(),
        };
        lsp_types::Diagnostic {
            range: diagnostic.place.as_deref().map_or_else(Range::default, position::range),
            severity: Some(match diagnostic.severity {
                Severity::Error => DiagnosticSeverity::ERROR,
                Severity::Warning => DiagnosticSeverity::WARNING,
            }),
            source: Some("pallet".to_owned()),
            message,
            related_information: (!notes.is_empty()).then_some(notes),
            ..lsp_types::Diagnostic::default()
        }
    }

    /// The URI of a file in the directory.
    pub(super) fn uri(&self, name: &str) -> Option<Uri> {
        uri_of(&Path::new(&self.directory).join(name))
    }
}
