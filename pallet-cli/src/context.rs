//! What every command works with: the project, the plugins, the engine.

mod consent;
mod load;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::{Context as _, bail};
use pallet_core::engine::{Engine, FactsCache, Holder, Phase, Services, Vault};
use pallet_core::model::{AdminUser, Environment, Manifest, PluginKind, PluginSummary};
use pallet_core::plugin::ServiceContext;
use pallet_core::registry::lock::Lock;
use pallet_core::registry::repository::Access;
use pallet_core::registry::store::Store;
use pallet_core::registry::{Found, Pin, Registry};
use pallet_core::transport::ConnectSettings;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::cli::Global;
use crate::error::{Failure, USAGE};
use crate::install::lock_in_use;
use crate::listener::Listener;
use crate::output::Printer;
use crate::project::config::Service;
use crate::project::{Catalog, Diagnostic, Diagnostics, LoadOptions, Project};
use crate::secrets::{Finder, Terminal};
use crate::surroundings::{Surroundings, expand};

/// What every command works with.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) global: Global,
    pub(crate) printer: Printer,
    pub(crate) surroundings: Surroundings,
    /// Is told what providers say.
    pub(crate) listener: Listener,
}

/// A project and what it is used with.
pub(crate) struct Loaded {
    pub(crate) project: Project,
    pub(crate) registry: Arc<Registry>,
}

impl Context {
    /// The plugins of this machine. A file that cannot be a plugin is a warning, or an error where
    /// `strict`.
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

    /// What a lock names, and what is on the search path. A project that has a lock sees what that
    /// names, what comes with Pallet, and `PALLET_PLUGIN_PATH`; directories that anybody could put
    /// a library into do not count there.
    pub(crate) fn scan(&self) -> anyhow::Result<Registry> {
        self.scan_for(&self.directory())
    }

    /// The same for the project in this directory.
    pub(crate) fn scan_for(&self, project: &Path) -> anyhow::Result<Registry> {
        let mut path = self.surroundings.plugin_path.clone();
        path.extend(self.surroundings.program.clone());
        let (pins, of_project) = match lock_in_use(project, &self.surroundings.configuration) {
            Some((file, of_project)) => {
                let lock = Lock::read(&file)?.unwrap_or_default();
                let store = Store::at(&self.surroundings.data);
                // where the store cannot be written, its owner decides what stays in it
                let _ = self.remember(&store, &file);
                (Pin::all(&lock, &store), of_project)
            }
            None => (Vec::new(), false),
        };
        if !of_project {
            path.push(project.join(".pallet/plugins"));
            path.push(self.surroundings.data.join("plugins"));
        }
        let registry = Registry::locked(pins, &path);
        for found in registry.shadowed().iter().filter(|found| self.on_plugin_path(found)) {
            let name = &found.summary.name;
            self.printer.warning(&format!(
                "{} is not used: a lock names {name}; `pallet-cli install` that \
                    file to use it",
                found.path.display()
            ));
        }
        Ok(registry)
    }

    /// What [`scan_for`](Self::scan_for) would look at, with when it changed last: as long as that
    /// is the same, so are the plugins.
    pub(crate) fn seen(&self, project: &Path) -> Vec<(PathBuf, Option<SystemTime>)> {
        let mut paths = self.surroundings.plugin_path.clone();
        paths.extend(self.surroundings.program.clone());
        paths.extend([project.join(".pallet/plugins"), self.surroundings.data.join("plugins")]);
        paths.extend(lock_in_use(project, &self.surroundings.configuration).map(|(lock, _)| lock));
        let changed =
            |path: &PathBuf| std::fs::metadata(path).and_then(|data| data.modified()).ok();
        paths.into_iter().map(|path| (path.clone(), changed(&path))).collect()
    }

    /// The lock that is in use.
    pub(crate) fn lock(&self) -> anyhow::Result<Option<Lock>> {
        match lock_in_use(&self.directory(), &self.surroundings.configuration) {
            Some((file, _)) => Ok(Lock::read(&file)?),
            None => Ok(None),
        }
    }

    /// Where a plugin is from that no lock names.
    pub(crate) fn source_of(&self, found: &Found) -> String {
        let program =
            self.surroundings.program.as_ref().and_then(|program| program.canonicalize().ok());
        match found.path.parent() {
            Some(directory) if Some(directory) == program.as_deref() => {
                "comes with pallet-cli".to_owned()
            }
            Some(directory) => directory.display().to_string(),
            None => String::new(),
        }
    }

    fn on_plugin_path(&self, found: &Found) -> bool {
        let directories = self
            .surroundings
            .plugin_path
            .iter()
            .filter_map(|directory| directory.canonicalize().ok());
        directories.into_iter().any(|directory| found.path.parent() == Some(&directory))
    }

    /// The plugins that come with Pallet, and those of `PALLET_PLUGIN_PATH`: they need no
    /// installing.
    pub(crate) fn own_plugins(&self) -> Vec<PluginSummary> {
        let mut path = self.surroundings.plugin_path.clone();
        path.extend(self.surroundings.program.clone());
        Registry::scan(&path).plugins().iter().map(|found| found.summary.clone()).collect()
    }

