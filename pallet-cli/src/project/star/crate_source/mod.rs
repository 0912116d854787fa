//! Crates that are written in Starlark: their functions, from the definitions in `crate.star`.

mod data_type;
mod docstring;
mod functions;
mod loaded;

use std::path::Path;
use std::sync::{Arc, OnceLock};

use pallet_core::model::Manifest;
use pallet_core::plugins::source::{
    DESCRIPTION, Description, Interpreter, MAIN_MODULE, OtherCrates, SourceCrate,
};
use starlark::PrintHandler;

use super::guard::with_room;
use super::language::Language;
use super::load::Files;
use super::slot::RunSettings;
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::project::CrateCatalog;

use self::functions::{CrateFunction, functions};
use self::loaded::LoadedSource;

/// Loads crates in Starlark.
#[derive(Default)]
pub(crate) struct StarCrates {
    run: RunSettings,
    /// Made once: all crates use the same.
    language: OnceLock<Language>,
}

impl StarCrates {
    /// Crates whose evaluations have these settings.
    pub(crate) fn new(run: RunSettings) -> Self {
        StarCrates { run, ..Self::default() }
    }

    /// Checks the crate in a directory without evaluating it. What it loads from other crates is
    /// not looked at.
    pub(crate) fn check(&self, directory: &Path) -> Result<(), String> {
        let description = Description::read(&directory.join(DESCRIPTION))
            .map_err(|error| format!("{DESCRIPTION}: {error}"))?;
        self.with(directory, &description, None, |_, _| Ok(()))
    }

    /// Reads and checks the modules of a crate, and passes them on with the crate's functions.
    fn with<R: Send>(
        &self,
        directory: &Path,
        description: &Description,
        catalog: Option<&dyn CrateCatalog>,
        work: impl FnOnce(Files<'_>, Vec<CrateFunction>) -> Result<R, Diagnostic> + Send,
    ) -> Result<R, String> {
        let language = self.language.get_or_init(Language::of_crates);
        let unsaved = Default::default();
        let read = || {
            let mut files =
                Files::of_crate(&description.name, directory, &unsaved, catalog, language);
            files.add(MAIN_MODULE);
            let mut found = std::mem::take(&mut files.found);
            // without its main module there is nothing more to say
            let functions = match found.has_errors() {
                true => Vec::new(),
                false => functions(&files, &mut found),
            };
            if found.has_errors() {
                return Err(found);
            }
            work(files, functions).map_err(Diagnostics::from)
        };
        let result = with_room(read).map_err(Diagnostics::from).flatten();
        result.map_err(|found| told(&found))
    }
}

impl Interpreter for StarCrates {
    fn load(
        &self,
        directory: &Path,
        description: &Description,
        others: &dyn OtherCrates,
    ) -> Result<Arc<dyn SourceCrate>, String> {
        // other crates are looked up before, on this thread
        let required = Required::of(description, others);
        let run = self.run;
        self.with(directory, description, Some(&required), |mut files, functions| {
            let evaluated = files.evaluate(MAIN_MODULE, run, &Silent)?;
            let loaded = LoadedSource::new(description, functions, &evaluated.main, run)?;
            Ok(Arc::new(loaded) as Arc<dyn SourceCrate>)
        })
    }
}

/// The first error, with its place, and the number of the others.
fn told(found: &Diagnostics) -> String {
    let errors: Vec<&Diagnostic> = {
        let errors = found.0.iter();
        errors.filter(|one| one.severity == Severity::Error).collect()
    };
    let first = errors.first().map(|error| {
        let place = error.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
        format!("{place}{}", error.one_line())
    });
    let more = match errors.len() {
        0 | 1 => String::new(),
        2 => " (and 1 more error)".to_owned(),
        count => format!(" (and {} more errors)", count - 1),
    };
    first.unwrap_or_default() + &more
}

/// The crates that a crate requires.
struct Required {
    /// The names of all crates that exist.
    names: Vec<String>,
    crate_name: String,
    manifests: Vec<(String, Result<Manifest, String>)>,
}

impl Required {
    fn of(description: &Description, others: &dyn OtherCrates) -> Self {
        let manifest = |name: &String| (name.clone(), others.manifest(name));
        Required {
            names: others.names(),
            crate_name: description.name.clone(),
            manifests: description.requires.keys().map(manifest).collect(),
        }
    }
}

impl CrateCatalog for Required {
    fn crates(&self) -> Vec<String> {
        self.names.clone()
    }

    fn manifest(&self, name: &str) -> Result<Manifest, String> {
        let found = self.manifests.iter().find(|(known, _)| known == name);
        found.map(|(_, manifest)| manifest.clone()).unwrap_or_else(|| {
            Err(format!(
                "`{}` does not require it; add `{name} = \"VERSION\"` to [requires] of \
                 {DESCRIPTION}",
                self.crate_name
            ))
        })
    }
}

/// Drops what the top level of modules prints: it runs whenever the crate is loaded.
struct Silent;

impl PrintHandler for Silent {
    fn println(&self, _text: &str) -> starlark::Result<()> {
        Ok(())
    }
}
