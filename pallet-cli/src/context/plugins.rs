//! The plugins that a project sees: those of a lock, and those on the search path.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::Context as _;
use pallet_core::distribution::lock::{LOCK_FILE, Lock};
use pallet_core::distribution::pins;
use pallet_core::distribution::repository::Access;
use pallet_core::distribution::store::Store;
use pallet_core::model::{Manifest, PluginKind, PluginSummary};
use pallet_core::plugins::source::DESCRIPTION;
use pallet_core::plugins::{FoundPlugin, Pin, Registry};

use super::base::Context;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::process::{Failure, USAGE};
use crate::project::star::{RunSettings, StarCrates};
use crate::project::{CONFIG, CrateCatalog, LoadedProject, read_configuration};

impl Context {
    /// The plugins of this machine. A file that is no valid plugin is a warning or, with `strict`,
    /// an error.
    pub(crate) fn registry(&self, strict: bool) -> anyhow::Result<Arc<Registry>> {
        let registry = self.scan()?;
        if strict {
            refuse_problems(&registry)?;
        }
        for problem in registry.problems() {
            self.printer.warning(&problem.to_string());
        }
        Ok(Arc::new(registry))
    }

    /// The plugins of the lock, and those on the search path. A project with a lock sees its locked
    /// plugins, those that come with Pallet, and those of `PALLET_PLUGIN_PATH`; other directories,
    /// where anybody could put a library, are ignored.
    pub(crate) fn scan(&self) -> anyhow::Result<Registry> {
        self.scan_for(&self.directory())
    }

    /// Like [`scan`](Self::scan), for the project in this directory.
    pub(crate) fn scan_for(&self, project: &Path) -> anyhow::Result<Registry> {
        self.scan_with(project, true)
    }

    /// The same without libraries in the project's own directory: for what happens without the
    /// user asking for it, such as completion, and in an editor. Whoever only looks at a project
    /// must not run its code.
    pub(crate) fn scan_without_own(&self, project: &Path) -> anyhow::Result<Registry> {
        self.scan_with(project, false)
    }

    fn scan_with(&self, project: &Path, own: bool) -> anyhow::Result<Registry> {
        let mut path = self.env.plugin_path.clone();
        path.extend(self.env.bundled.clone());
        let (pins, of_project) = match lock_in_use(project, &self.env.configuration) {
            Some((file, of_project)) => {
                let lock = Lock::read(&file)?.unwrap_or_default();
                let store = Store::at(&self.env.data);
                // if the store is not writable, its owner decides what stays in it
                let _ = self.remember(&store, &file);
                (pins(&lock, &store), of_project)
            }
            None => (Vec::new(), false),
        };
        if !of_project {
            path.extend(own.then(|| project.join(".pallet/plugins")));
            path.push(self.env.data.join("plugins"));
        }
        let crates = self.crates_by_path(project);
        let named = |pin: &Pin| {
            pin.kind == PluginKind::Crate && crates.iter().any(|(name, _)| *name == pin.name)
        };
        let pins: Vec<Pin> = pins.into_iter().filter(|pin| !named(pin)).collect();
        let crates: Vec<PathBuf> = crates.into_iter().map(|(_, path)| path).collect();
        let registry = Registry::locked(pins, &crates, &path).with_interpreter(self.interpreter());
        for found in registry.shadowed().iter().filter(|found| self.on_plugin_path(found)) {
            let name = &found.summary.name;
            self.printer.warning(&format!(
                "{} is not used because {name} is locked; to use it, install this file with \
                 `pallet-cli install`",
                found.path.display()
            ));
        }
        Ok(registry)
    }

    /// Loads crates in Starlark.
    pub(crate) fn interpreter(&self) -> Arc<StarCrates> {
        let colour = self.printer.colour();
        Arc::new(StarCrates::new(RunSettings { colour, ..RunSettings::default() }))
    }

    /// The crates in Starlark that pallet.toml names by their directories. What is wrong with the
    /// file is reported when the project is loaded.
    fn crates_by_path(&self, project: &Path) -> Vec<(String, PathBuf)> {
        let file = project.join(CONFIG);
        if !file.is_file() {
            return Vec::new();
        }
        let home = Some(self.env.home.as_path());
        let config = read_configuration(&file, CONFIG, home, None, &mut Diagnostics::default());
        let named = config.plugins.values();
        named
            .filter_map(|required| Some((required.name().to_owned(), required.path.clone()?)))
            .collect()
    }

    /// The paths that [`scan_for`](Self::scan_for) looks at, with their modification times: as long
    /// as these are equal, so are the plugins.
    pub(crate) fn seen(&self, project: &Path) -> Vec<(PathBuf, Option<SystemTime>)> {
        let mut paths = self.env.plugin_path.clone();
        paths.extend(self.env.bundled.clone());
        paths.extend([project.join(".pallet/plugins"), self.env.data.join("plugins")]);
        paths.extend(lock_in_use(project, &self.env.configuration).map(|(lock, _)| lock));
        for (_, directory) in self.crates_by_path(project) {
            let files = std::fs::read_dir(&directory).into_iter().flatten().flatten();
            paths.extend(files.map(|file| file.path()));
            paths.push(directory);
        }
        let changed =
            |path: &PathBuf| std::fs::metadata(path).and_then(|data| data.modified()).ok();
        paths.into_iter().map(|path| (path.clone(), changed(&path))).collect()
    }

