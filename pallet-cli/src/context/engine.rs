//! Builds the engine from the project's configuration and this process.

use std::path::PathBuf;
use std::sync::Arc;

use pallet_core::engine::{Engine, EngineConfig, FactsCache, Holder, Phase, Vault};
use pallet_core::model::AdminUser;
use pallet_core::transport::{ConnectSettings, Secret};

use super::base::{Context, ProjectWithPlugins};
use super::secrets::{SecretFinder, TTL, TerminalPrompt};
use crate::diagnostic::Diagnostics;
use crate::process::expand;
use crate::project::LoadedProject;

impl Context {
    /// The engine for the project's service.
    pub(crate) fn engine(&self, loaded: &ProjectWithPlugins) -> anyhow::Result<Engine> {
        let (finder, admin) = (self.finder(&loaded.project), &loaded.project.config.admin_user);
        let find =
            |secret: &Option<_>| secret.as_ref().map(|secret| finder.find(secret)).transpose();
        self.engine_with(loaded, find(&admin.password)?, find(&admin.sudo_password)?)
    }

    /// Like [`engine`](Self::engine), for work that logs in to no node: no passwords are looked up.
    pub(crate) fn engine_without_passwords(
        &self,
        loaded: &ProjectWithPlugins,
    ) -> anyhow::Result<Engine> {
        self.engine_with(loaded, None, None)
    }

    fn engine_with(
        &self,
        loaded: &ProjectWithPlugins,
        password: Option<Secret>,
        sudo_password: Option<Secret>,
    ) -> anyhow::Result<Engine> {
        let project = &loaded.project;
        let (name, service) =
            project.config.service(self.global.service.as_deref()).map_err(Diagnostics::from)?;
        self.check_service(loaded, &service)?;
        let services = self.services(loaded)?;
        let admin_user = services.context.admin_user.clone();
        let vault = self.vault(project);
        // what was a secret before a rotation is still one
        self.secrets.values().iter().for_each(|value| vault.hide(value));
        let holder =
            format!("{} on {}, process {}", self.env.user, self.env.host, std::process::id());
        Ok(Engine::new(EngineConfig {
            declared: project.knows_groups.then(|| project.groups.clone()),
            max_nodes: project.config.project.max_nodes.unwrap_or(EngineConfig::MAX_NODES),
            holder: Holder { name: holder, machine: self.env.machine.clone() },
            registry: loaded.registry.clone(),
            directory: project.directory.clone(),
            environment: project.environment.clone(),
            connect: self.connect_settings(project, &admin_user, password),
            sudo_password,
            admin_user,
            vault: Arc::new(vault),
            facts_cache: Some(FactsCache::at(self.env.cache.join("facts").join(&name))),
            default_bootstrap: Phase::default_bootstrap(&loaded.registry),
            cancel: services.cancel.clone(),
            ..EngineConfig::new(&project.name, services.open_as(&name, &service.config())?)
        }))
    }

    /// How to connect to nodes.
    fn connect_settings(
        &self,
        project: &LoadedProject,
        user: &AdminUser,
        password: Option<Secret>,
    ) -> ConnectSettings {
        let (home, config) = (&self.env.home, &project.config);
        let file = |file: &PathBuf| project.directory.join(expand(file, home));
        let usual = ConnectSettings::for_user(&user.name, home);
        ConnectSettings {
            identity_files: config.admin_user.identity_files.iter().map(file).collect(),
            password,
            agent: self.env.agent.clone(),
            ssh_program: self.env.ssh.clone(),
            prompt: Some(Arc::new(TerminalPrompt {
                interactive: self.env.interactive,
                printer: self.printer.clone(),
            })),
            connect_timeout: config.connect.timeout.unwrap_or(usual.connect_timeout),
            shell_timeout: config.connect.shell_timeout.unwrap_or(usual.shell_timeout),
            ..usual
        }
    }

    /// The project's secrets; each one is looked up when it is first used.
    fn vault(&self, project: &LoadedProject) -> Vault {
        let (finder, secrets) = (self.finder(project), project.config.secrets.clone());
        let names: Vec<_> = secrets.keys().cloned().collect();
        let vault = Vault::new(move |name| {
            let reference = secrets
                .get(name)
                .ok_or_else(|| format!("there is no secret {name} in [secrets] of pallet.toml"))?;
            finder.find(reference).map_err(|error| format!("secret {name}: {error:#}"))
        });
        vault.with_names(names)
    }

    /// Finds the values of the project's secrets.
    pub(crate) fn finder(&self, project: &LoadedProject) -> SecretFinder {
        let mut identities = vec![self.env.configuration.join("age.txt")];
        identities.extend(project.config.age_identities.iter().cloned());
        SecretFinder {
            directory: project.directory.clone(),
            home: self.env.home.clone(),
            identities,
            ttl: project.config.secret_ttl.unwrap_or(TTL),
            #[cfg(feature = "vault")]
            vault: project.config.vault.clone(),
            cache: self.secrets.clone(),
        }
    }
}