    /// Has the store keep what a lock names.
    pub(crate) fn remember(&self, store: &Store, lock: &Path) -> anyhow::Result<()> {
        let lock =
            lock.canonicalize().with_context(|| format!("cannot find {}", lock.display()))?;
        Ok(store.remember(&lock)?)
    }

    /// How registries are reached from here.
    pub(crate) fn access(&self) -> Access {
        let [https_proxy, http_proxy, no_proxy] = self.surroundings.proxies.clone();
        Access {
            credentials: self.surroundings.credentials.clone(),
            helper_path: self.surroundings.programs.clone(),
            https_proxy,
            http_proxy,
            no_proxy,
            ..Access::default()
        }
    }

    /// What loading a project depends on here. Nobody is told what its files print.
    pub(crate) fn load_options(&self) -> anyhow::Result<LoadOptions> {
        Ok(LoadOptions {
            user_config: Some(self.surroundings.configuration.join("config.toml")),
            home: Some(self.surroundings.home.clone()),
            service: self.global.service.clone(),
            environment_override: self.environment()?,
            ..LoadOptions::default()
        })
    }

    /// Checks the provider and the options of every service, and that its provider takes them.
    pub(crate) fn check_services(&self, loaded: &Loaded) -> anyhow::Result<()> {
        let mut found = Diagnostics::default();
        for service in loaded.project.config.services.values() {
            found.extend(self.check_service(loaded, service).err().unwrap_or_default().0);
        }
        if found.has_errors() {
            return Err(found.into());
        }
        let services = self.services(loaded)?;
        for (name, service) in &loaded.project.config.services {
            services.open_as(name, &service.config())?;
        }
        Ok(())
    }

    /// Checks that a service's provider is there, and its options against the provider's schema.
    pub(crate) fn check_service(
        &self,
        loaded: &Loaded,
        service: &Service,
    ) -> Result<(), Diagnostics> {
        let manifest = loaded.registry.provider_manifest(&service.provider).map_err(|error| {
            let installed = loaded.registry.names(PluginKind::Provider);
            service.without_provider(&error.to_string(), &installed)
        })?;
        let problems = service.check(&manifest.options);
        if problems.has_errors() { Err(problems) } else { Ok(()) }
    }

    /// Who Pallet is on the nodes.
    fn admin_user(&self, project: &Project) -> anyhow::Result<AdminUser> {
        let admin = &project.config.admin_user;
        Ok(AdminUser {
            name: admin.name.clone().unwrap_or_else(|| self.surroundings.user.clone()),
            public_keys: self.public_keys(project)?,
            no_sudo: admin.no_sudo.unwrap_or(false),
        })
    }

    /// What makes the project's services.
    pub(crate) fn services(&self, loaded: &Loaded) -> anyhow::Result<Services> {
        let context = ServiceContext {
            project: loaded.project.name.clone(),
            directory: loaded.project.directory.clone(),
            home: self.surroundings.home.clone(),
            admin_user: self.admin_user(&loaded.project)?,
            ..ServiceContext::default()
        };
        Ok(Services {
            registry: loaded.registry.clone(),
            configured: loaded
                .project
                .config
                .services
                .iter()
                .map(|(name, service)| (name.clone(), service.config()))
                .collect(),
            context,
            data: self.surroundings.data.clone(),
            cancel: CancellationToken::new(),
            progress: Arc::new({
                let listener = self.listener.clone();
                move |message: &str| listener.tell(message)
            }),
        })
    }

    /// The engine for the project's service.
    pub(crate) fn engine(&self, loaded: &Loaded) -> anyhow::Result<Engine> {
        let mut engine = self.engine_without_passwords(loaded)?;
        let (finder, admin) = (self.finder(&loaded.project), &loaded.project.config.admin_user);
        engine.connect.password =
            admin.password.as_ref().map(|secret| finder.find(secret)).transpose()?;
        engine.sudo_password =
            admin.sudo_password.as_ref().map(|secret| finder.find(secret)).transpose()?;
        for password in engine.sudo_password.iter().chain(&engine.connect.password) {
            engine.vault.hide(password);
        }
        Ok(engine)
    }

