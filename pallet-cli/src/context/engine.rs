//! The engine, as the project's configuration and this process say.

use std::sync::Arc;

use pallet_core::engine::{Engine, FactsCache, Holder, Phase, Vault};
use pallet_core::transport::ConnectSettings;

use super::base::{Context, ProjectWithPlugins};
use super::secrets::{SecretFinder, TerminalPrompt};
use crate::diagnostic::Diagnostics;
use crate::process::expand;
use crate::project::LoadedProject;

impl Context {
    /// The engine for the project's service.
    pub(crate) fn engine(&self, loaded: &ProjectWithPlugins) -> anyhow::Result<Engine> {
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
    pub(crate) fn engine_without_passwords(
        &self,
        loaded: &ProjectWithPlugins,
    ) -> anyhow::Result<Engine> {
        let project = &loaded.project;
        let (name, service) =
            project.config.service(self.global.service.as_deref()).map_err(Diagnostics::from)?;
        self.check_service(loaded, &service)?;
        let admin = &project.config.admin_user;
        let home = &self.env.home;
        let services = self.services(loaded)?;
        let user = services.context.admin_user.clone();
        let service = services.open_as(&name, &service.config())?;
        let mut connect = ConnectSettings::for_user(&user.name, home);
        connect.identity_files = admin
            .identity_files
            .iter()
            .map(|file| project.directory.join(expand(file, home)))
            .collect();
        connect.agent = self.env.agent.clone();
        connect.ssh_program = self.env.ssh.clone();
        connect.prompt = Some(Arc::new(TerminalPrompt { interactive: self.env.interactive }));
        let mut engine = Engine::new(&project.name, service);
        engine.declared = project.knows_groups.then(|| project.groups.clone());
        engine.max_nodes = project.config.project.max_nodes.unwrap_or(Engine::MAX_NODES);
        engine.cancel = services.cancel;
        engine.holder = Holder {
            name: format!("{} on {}, process {}", self.env.user, self.env.host, std::process::id()),
            machine: self.env.machine.clone(),
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
            let reference = secrets
                .get(name)
                .ok_or_else(|| format!("there is no secret {name} in [secrets] of pallet.toml"))?;
            finder.find(reference).map_err(|error| format!("secret {name}: {error:#}"))
        });
        engine.vault = Arc::new(vault.with_names(names));
        engine.facts_cache = Some(FactsCache::at(self.env.cache.join("facts").join(&name)));
        engine.default_bootstrap = Phase::default_bootstrap(&loaded.registry);
        Ok(engine)
    }

    /// Where secrets are found.
    pub(crate) fn finder(&self, project: &LoadedProject) -> SecretFinder {
        let mut identities = vec![self.env.configuration.join("age.txt")];
        identities.extend(project.config.age_identities.iter().cloned());
        SecretFinder {
            directory: project.directory.clone(),
            home: self.env.home.clone(),
            identities,
        }
    }
}
