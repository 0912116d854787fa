//! A project: a directory with `pallet.toml`, which configures it, and `pallet.star`, which
//! declares it.

mod analysis;
pub(crate) mod config;
pub(crate) mod diagnostic;
mod init;
pub(crate) mod schema;
pub(crate) mod star;
mod suggest;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pallet_core::engine::{Engine, GroupSpec, Phase};
use pallet_core::model::{Environment, Manifest, Node, merge_environment};
use starlark::PrintHandler;

use config::{Config, ProjectConfig, Source};
use star::{Files, InlineScope, Language, Run, with_room};

pub(crate) use analysis::Analysis;
pub(crate) use diagnostic::{Diagnostic, Diagnostics, Place, Severity};
pub(crate) use init::init;
pub(crate) use star::{
    Definition, Limits, MAIN, Outline, What, builtins, complete, declarations, file_name, tokens,
};
pub(crate) use suggest::{did_you_mean, did_you_mean_or_list};

/// The file that configures a project.
pub(crate) const CONFIG: &str = "pallet.toml";

/// The crates that are there.
pub(crate) trait Catalog: Send + Sync {
    /// Their names.
    fn crates(&self) -> Vec<String>;
    /// What one of them says of itself; the error is one line.
    fn manifest(&self, name: &str) -> Result<Manifest, String>;
}

/// What loading a project depends on besides its directory.
#[derive(Clone, Default)]
pub(crate) struct LoadOptions {
    /// The user's own configuration; a file that does not exist says nothing.
    pub(crate) user_config: Option<PathBuf>,
    /// What `~` in configuration means.
    pub(crate) home: Option<PathBuf>,
    /// The service to use; `None`: the default one.
    pub(crate) service: Option<String>,
    /// The environment of the command line, which is laid over all others.
    pub(crate) environment_override: Environment,
    /// Whether errors of phase functions are rendered in colour.
    pub(crate) colour: bool,
    /// What bounds the evaluation.
    pub(crate) limits: Limits,
    /// Takes what the top level of the files prints.
    pub(crate) print: Option<Sink>,
    /// What an editor holds in place of what is on disk.
    pub(crate) unsaved: Unsaved,
}

/// Texts by the names of their files, relative to the project's directory.
pub(crate) type Unsaved = BTreeMap<String, String>;

/// Takes a line of text.
pub(crate) type Sink = Arc<dyn Fn(&str) + Send + Sync>;

/// A project, loaded.
#[derive(Clone)]
pub(crate) struct Project {
    /// Its name.
    pub(crate) name: String,
    /// Its directory.
    pub(crate) directory: PathBuf,
    /// What pallet.toml says, laid over the user's own configuration.
    pub(crate) config: Config,
    /// The environment, with that of the service in use.
    pub(crate) environment: Environment,
    /// Its groups, those of clusters too, in order.
    pub(crate) groups: Vec<GroupSpec>,
    /// What is odd, but no error.
    pub(crate) warnings: Diagnostics,
    /// Where each group is declared.
    pub(crate) places: BTreeMap<String, Place>,
    pub(crate) inline: InlineScope,
    /// Whether pallet.star was read; if not, the groups are not known.
    pub(crate) knows_groups: bool,
}

/// The environments that are merged, in their order; the service's stands between the first two.
#[derive(Debug, Clone, Default)]
struct Scopes {
    user: Environment,
    project: Environment,
    command_line: Environment,
}

impl Project {
    /// Loads the project in a directory; the error is all that is wrong with it.
    pub(crate) fn load(
        directory: &Path,
        catalog: &dyn Catalog,
        options: LoadOptions,
    ) -> Result<Project, Diagnostics> {
        check_files(directory, &options.unsaved)?;
        with_room(|| Self::read(directory, catalog, options))?
    }

    /// Whether it declares the group of this node.
    pub(crate) fn declares(&self, node: &Node) -> bool {
        node.group.as_deref().is_some_and(|name| self.groups.iter().any(|group| group.name == name))
    }

