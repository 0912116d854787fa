//! A loaded project: the declarations of its files.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use pallet_core::engine::{EngineConfig, GroupSpec, Phase};
use pallet_core::model::{Environment, Node};
use pallet_core::plugins::Digest;
use starlark::PrintHandler;

use super::catalog::CrateCatalog;
use super::config::{Config, name_of_directory};
use super::configuration::{Configuration, configuration};
use super::files::{CONFIG, MAIN, check_files, directory_name};
use super::options::{LoadOptions, PrintSink};
use super::star::{Files, InlineScope, Language, RunSettings, with_room};
use crate::diagnostic::{Diagnostic, Diagnostics, SourceSpan};

/// A loaded project.
#[derive(Clone)]
pub(crate) struct LoadedProject {
    /// Its name.
    pub(crate) name: String,
    /// Its directory.
    pub(crate) directory: PathBuf,
    /// The content of pallet.toml, merged with the user's configuration.
    pub(crate) config: Config,
    /// The environment, including that of the service in use.
    pub(crate) environment: Environment,
    /// Its groups in order, including those of clusters.
    pub(crate) groups: Vec<GroupSpec>,
    /// The clusters, each with the names of its groups.
    pub(crate) clusters: BTreeMap<String, Vec<String>>,
    /// Warnings.
    pub(crate) warnings: Diagnostics,
    /// The place of each group's declaration.
    pub(crate) places: BTreeMap<String, SourceSpan>,
    pub(crate) inline: InlineScope,
    /// The digests of the files that it was loaded from, by their paths in its directory.
    pub(crate) digests: BTreeMap<String, Digest>,
    /// Whether pallet.star was read; otherwise the groups are unknown.
    pub(crate) knows_groups: bool,
}

impl LoadedProject {
    /// Loads the project in a directory. The error contains everything that is wrong with it.
    pub(crate) fn load(
        directory: &Path,
        catalog: &dyn CrateCatalog,
        options: LoadOptions,
    ) -> Result<LoadedProject, Diagnostics> {
        check_files(directory, &options.unsaved)?;
        with_room(|| Self::read(directory, catalog, options))?
    }

    /// Whether the project declares the group of this node.
    pub(crate) fn declares(&self, node: &Node) -> bool {
        node.group.as_deref().is_some_and(|name| self.groups.iter().any(|group| group.name == name))
    }

    fn read(
        directory: &Path,
        catalog: &dyn CrateCatalog,
        options: LoadOptions,
    ) -> Result<LoadedProject, Diagnostics> {
        let Configuration { config, scopes, digest, mut found } =
            configuration(directory, &options);
        let language = Language::new(config.secrets.keys().map(String::as_str));
        let mut files = Files::read(directory, &options.unsaved, catalog, &language);
        found.extend(std::mem::take(&mut files.found.0));
        if found.has_errors() {
            return Err(found);
        }
        let run = RunSettings { limits: options.limits, colour: options.colour };
        let evaluated = files.evaluate(run, &TopLevelPrint(options.print.clone()))?;
        let clusters = evaluated.declared.clusters().clone();
        let groups = evaluated
            .declared
            .finish(config.project.max_nodes.unwrap_or(EngineConfig::MAX_NODES))?;
        let places = groups
            .iter()
            .filter_map(|(group, place)| Some((group.name.clone(), place.clone()?)))
            .collect();
        let groups: Vec<_> = groups.into_iter().map(|(group, _)| group).collect();
        let environment = scopes.with_service(&config, options.service.as_deref(), &mut found)?;
        if groups.is_empty() {
            let warning = Diagnostic::warning(format!("{MAIN} declares no group"));
            found.push(
                warning.suggest("declare one: `web = group_spec(\"web\", count = 1)`".to_owned()),
            );
        }
        let mut digests = std::mem::take(&mut files.digests);
        digests.extend(digest.map(|digest| (CONFIG.to_owned(), digest)));
        let crates = files
            .crates
            .into_iter()
            .filter_map(|(name, found)| Some((name, found?)))
            .collect::<std::collections::BTreeMap<_, _>>();
        Ok(LoadedProject {
            name: project_name(&config, directory),
            directory: directory.to_owned(),
            environment,
            groups,
            clusters,
            places,
            warnings: found,
            config,
            inline: InlineScope {
                known: evaluated.known,
                language,
                main: evaluated.main,
                interface: evaluated.interface,
                crates,
                run,
            },
            digests,
            knows_groups: true,
        })
    }

    /// The project in a directory as pallet.toml alone defines it, without groups.
    pub(crate) fn configured(
        directory: &Path,
        options: &LoadOptions,
    ) -> Result<LoadedProject, Diagnostics> {
        let is_there = options.unsaved.contains_key(CONFIG) || directory.join(CONFIG).exists();
        if !is_there {
            check_files(directory, &options.unsaved)?;
        }
        let Configuration { config, scopes, digest, mut found } = configuration(directory, options);
        if found.has_errors() {
            return Err(found);
        }
        let environment = scopes.with_service(&config, options.service.as_deref(), &mut found)?;
        Ok(LoadedProject {
            name: project_name(&config, directory),
            directory: directory.to_owned(),
            environment,
            groups: Vec::new(),
            clusters: BTreeMap::new(),
            places: BTreeMap::new(),
            warnings: found,
            config,
            inline: InlineScope::nothing(
                Language::new(std::iter::empty()),
                RunSettings { limits: options.limits, colour: options.colour },
            )?,
            digests: digest.map(|digest| (CONFIG.to_owned(), digest)).into_iter().collect(),
            knows_groups: false,
        })
    }

    /// Turns code into a phase. It can use `request` and everything that pallet.star defines or
    /// loads.
    pub(crate) fn inline(&self, code: &str) -> Result<Phase, Diagnostics> {
        self.inline.phase(code)
    }
}

impl fmt::Debug for LoadedProject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Project")
            .field("name", &self.name)
            .field("groups", &self.groups)
            .finish_non_exhaustive()
    }
}

/// The project's name in pallet.toml, or that of its directory.
fn project_name(config: &Config, directory: &Path) -> String {
    let given = config.project.name.clone();
    given.unwrap_or_else(|| name_of_directory(&directory_name(directory)))
}

/// Receives the output of the files' top level.
struct TopLevelPrint(Option<PrintSink>);

impl PrintHandler for TopLevelPrint {
    fn println(&self, text: &str) -> starlark::Result<()> {
        if let Some(print) = &self.0 {
            print(text);
        }
        Ok(())
    }
}
