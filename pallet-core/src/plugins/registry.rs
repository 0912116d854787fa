//! The plugins of this machine. Each is loaded when it is needed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};

use super::error::RegistryError;
use super::file::is_source;
use super::found::FoundPlugin;
use super::pin::Pin;
use super::scan::{Scanned, scan};
use super::service::LoadedService;
use super::source::{Description, Interpreter, OtherCrates, SourceCrate};
use crate::abi::author::ConnectService;
use crate::abi::host::{Module, OpenCrate, open};
use crate::model::{Capabilities, Manifest, PluginKind, PluginSummary};
use crate::plugin::{ErrorKind, PluginError, Remote, RequestHost, Service, ServiceContext};

/// The plugins of this machine, by name. Each is loaded on first use.
#[derive(Default)]
pub struct Registry {
    found: Vec<FoundPlugin>,
    problems: Vec<RegistryError>,
    shadowed: Vec<FoundPlugin>,
    crates: Mutex<BTreeMap<String, Arc<LoadedCrate>>>,
    /// Held while a library is opened.
    opening: Mutex<()>,
    /// Loads crates in Starlark.
    interpreter: Option<Arc<dyn Interpreter>>,
    /// Files of locked plugins that were already checked.
    checked: Mutex<BTreeSet<PathBuf>>,
}

struct LoadedCrate {
    manifest: Manifest,
    code: Code,
}

/// What runs when a function of a crate is called.
enum Code {
    Library(OpenCrate),
    Source(Arc<dyn SourceCrate>),
}

impl Registry {
    /// Finds plugins in these directories: libraries `libpallet_*.so` (on macOS `.dylib`), and
    /// directories with a `crate.toml`. Loads nothing. A file that is not a plugin becomes a
    /// problem.
    pub fn scan(directories: &[PathBuf]) -> Self {
        Registry::locked(Vec::new(), &[], directories)
    }

    /// Like [`Registry::scan`], with locked plugins, and with crates in Starlark in directories of
    /// their own. Both take precedence over the directories of the search path. Locked plugins are
    /// loaded only if they are as they were locked.
    pub fn locked(pins: Vec<Pin>, crates: &[PathBuf], directories: &[PathBuf]) -> Self {
        let Scanned { found, problems, shadowed } = scan(pins, crates, directories);
        Registry { found, problems, shadowed, ..Registry::default() }
    }

    /// Loads crates in Starlark with this interpreter. Without one they cannot be loaded.
    pub fn with_interpreter(mut self, interpreter: Arc<dyn Interpreter>) -> Self {
        self.interpreter = Some(interpreter);
        self
    }

    /// Adds the plugins of `others`. On equal names, this registry's plugins win.
    pub fn before(mut self, others: Registry) -> Self {
        let there = |found: &FoundPlugin| {
            self.found.iter().any(|own| {
                own.summary.kind == found.summary.kind && own.summary.name == found.summary.name
            })
        };
        let more: Vec<_> = others.found.into_iter().filter(|found| !there(found)).collect();
        let hidden = |problem: &RegistryError| {
            self.found.iter().any(|own| problem.concerns(own.summary.kind, &own.summary.name))
        };
        let problems: Vec<_> =
            others.problems.into_iter().filter(|problem| !hidden(problem)).collect();
        self.found.extend(more);
        self.found.sort_by(|a, b| a.summary.name.cmp(&b.summary.name));
        self.problems.extend(problems);
        self.interpreter = self.interpreter.or(others.interpreter);
        self
    }

    /// The plugins, sorted by name.
    pub fn plugins(&self) -> &[FoundPlugin] {
        &self.found
    }

    /// The plugins that cannot be used, and why.
    pub fn problems(&self) -> &[RegistryError] {
        &self.problems
    }

    /// Files in the directories that are ignored because a lock names another plugin with that
    /// name.
    pub fn shadowed(&self) -> &[FoundPlugin] {
        &self.shadowed
    }

    /// The names of the plugins of one kind.
    pub fn names(&self, kind: PluginKind) -> Vec<&str> {
        self.found
            .iter()
            .filter(|found| found.summary.kind == kind)
            .map(|found| found.summary.name.as_str())
            .collect()
    }