    fn read(
        directory: &Path,
        catalog: &dyn Catalog,
        options: LoadOptions,
    ) -> Result<Project, Diagnostics> {
        let (config, scopes, mut found) = configuration(directory, &options);
        let language = Language::new(config.secrets.keys().map(String::as_str));
        let mut files = Files::read(directory, &options.unsaved, catalog, &language);
        found.extend(std::mem::take(&mut files.found.0));
        if found.has_errors() {
            return Err(found);
        }
        let run = Run { limits: options.limits, colour: options.colour };
        let evaluated = files.evaluate(run, &Print(options.print.clone()))?;
        let groups =
            evaluated.registry.finish(config.project.max_nodes.unwrap_or(Engine::MAX_NODES))?;
        let places = groups
            .iter()
            .filter_map(|(group, place)| Some((group.name.clone(), place.clone()?)))
            .collect();
        let groups: Vec<_> = groups.into_iter().map(|(group, _)| group).collect();
        let environment = scopes.with_service(&config, options.service.as_deref(), &mut found)?;
        if groups.is_empty() {
            let warning = Diagnostic::warning(format!(
                "{MAIN} declares no group: there is nothing \
                to make"
            ));
            found.push(
                warning.suggest("declare one: `web = group_spec(\"web\", count = 1)`".to_owned()),
            );
        }
        let crates = files
            .crates
            .into_iter()
            .filter_map(|(name, found)| Some((name, found?)))
            .collect::<std::collections::BTreeMap<_, _>>();
        Ok(Project {
            name: config
                .project
                .name
                .clone()
                .unwrap_or_else(|| config::name_of_directory(&directory_name(directory))),
            directory: directory.to_owned(),
            environment,
            groups,
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
            knows_groups: true,
        })
    }

    /// What pallet.toml alone says of the project in a directory: its groups are not known.
    pub(crate) fn configured(
        directory: &Path,
        options: &LoadOptions,
    ) -> Result<Project, Diagnostics> {
        let is_there = options.unsaved.contains_key(CONFIG) || directory.join(CONFIG).exists();
        if !is_there {
            check_files(directory, &options.unsaved)?;
        }
        let (config, scopes, mut found) = configuration(directory, options);
        if found.has_errors() {
            return Err(found);
        }
        let environment = scopes.with_service(&config, options.service.as_deref(), &mut found)?;
        Ok(Project {
            name: config
                .project
                .name
                .clone()
                .unwrap_or_else(|| config::name_of_directory(&directory_name(directory))),
            directory: directory.to_owned(),
            environment,
            groups: Vec::new(),
            places: BTreeMap::new(),
            warnings: found,
            config,
            inline: InlineScope::nothing(
                Language::new(std::iter::empty()),
                Run { limits: options.limits, colour: options.colour },
            )?,
            knows_groups: false,
        })
    }

    /// Code as a phase: statements that see `request` and everything that pallet.star defines or
    /// loads.
    pub(crate) fn inline(&self, code: &str) -> Result<Phase, Diagnostics> {
        self.inline.phase(code)
    }
}

impl Scopes {
    /// The environment with the service that is in use. If that is not known, this is a warning
    /// unless it was named.
    fn with_service(
        &self,
        config: &Config,
        service: Option<&str>,
        found: &mut Diagnostics,
    ) -> Result<Environment, Diagnostics> {
        match config.service(service) {
            Ok((_, service)) => Ok(self.merged(service.environment)),
            Err(error) if service.is_some() => Err(error.into()),
            Err(error) => {
                found.push(Diagnostic { severity: Severity::Warning, ..error });
                Ok(self.merged(Environment::new()))
            }
        }
    }

    fn merged(&self, service: Environment) -> Environment {
        let mut environment = self.user.clone();
        for scope in [service, self.project.clone(), self.command_line.clone()] {
            merge_environment(&mut environment, scope);
        }
        environment
    }
}

impl fmt::Debug for Project {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Project")
            .field("name", &self.name)
            .field("groups", &self.groups)
            .finish_non_exhaustive()
    }
}

