//! What an editor asks of the files in a directory: all that is wrong with them, and what they define.

use std::collections::BTreeMap;
use std::path::Path;

use super::star::{Files, Language, MAIN, Outline, with_room};
use super::{CONFIG, Catalog, Diagnostics, LoadOptions, Project, configuration};

/// What was found in the files of a directory.
#[derive(Debug, Default)]
pub(crate) struct Analysis {
    /// What is wrong.
    pub(crate) found: Diagnostics,
    /// What the files define, by their names. A file that cannot be parsed is not among them.
    pub(crate) outlines: BTreeMap<String, Outline>,
    /// The project, if nothing is wrong with it.
    pub(crate) project: Option<Project>,
}

impl Analysis {
    /// Reads the project in a directory, if there is one, and these files as well, whether they belong to it or not.
    pub(crate) fn of(directory: &Path, catalog: &dyn Catalog, options: LoadOptions, files: &[String]) -> Self {
        with_room(|| Self::read(directory, catalog, options, files))
            .unwrap_or_else(|panic| Analysis { found: panic.into(), ..Analysis::default() })
    }

    fn read(directory: &Path, catalog: &dyn Catalog, options: LoadOptions, others: &[String]) -> Self {
        let there = |file: &str| options.unsaved.contains_key(file) || directory.join(file).exists();
        let is_project = there(CONFIG);
        let (config, _, mut found) = if is_project { configuration(directory, &options) } else { Default::default() };
        let language = Language::new(config.secrets.keys().map(String::as_str));
        let mut files = Files::none(directory, &options.unsaved, catalog, &language);
        if is_project && there(MAIN) {
            files.add(MAIN);
        }
        found.extend(std::mem::take(&mut files.found.0));
        let sound = !found.has_errors();
        others.iter().for_each(|name| files.add(name));
        found.extend(std::mem::take(&mut files.found.0));
        let outlines = files.outlines();
        let mut project = None;
        if is_project && sound {
            match Project::load(directory, catalog, options) {
                Ok(loaded) => {
                    found.extend(loaded.warnings.0.iter().filter(|warning| !found.0.contains(warning)).cloned().collect::<Vec<_>>());
                    project = Some(loaded);
                }
                Err(errors) => found.extend(errors.0.into_iter().filter(|error| !found.0.contains(error)).collect::<Vec<_>>()),
            }
        }
        Analysis { found, outlines, project }
    }
}