    /// A crate's manifest. Loads the crate.
    pub fn crate_manifest(&self, name: &str) -> Result<Manifest, RegistryError> {
        Ok(self.load_crate(name)?.manifest.clone())
    }

    /// What a crate's functions may do; `None`: everything. Loads the crate.
    pub fn capabilities(&self, name: &str) -> Result<Option<Capabilities>, RegistryError> {
        Ok(self.load_crate(name)?.manifest.capabilities.clone())
    }

    /// The crates that a crate requires.
    pub fn requires(&self, name: &str) -> Vec<&str> {
        let found = self
            .found
            .iter()
            .find(|found| found.summary.kind == PluginKind::Crate && found.summary.name == name);
        found
            .into_iter()
            .flat_map(|found| &found.summary.requires)
            .map(|required| required.name.as_str())
            .collect()
    }

    /// A provider's manifest. Loads the provider.
    pub fn provider_manifest(&self, name: &str) -> Result<Manifest, RegistryError> {
        let found = self.find(PluginKind::Provider, name)?;
        self.open(found)?.manifest().map_err(|error| RegistryError::of_plugin(found, error))
    }

    /// Calls a crate's function.
    pub fn call(
        &self,
        name: &str,
        function: &str,
        host: Arc<dyn RequestHost>,
        arguments: &Value,
    ) -> Result<Value, PluginError> {
        let loaded = self
            .load_crate(name)
            .map_err(|error| PluginError::new(ErrorKind::NotFound, error.to_string()))?;
        let answer = match &loaded.code {
            Code::Library(open) => open.call(host, function, arguments),
            Code::Source(source) => source.call(host, function, arguments),
        };
        answer.map_err(|mut error| {
            if error.kind == ErrorKind::Panicked {
                error.message = format!("crate {name}, function {function}: {}", error.message);
                error.help = "this is a bug in the crate; report it to its author".to_owned();
            }
            error
        })
    }

    /// Creates a service of a provider.
    pub fn service(
        &self,
        provider: &str,
        options: Map<String, Value>,
        context: ServiceContext,
    ) -> Result<Arc<dyn Service>, RegistryError> {
        let found = self.find(PluginKind::Provider, provider)?;
        let service = ConnectService { options: Value::Object(options), context };
        let open = self
            .open(found)?
            .provider(&service)
            .map_err(|error| RegistryError::of_plugin(found, error))?;
        Ok(Arc::new(Remote::new(provider, LoadedService { name: provider.to_owned(), open })))
    }

    /// The directory of a crate in Starlark; `None` for other crates.
    pub fn source_directory(&self, name: &str) -> Option<&Path> {
        self.source_directories().find(|(own, _)| *own == name).map(|(_, directory)| directory)
    }

    /// The directories of all crates in Starlark, with their names.
    pub fn source_directories(&self) -> impl Iterator<Item = (&str, &Path)> {
        self.found
            .iter()
            .filter(|found| is_source(&found.path))
            .filter_map(|found| Some((found.summary.name.as_str(), found.path.parent()?)))
    }

    fn load_crate(&self, name: &str) -> Result<Arc<LoadedCrate>, RegistryError> {
        self.load_for(name, &[])
    }

    /// Loads a crate for those that are being loaded, outermost first.
    fn load_for(&self, name: &str, chain: &[&str]) -> Result<Arc<LoadedCrate>, RegistryError> {
        if let Some(loaded) = self.loaded(name) {
            return Ok(loaded);
        }
        let found = self.find(PluginKind::Crate, name)?;
        self.check_requirements(found)?;
        let loaded = if is_source(&found.path) {
            let source = self.load_source(found, chain)?;
            LoadedCrate { manifest: source.manifest(), code: Code::Source(source) }
        } else {
            let _alone = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(loaded) = self.loaded(name) {
                return Ok(loaded);
            }
            let module = self.open(found)?;
            let of_plugin = |error| RegistryError::of_plugin(found, error);
            LoadedCrate {
                manifest: module.manifest().map_err(of_plugin)?,
                code: Code::Library(module.config_crate().map_err(of_plugin)?),
            }
        };
        let mut crates = self.crates.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(crates.entry(name.to_owned()).or_insert_with(|| Arc::new(loaded)).clone())
    }

