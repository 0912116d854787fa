//! Ensures the file that starts a service: a systemd unit, an init script, a runit script. No-op:
//! it has exactly this content.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Action, ActionError, Change, Claims, RemoteFile, Workspace};
use crate::model::{Capabilities, ServiceManager};
use crate::observe::{NodeState, Observation};
use crate::script::Script;
use crate::script::services::{self, unit};

/// Ensures the file that tells the node how to run a service.
///
/// It is a systemd unit in `/etc/systemd/system`, a script in `/etc/init.d` (OpenRC, sysvinit), or
/// the `run` script of a service in `/etc/sv` (runit).
///
/// Does nothing if the file has that content. systemd reloads its units after a change. Start the
/// service with `service`; to restart it after a change, set a flag here and use `if_flag` there.
/// Content that was changed by hand is kept, as in `remote_file`.
///
/// Example: `service_script(request, "app", content = "[Service]\nExecStart=/usr/bin/app\n[Install]\nWantedBy=multi-user.target\n", service_impl = "systemd")`
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceScript {
    /// Service name. For systemd, it may include the unit type: `backup.timer`.
    pub name: String,
    /// Content.
    #[serde(default)]
    pub content: Option<String>,
    /// Path of a file of the project that holds the content.
    #[serde(default)]
    pub local_file: Option<String>,
    /// Path of a template of the project that renders the content.
    #[serde(default)]
    pub template: Option<String>,
    /// Values for the template.
    #[serde(default)]
    pub values: Map<String, Value>,
    /// Service manager that the file is for. Default: the service manager of the node.
    #[serde(default)]
    pub service_impl: Option<ServiceImpl>,
    /// Overwrite content that was changed by hand.
    #[serde(default)]
    pub overwrite_changes: bool,
    /// Number of older versions of the file to keep on the node. Default: 5. 0 keeps none.
    #[serde(default)]
    pub max_versions: Option<u32>,
    #[serde(skip)]
    file: Option<RemoteFile>,
}

/// What runs services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServiceImpl {
    /// systemd: the content is a unit.
    Systemd,
    /// OpenRC: the content is a script of `openrc-run`.
    Openrc,
    /// Scripts in `/etc/init.d`.
    Sysvinit,
    /// runit: the content is the script `run`.
    Runit,
}

impl ServiceScript {
    /// The file of the service `name` with this content.
    pub fn content(name: impl Into<String>, content: impl Into<String>) -> Self {
        ServiceScript { name: name.into(), content: Some(content.into()), ..Self::default() }
    }

    /// For this service manager, whatever the node has.
    pub fn service_impl(mut self, service_impl: ServiceImpl) -> Self {
        self.service_impl = Some(service_impl);
        self
    }

    fn path(&self, service_impl: ServiceImpl) -> (String, u32) {
        let name = &self.name;
        match service_impl {
            ServiceImpl::Systemd => (format!("/etc/systemd/system/{}", unit(name)), 0o644),
            ServiceImpl::Openrc | ServiceImpl::Sysvinit => (format!("/etc/init.d/{name}"), 0o755),
            ServiceImpl::Runit => (format!("/etc/sv/{name}/run"), 0o755),
        }
    }

    fn file_at(&self, service_impl: ServiceImpl) -> Result<RemoteFile, ActionError> {
        let (path, mode) = self.path(service_impl);
        let file = self.file.clone();
        let mut file = file.ok_or_else(|| {
            ActionError::arguments(Self::NAME, format!("the content of {path} was not prepared"))
        })?;
        file.path = path;
        Ok(file.mode(mode))
    }

    /// The service manager for a node with this one, unless declared otherwise.
    fn on(&self, manager: ServiceManager) -> Result<ServiceImpl, ActionError> {
        self.service_impl.map_or_else(
            || match manager {
                ServiceManager::Systemd => Ok(ServiceImpl::Systemd),
                ServiceManager::Openrc => Ok(ServiceImpl::Openrc),
                ServiceManager::Sysvinit => Ok(ServiceImpl::Sysvinit),
                ServiceManager::Runit => Ok(ServiceImpl::Runit),
                ServiceManager::Process => Err(ActionError::node(format!(
                    "nothing runs services on this node (neither systemd, OpenRC, runit nor \
                     scripts in /etc/init.d), so there is no place for {}; \
                     give service_impl to write the file still",
                    self.name
                ))),
            },
            Ok,
        )
    }

    fn every_place(&self) -> Vec<ServiceImpl> {
        match self.service_impl {
            Some(one) => vec![one],
            None => vec![ServiceImpl::Systemd, ServiceImpl::Sysvinit, ServiceImpl::Runit],
        }
    }
}

impl Action for ServiceScript {
    const NAME: &'static str = "service_script";

    fn subject(&self) -> String {
        self.name.clone()
    }

    fn prepare(&mut self, workspace: &dyn Workspace) -> Result<(), ActionError> {
        if !services::is_name(&self.name) {
            return Err(ActionError::arguments(
                Self::NAME,
                format!("{:?} is not the name of a service", self.name),
            ));
        }
        let (path, _) = self.path(ServiceImpl::Systemd);
        let mut file = match (&self.content, &self.local_file, &self.template) {
            (Some(content), None, None) => RemoteFile::content(path, content),
            (None, Some(local), None) => RemoteFile::local_file(path, local),
            (None, None, Some(template)) => {
                RemoteFile::template(path, template, self.values.clone())
            }
            _ => {
                return Err(ActionError::arguments(
                    Self::NAME,
                    "give exactly one of content, local_file and template",
                ));
            }
        };
        file.overwrite_changes = self.overwrite_changes;
        file.max_versions = self.max_versions;
        Action::prepare(&mut file, workspace)?;
        self.file = Some(file);
        Ok(())
    }

