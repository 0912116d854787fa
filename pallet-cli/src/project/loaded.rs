//! A loaded project: the declarations of its files.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use pallet_core::engine::{EngineConfig, GroupSpec, Phase};
use pallet_core::model::{Environment, Node};
use pallet_core::plugins::Digest;
use starlark::PrintHandler;

use super::catalog::CrateCatalog;
use super::config::{Config, Named, Protect, StageConfig, name_of_directory};
use super::configuration::{Configuration, EnvironmentScopes, configuration};
use super::files::{CONFIG, MAIN, check_files, directory_name};
use super::options::{LoadOptions, PrintSink};
use super::star::{Files, InlineScope, Language, RunSettings, with_room};
use crate::diagnostic::{Diagnostic, Diagnostics, SourceSpan, did_you_mean_or_list};

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
    /// The scopes of the environment.
    pub(crate) scopes: EnvironmentScopes,
    /// The stage, with its name.
    pub(crate) stage: Option<(String, StageConfig)>,
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
        let evaluated = files.evaluate(MAIN, run, &TopLevelPrint(options.print.clone()))?;
        let clusters = evaluated.declared.clusters().clone();
        let groups = evaluated
            .declared
            .finish(config.project.max_nodes.unwrap_or(EngineConfig::MAX_NODES))?;
        let places = groups
            .iter()
            .filter_map(|(group, place)| Some((group.name.clone(), place.clone()?)))
            .collect();
        let mut groups: Vec<_> = groups.into_iter().map(|(group, _)| group).collect();
        let stage = stage_of(&config, &options);
        if let Some((name, stage)) = &stage {
            staged(name, stage, &mut groups, &mut found);
        }
        if found.has_errors() {
            return Err(found);
        }
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
            name: project_name(&config, directory, stage.as_ref())?,
            directory: directory.to_owned(),
            environment,
            scopes,
            stage,
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
        let stage = stage_of(&config, options);
        Ok(LoadedProject {
            name: project_name(&config, directory, stage.as_ref())?,
            directory: directory.to_owned(),
            environment,
            scopes,
            stage,
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

/// The stage that is selected, with its name.
fn stage_of(config: &Config, options: &LoadOptions) -> Option<(String, StageConfig)> {
    let name = options.stage.as_ref()?;
    Some((name.clone(), config.stage(name).ok()?.clone()))
}

/// The project's name in pallet.toml, or that of its directory; in a stage, that of the stage.
fn project_name(
    config: &Config,
    directory: &Path,
    stage: Option<&(String, StageConfig)>,
) -> Result<String, Diagnostic> {
    let given = config.project.name.clone();
    let name = given.unwrap_or_else(|| name_of_directory(&directory_name(directory)));
    let Some((stage_name, stage)) = stage else { return Ok(name) };
    let staged = stage.project.clone().unwrap_or_else(|| format!("{name}-{stage_name}"));
    if staged.len() > LONGEST_NAME {
        let message = format!(
            "the name of the project in stage `{stage_name}`, {staged}, has more than \
             {LONGEST_NAME} characters"
        );
        let help = "give it another one: `project = \"...\"`".to_owned();
        return Err(Diagnostic::error(message).at(stage.place.clone()).suggest(help));
    }
    Ok(staged)
}

/// The maximum length of a project's name.
const LONGEST_NAME: usize = 40;

/// Applies the counts and the protection of a stage.
fn staged(name: &str, stage: &StageConfig, groups: &mut [GroupSpec], found: &mut Diagnostics) {
    let known: Vec<String> = groups.iter().map(|group| group.name.clone()).collect();
    let unknown = |group: &str, place: &SourceSpan| {
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        Diagnostic::error(format!("stage `{name}`: there is no group `{group}`"))
            .at(place.clone())
            .suggest(did_you_mean_or_list(group, &known, "there are"))
    };
    for (group, (count, place)) in &stage.counts {
        let Some(spec) = groups.iter_mut().find(|spec| spec.name == *group) else {
            found.push(unknown(group, place));
            continue;
        };
        spec.count = Some(*count);
        let (protect, min_count) = (spec.protect, spec.min_count);
        if let Err(error) = spec.clone().protected(protect, min_count) {
            found.push(Diagnostic::error(error.to_string()).at(place.clone()));
        }
    }
    match &stage.protect {
        Protect::All => groups.iter_mut().for_each(|group| group.protect = true),
        Protect::Groups(protected) => {
            for Named { name, place } in protected {
                match groups.iter_mut().find(|group| group.name == *name) {
                    Some(group) => group.protect = true,
                    None => found.push(unknown(name, place)),
                }
            }
        }
    }
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