    fn loaded(&self, name: &str) -> Option<Arc<LoadedCrate>> {
        self.crates.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    fn load_source(
        &self,
        found: &FoundPlugin,
        chain: &[&str],
    ) -> Result<Arc<dyn SourceCrate>, RegistryError> {
        let name = found.summary.name.as_str();
        let wrong = |message: String| RegistryError::Source { name: name.to_owned(), message };
        let interpreter = self.interpreter.as_ref().ok_or_else(|| {
            wrong("it is written in Starlark, which this program does not run".to_owned())
        })?;
        self.check_pinned(found)?;
        let directory = found.path.parent().unwrap_or(Path::new("/"));
        let file = |message: String| wrong(format!("{}: {message}", found.path.display()));
        let description = Description::read(&found.path).map_err(file)?;
        if description.summary() != found.summary {
            return Err(wrong("it was changed while it was being loaded".to_owned()));
        }
        let others = Others { registry: self, chain: [chain, &[name]].concat() };
        interpreter.load(directory, &description, &others).map_err(wrong)
    }

    fn open(&self, found: &FoundPlugin) -> Result<Module, RegistryError> {
        self.check_pinned(found)?;
        open(&found.path)
            .map_err(|message| RegistryError::Load { path: found.path.clone(), message })
    }

    /// Fails if a locked plugin is not as it was locked.
    fn check_pinned(&self, found: &FoundPlugin) -> Result<(), RegistryError> {
        let Some(pinned) = &found.pinned else { return Ok(()) };
        let mut checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        if !checked.contains(&found.path) {
            let PluginSummary { kind, name, version, .. } = found.summary.clone();
            pinned.check().map_err(|message| RegistryError::Pinned {
                kind,
                name,
                version,
                message,
            })?;
            checked.insert(found.path.clone());
        }
        Ok(())
    }

    fn find(&self, kind: PluginKind, name: &str) -> Result<&FoundPlugin, RegistryError> {
        if let Some(problem) = self.problems.iter().find(|problem| problem.concerns(kind, name)) {
            return Err(problem.clone());
        }
        self.found
            .iter()
            .find(|found| found.summary.kind == kind && found.summary.name == name)
            .ok_or_else(|| RegistryError::Missing {
                kind,
                name: name.to_owned(),
                known: self.names(kind).into_iter().map(str::to_owned).collect(),
            })
    }

    /// Fails unless all crates that this one requires are installed, in acceptable versions.
    pub fn check_requirements(&self, found: &FoundPlugin) -> Result<(), RegistryError> {
        for requirement in &found.summary.requires {
            let there = self.found.iter().find(|other| {
                other.summary.kind == PluginKind::Crate && other.summary.name == requirement.name
            });
            let version = there.map(|other| other.summary.version.clone());
            if !version.as_ref().is_some_and(|version| requirement.version.matches(version)) {
                return Err(RegistryError::Requirement {
                    by: found.summary.name.clone(),
                    name: requirement.name.clone(),
                    wanted: requirement.version.clone(),
                    there: version,
                });
            }
        }
        Ok(())
    }
}

/// The crates that a crate can load while it is loaded itself.
struct Others<'a> {
    registry: &'a Registry,
    /// The crates that are being loaded, outermost first.
    chain: Vec<&'a str>,
}

impl OtherCrates for Others<'_> {
    fn names(&self) -> Vec<String> {
        self.registry.names(PluginKind::Crate).into_iter().map(str::to_owned).collect()
    }

    fn manifest(&self, name: &str) -> Result<Manifest, String> {
        if let Some(first) = self.chain.iter().position(|open| *open == name) {
            let circle = [&self.chain[first..], &[name]].concat().join(" -> ");
            return Err(format!("the crates load each other in a cycle: {circle}"));
        }
        let loaded = self.registry.load_for(name, &self.chain);
        loaded.map(|loaded| loaded.manifest.clone()).map_err(|error| error.to_string())
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("found", &self.found)
            .field("problems", &self.problems)
            .finish_non_exhaustive()
    }
}