    fn claims(&self, claims: &mut Claims) {
        for place in self.every_place() {
            if let Ok(file) = self.file_at(place) {
                file.claims(claims);
            }
        }
    }

    fn needs(&self, needed: &mut Capabilities) {
        needed.service(&self.name);
        [&self.local_file, &self.template]
            .into_iter()
            .flatten()
            .for_each(|file| needed.local_file(file));
    }

    fn observe(&self, wanted: &mut Observation) {
        for place in self.every_place() {
            if let Ok(file) = self.file_at(place) {
                file.observe(wanted);
                if let Some(directory) = Path::new(&file.path).parent().and_then(Path::to_str) {
                    wanted.file(directory);
                }
            }
        }
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let service_impl = self.on(node.os.service_manager)?;
        let file = self.file_at(service_impl)?;
        // each runit service has a directory
        let directory = match service_impl {
            ServiceImpl::Runit => {
                super::Directory::at(format!("/etc/sv/{}", self.name)).plan(node)?
            }
            _ => None,
        };
        let Some(change) = file.plan(node)? else { return Ok(None) };
        node.forget_service(&self.name);
        let mut script = directory.map(|change| change.script).unwrap_or_default();
        script = script.raw(change.script.as_str());
        if service_impl == ServiceImpl::Systemd {
            script = script.raw(
                "if [ -n \"$change\" ] && [ -d /run/systemd/system ]; then \
                systemctl daemon-reload; fi",
            );
        }
        let script = if change.script.is_empty() { Script::new() } else { script };
        Ok(Some(Change { script, ..change }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{check, node};
    use super::*;
    use expect_test::expect;

    const UNIT: &str = "[Service]\nExecStart=/usr/bin/app\n";

    #[test]
    fn a_unit_where_systemd_runs() {
        let there = || node().directory("/etc/systemd/system", 0o755);
        check(
            ServiceScript::content("app", UNIT),
            there().without_file("/etc/systemd/system/app.service"),
            expect![[r#"
            will create file
            + file root:root 0644
            @@ -0,0 +1,2 @@
            +[Service]
            +ExecStart=/usr/bin/app
            ---
            content() { printf %s '[Service]
            ExecStart=/usr/bin/app
            '; }
            ensure_content /etc/systemd/system/app.service ebb0009e29281c4916b65f79b0bb1bd504f8b82ee0ad68f22e8417c4bbb63c87 '' '' 0644 ''
            if [ -n "$change" ] && [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
        "#]],
        );
        check(
            ServiceScript::content("app", UNIT),
            there().file("/etc/systemd/system/app.service", UNIT, 0o644),
            expect!["nothing to do"],
        );
        check(
            ServiceScript::content("b.timer", UNIT),
            there().file("/etc/systemd/system/b.timer", UNIT, 0o644),
            expect!["nothing to do"],
        );
    }

    #[test]
    fn a_script_elsewhere() {
        let script = || ServiceScript::content("app", "#!/bin/sh\n");
        let of = |manager| {
            node()
                .service_manager(manager)
                .directory("/etc/init.d", 0o755)
                .directory("/etc/sv", 0o755)
        };
        check(
            script(),
            of(ServiceManager::Openrc).without_file("/etc/init.d/app"),
            expect![[r#"
            will create file
            + file root:root 0755
            @@ -0,0 +1 @@
            +#!/bin/sh
            ---
            content() { printf %s '#!/bin/sh
            '; }
            ensure_content /etc/init.d/app a8076d3d28d21e02012b20eaf7dbf75409a6277134439025f282e368e3305abf '' '' 0755 ''
        "#]],
        );
        check(
            script(),
            of(ServiceManager::Runit).without_file("/etc/sv/app").without_file("/etc/sv/app/run"),
            expect![[r#"
            will create file
            + file root:root 0755
            @@ -0,0 +1 @@
            +#!/bin/sh
            ---
            ensure_directory /etc/sv/app '' '' ''
            content() { printf %s '#!/bin/sh
            '; }
            ensure_content /etc/sv/app/run a8076d3d28d21e02012b20eaf7dbf75409a6277134439025f282e368e3305abf '' '' 0755 ''
        "#]],
        );
        check(
            script(),
            of(ServiceManager::Process),
            expect![
                "error: nothing runs services on this \
            node (neither systemd, OpenRC, runit nor scripts in /etc/init.d), so there is no place \
            for app; give service_impl to write the file still"
            ],
        );
        check(
            script().service_impl(ServiceImpl::Sysvinit),
            of(ServiceManager::Process).file("/etc/init.d/app", "#!/bin/sh\n", 0o755),
            expect!["nothing to do"],
        );
    }

    #[test]
    fn bad_arguments_are_refused() {
        check(
            ServiceScript { name: "app".into(), ..ServiceScript::default() },
            node(),
            expect!["error: service_script: give exactly one of content, local_file and template"],
        );
        check(
            ServiceScript::content("../app", UNIT),
            node(),
            expect![[r#"error: service_script: "../app" is not the name of a service"#]],
        );
    }
}
