//! The services of a project, and the admin user on their nodes.

use std::sync::Arc;

use anyhow::Context as _;
use pallet_core::engine::Services;
use pallet_core::model::{AdminUser, PluginKind};
use pallet_core::plugin::ServiceContext;
use tokio_util::sync::CancellationToken;

use super::base::{Context, ProjectWithPlugins};
use crate::diagnostic::Diagnostics;
use crate::process::expand;
use crate::project::LoadedProject;
use crate::project::config::Service;

impl Context {
    /// Checks each service: that its provider exists, that its options match the schema, and that
    /// the provider accepts them.
    pub(crate) fn check_services(&self, loaded: &ProjectWithPlugins) -> anyhow::Result<()> {
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

    /// Checks that a service's provider exists, and its options against the provider's schema.
    pub(crate) fn check_service(
        &self,
        loaded: &ProjectWithPlugins,
        service: &Service,
    ) -> Result<(), Diagnostics> {
        let manifest = loaded.registry.provider_manifest(&service.provider).map_err(|error| {
            let installed = loaded.registry.names(PluginKind::Provider);
            service.without_provider(&error.to_string(), &installed)
        })?;
        let problems = service.check(&manifest.options);
        if problems.has_errors() { Err(problems) } else { Ok(()) }
    }

    /// Creates the project's services.
    pub(crate) fn services(&self, loaded: &ProjectWithPlugins) -> anyhow::Result<Services> {
        let context = ServiceContext {
            project: loaded.project.name.clone(),
            directory: loaded.project.directory.clone(),
            home: self.env.home.clone(),
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
            data: self.env.data.clone(),
            cancel: CancellationToken::new(),
            progress: Arc::new({
                let messages = self.messages.clone();
                move |message: &str| messages.send(message)
            }),
        })
    }

    /// The admin user on the nodes.
    fn admin_user(&self, project: &LoadedProject) -> anyhow::Result<AdminUser> {
        let admin = &project.config.admin_user;
        Ok(AdminUser {
            name: admin.name.clone().unwrap_or_else(|| self.env.user.clone()),
            public_keys: self.public_keys(project)?,
            no_sudo: admin.no_sudo.unwrap_or(false),
        })
    }

    fn public_keys(&self, project: &LoadedProject) -> anyhow::Result<Vec<String>> {
        let admin = &project.config.admin_user;
        let mut keys = admin.public_keys.clone();
        for file in &admin.public_key_files {
            let path = project.directory.join(expand(file, &self.env.home));
            let text = std::fs::read_to_string(&path)
                .with_context(|| format!("cannot read the public key {}", path.display()))?;
            keys.extend(
                text.lines()
                    .map(str::trim)
                    .filter(|line| !line.is_empty() && !line.starts_with('#'))
                    .map(str::to_owned),
            );
        }
        if keys.is_empty() {
            for name in ["id_ed25519.pub", "id_ecdsa.pub", "id_rsa.pub"] {
                if let Ok(text) = std::fs::read_to_string(self.env.home.join(".ssh").join(name)) {
                    keys.push(text.trim().to_owned());
                    break;
                }
            }
        }
        Ok(keys)
    }
}