    /// The lock in use.
    pub(crate) fn lock(&self) -> anyhow::Result<Option<Lock>> {
        match lock_in_use(&self.directory(), &self.env.configuration) {
            Some((file, _)) => Ok(Lock::read(&file)?),
            None => Ok(None),
        }
    }

    /// The source of a plugin that is not locked.
    pub(crate) fn source_of(&self, found: &FoundPlugin) -> String {
        let mut bundled =
            self.env.bundled.iter().filter_map(|directory| directory.canonicalize().ok());
        match found.path.parent() {
            Some(directory) if bundled.any(|bundled| bundled == directory) => {
                "bundled with pallet-cli".to_owned()
            }
            Some(directory) => directory.display().to_string(),
            None => String::new(),
        }
    }

    fn on_plugin_path(&self, found: &FoundPlugin) -> bool {
        let directories =
            self.env.plugin_path.iter().filter_map(|directory| directory.canonicalize().ok());
        directories.into_iter().any(|directory| found.path.parent() == Some(&directory))
    }

    /// The plugins that come with Pallet, and those of `PALLET_PLUGIN_PATH`. They need no
    /// installation.
    pub(crate) fn own_plugins(&self) -> Vec<PluginSummary> {
        let mut path = self.env.plugin_path.clone();
        path.extend(self.env.bundled.clone());
        Registry::scan(&path).plugins().iter().map(|found| found.summary.clone()).collect()
    }

    /// Protects the plugins of a lock from garbage collection in the store.
    pub(crate) fn remember(&self, store: &Store, lock: &Path) -> anyhow::Result<()> {
        let lock =
            lock.canonicalize().with_context(|| format!("cannot find {}", lock.display()))?;
        Ok(store.remember(&lock)?)
    }

    /// How to reach registries from this machine.
    pub(crate) fn access(&self) -> Access {
        let [https_proxy, http_proxy, no_proxy] = self.env.proxies.clone();
        Access {
            credentials: self.env.credentials.clone(),
            helper_path: self.env.programs.clone(),
            https_proxy,
            http_proxy,
            no_proxy,
            ..Access::default()
        }
    }
}

/// Returns an error if some plugin cannot be used.
pub(crate) fn refuse_problems(registry: &Registry) -> Result<(), Failure> {
    let mut problems: Vec<_> = registry.problems().iter().map(ToString::to_string).collect();
    problems.extend(
        registry
            .plugins()
            .iter()
            .filter_map(|found| registry.check_requirements(found).err())
            .map(|error| error.to_string()),
    );
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Failure {
            code: USAGE,
            message: problems.join(
                "\n\
                 error: ",
            ),
        })
    }
}

/// Checks that the plugins that pallet.toml requires are installed, in matching versions.
pub(crate) fn check_plugins(
    project: &LoadedProject,
    registry: &Registry,
) -> Result<(), Diagnostics> {
    let mut missing = Diagnostics::default();
    for required in project.config.plugins.values() {
        let is_meant = |summary: &&PluginSummary| {
            summary.name == required.name() && required.kind.is_none_or(|kind| kind == summary.kind)
        };
        let there: Vec<_> =
            registry.plugins().iter().map(|found| &found.summary).filter(is_meant).collect();
        if there.iter().any(|summary| required.version.matches(&summary.version)) {
            continue;
        }
        let message = match there.first() {
            Some(summary) => format!(
                "plugin `{}` {} is required, but {} is installed",
                required.key, required.version, summary.version
            ),
            None => format!(
                "plugin `{}` {} is required, but not installed",
                required.key, required.version
            ),
        };
        if let Some(path) = &required.path {
            let found = Diagnostic::error(format!(
                "there is no crate `{}` {} in {}",
                required.name(),
                required.version,
                path.display()
            ));
            missing.push(
                found.at(required.place.clone()).suggest(format!(
                    "its {DESCRIPTION} must say `name = \"{}\"`",
                    required.name()
                )),
            );
            continue;
        }
        missing.extend([Diagnostic::error(message)
            .at(required.place.clone())
            .suggest("run `pallet-cli install`".to_owned())]);
    }
    if missing.has_errors() { Err(missing) } else { Ok(()) }
}

/// The installed crates.
pub(crate) struct InstalledCrates(pub(crate) Arc<Registry>);

impl CrateCatalog for InstalledCrates {
    fn crates(&self) -> Vec<String> {
        self.0.names(PluginKind::Crate).into_iter().map(str::to_owned).collect()
    }

    fn manifest(&self, name: &str) -> Result<Manifest, String> {
        self.0.crate_manifest(name).map_err(|error| error.to_string())
    }
}

/// The lock in use: the project's, or the user's if the project has none; and whether it is the
/// project's.
fn lock_in_use(project: &Path, configuration: &Path) -> Option<(PathBuf, bool)> {
    let lock = |directory: &Path| Some(directory.join(LOCK_FILE)).filter(|lock| lock.is_file());
    lock(project).map(|lock| (lock, true)).or_else(|| lock(configuration).map(|lock| (lock, false)))
}