/// Checks that the directory and the files of a project are there.
fn check_files(directory: &Path, unsaved: &Unsaved) -> Result<(), Diagnostic> {
    let shown = directory.display();
    if !directory.is_dir() {
        let message = if directory.exists() {
            format!("{shown} is no directory")
        } else {
            format!("there is no directory {shown}")
        };
        return Err(Diagnostic::error(message).suggest(
            "name the directory of a project: the one \
            that holds its pallet.toml"
                .to_owned(),
        ));
    }
    let (message, help) = match [CONFIG, MAIN]
        .map(|file| unsaved.contains_key(file) || directory.join(file).exists())
    {
        [true, true] => return Ok(()),
        [false, false] => (
            format!("there is no {CONFIG} and no {MAIN} in {shown}"),
            "`pallet-cli \
            init` writes a project to begin with",
        ),
        [true, false] => (
            format!("there is no {MAIN} in {shown}"),
            "write one that declares a \
            group: `group_spec(\"web\", count = 1)`",
        ),
        [false, true] => (
            format!("there is no {CONFIG} in {shown}"),
            "write one; it may be empty: \
            the nodes are then made by the sandbox",
        ),
    };
    Err(Diagnostic::error(message).suggest(help.to_owned()))
}

/// The user's configuration and the project's, merged, with what is wrong in them.
fn configuration(directory: &Path, options: &LoadOptions) -> (Config, Scopes, Diagnostics) {
    let mut found = Diagnostics::default();
    let home = options.home.as_deref();
    let user_file = options.user_config.as_ref().filter(|path| path.exists());
    let user = user_file
        .map(|path| read_configuration(path, &path.display().to_string(), home, None, &mut found))
        .unwrap_or_default();
    let unsaved = options.unsaved.get(CONFIG).cloned();
    let project = read_configuration(&directory.join(CONFIG), CONFIG, home, unsaved, &mut found);
    let scopes = Scopes {
        user: user.environment.clone(),
        project: project.environment.clone(),
        command_line: options.environment_override.clone(),
    };
    // a user's plugins are that user's; a project says itself what it needs
    let of_project = ProjectConfig { name: None, ..user.project };
    let config = Config { project: of_project, plugins: Default::default(), ..user };
    let config = config.merged(project);
    found.extend(config.check().0);
    (config, scopes, found)
}

/// What one file says, named `shown` in messages, or the text that stands for it. What is wrong
/// with it is added to what was found.
pub(crate) fn read_configuration(
    path: &Path,
    shown: &str,
    home: Option<&Path>,
    text: Option<String>,
    found: &mut Diagnostics,
) -> Config {
    let read = || {
        let bytes = std::fs::read(path).map_err(|error| {
            Diagnostic::error(format!(
                "cannot read \
            {shown}: {error}"
            ))
        })?;
        utf8(shown, bytes)
    };
    match text.map_or_else(read, Ok) {
        Ok(text) => {
            let directory = path.parent().map(Path::to_owned).unwrap_or_default();
            let (config, errors) = config::read(&Source {
                file: shown,
                text: &text,
                directory,
                home: home.map(Path::to_owned),
            });
            found.extend(errors.0);
            config
        }
        Err(error) => {
            found.push(error);
            Config::default()
        }
    }
}

/// The text of a file, which must be UTF-8.
pub(crate) fn utf8(name: &str, bytes: Vec<u8>) -> Result<String, Diagnostic> {
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = error.as_bytes().iter().take(good).filter(|byte| **byte == b'\n').count() + 1;
        Diagnostic::error(format!("{name} is not UTF-8 text: line {line} has a byte that is none"))
            .suggest("save the file in UTF-8".to_owned())
    })
}

fn directory_name(directory: &Path) -> String {
    let full = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
    full.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// What the top level of the files prints.
struct Print(Option<Sink>);

impl PrintHandler for Print {
    fn println(&self, text: &str) -> starlark::Result<()> {
        if let Some(print) = &self.0 {
            print(text);
        }
        Ok(())
    }
}