    /// The same for what logs in to no node: no password is looked for.
    pub(crate) fn engine_without_passwords(&self, loaded: &Loaded) -> anyhow::Result<Engine> {
        let project = &loaded.project;
        let (name, service) =
            project.config.service(self.global.service.as_deref()).map_err(Diagnostics::from)?;
        self.check_service(loaded, &service)?;
        let admin = &project.config.admin_user;
        let home = &self.surroundings.home;
        let services = self.services(loaded)?;
        let user = services.context.admin_user.clone();
        let service = services.open_as(&name, &service.config())?;
        let mut connect = ConnectSettings::for_user(&user.name, home);
        connect.identity_files = admin
            .identity_files
            .iter()
            .map(|file| project.directory.join(expand(file, home)))
            .collect();
        connect.agent = self.surroundings.agent.clone();
        connect.ssh_program = self.surroundings.ssh.clone();
        connect.prompt = Some(Arc::new(Terminal { interactive: self.surroundings.interactive }));
        let mut engine = Engine::new(&project.name, service);
        engine.declared = project.knows_groups.then(|| project.groups.clone());
        engine.max_nodes = project.config.project.max_nodes.unwrap_or(Engine::MAX_NODES);
        engine.cancel = services.cancel;
        engine.holder = Holder {
            name: format!(
                "{} on {}, process {}",
                self.surroundings.user,
                self.surroundings.host,
                std::process::id()
            ),
            machine: self.surroundings.machine.clone(),
        };
        engine.registry = loaded.registry.clone();
        engine.directory = project.directory.clone();
        engine.environment = project.environment.clone();
        engine.admin_user = user;
        let finder = self.finder(project);
        connect.connect_timeout = project.config.connect.timeout.unwrap_or(connect.connect_timeout);
        connect.shell_timeout =
            project.config.connect.shell_timeout.unwrap_or(connect.shell_timeout);
        engine.connect = connect;
        let secrets = project.config.secrets.clone();
        let names: Vec<_> = secrets.keys().cloned().collect();
        let vault = Vault::new(move |name| {
            let reference = secrets.get(name).ok_or_else(|| {
                format!(
                    "there is no secret {name} in \
                [secrets] of pallet.toml"
                )
            })?;
            finder.find(reference).map_err(|error| format!("secret {name}: {error:#}"))
        });
        engine.vault = Arc::new(vault.with_names(names));
        engine.facts_cache =
            Some(FactsCache::at(self.surroundings.cache.join("facts").join(&name)));
        engine.default_bootstrap = Phase::default_bootstrap(&loaded.registry);
        Ok(engine)
    }

    /// Where secrets are found.
    pub(crate) fn finder(&self, project: &Project) -> Finder {
        let mut identities = vec![self.surroundings.configuration.join("age.txt")];
        identities.extend(project.config.age_identities.iter().cloned());
        Finder {
            directory: project.directory.clone(),
            home: self.surroundings.home.clone(),
            identities,
        }
    }

    /// The project's directory: the one that was named, or the nearest that holds a pallet.toml,
    /// from the current one upwards.
    pub(crate) fn directory(&self) -> PathBuf {
        if let Some(directory) = &self.global.directory {
            return directory.clone();
        }
        let here = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
        here.ancestors()
            .find(|directory| directory.join("pallet.toml").is_file())
            .unwrap_or(&here)
            .to_owned()
    }

    /// The values of the environment that were given on the command line.
    fn environment(&self) -> anyhow::Result<Environment> {
        let mut environment = Environment::new();
        for word in &self.global.environment {
            let (key, value) = word.split_once('=').with_context(|| {
                format!(
                    "--env {word}: write \
                it as KEY=VALUE"
                )
            })?;
            if key.is_empty() {
                bail!("--env {word}: the key is empty");
            }
            let value =
                serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
            environment.insert(key.to_owned(), value);
        }
        Ok(environment)
    }

    fn public_keys(&self, project: &Project) -> anyhow::Result<Vec<String>> {
        let admin = &project.config.admin_user;
        let mut keys = admin.public_keys.clone();
        for file in &admin.public_key_files {
            let path = project.directory.join(expand(file, &self.surroundings.home));
            let text = std::fs::read_to_string(&path).with_context(|| {
                format!(
                    "cannot read the \
                public key {}",
                    path.display()
                )
            })?;
            keys.extend(
                text.lines()
                    .map(str::trim)
                    .filter(|line| !line.is_empty() && !line.starts_with('#'))
                    .map(str::to_owned),
            );
        }
        if keys.is_empty() {
            for name in ["id_ed25519.pub", "id_ecdsa.pub", "id_rsa.pub"] {
                if let Ok(text) =
                    std::fs::read_to_string(self.surroundings.home.join(".ssh").join(name))
                {
                    keys.push(text.trim().to_owned());
                    break;
                }
            }
        }
        Ok(keys)
    }
}

/// An error if some plugin cannot be used.
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

/// Checks that the plugins that pallet.toml requires are there, in versions that will do.
pub(crate) fn check_plugins(project: &Project, registry: &Registry) -> Result<(), Diagnostics> {
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
                "plugin `{}` {} is required, and {} is installed",
                required.key, required.version, summary.version
            ),
            None => format!(
                "plugin `{}` {} is required, and not installed",
                required.key, required.version
            ),
        };
        missing.extend([Diagnostic::error(message).at(required.place.clone()).suggest(
            "run \
            `pallet-cli install`"
                .to_owned(),
        )]);
    }
    if missing.has_errors() { Err(missing) } else { Ok(()) }
}

/// The plugins of this machine, as a project sees them.
pub(crate) struct Installed(pub(crate) Arc<Registry>);

impl Catalog for Installed {
    fn crates(&self) -> Vec<String> {
        self.0.names(PluginKind::Crate).into_iter().map(str::to_owned).collect()
    }

    fn manifest(&self, name: &str) -> Result<Manifest, String> {
        self.0.crate_manifest(name).map_err(|error| error.to_string())
    }
}
