//! Ensures that a service runs or not, and starts at boot or not. No-op: it does; restart and
//! reload always act.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Action, ActionError, Change, Claims, Workspace};
use crate::model::{Capabilities, Known};
use crate::observe::{NodeState, Observation, ServiceState};
use crate::script::services;

/// Ensures that a service runs, or that it does not.
///
/// The service manager of the node is used: systemd, OpenRC, runit or scripts in /etc/init.d.
///
/// A service that was started, restarted or reloaded must run and still run a moment later.
/// Otherwise the action fails and shows the last lines that the service manager has logged.
///
/// If the node does not know the service, `command` is started as a plain process that outlives the
/// connection. Its output goes to /var/log/pallet.
///
/// Example: `service(request, "nginx", enabled = True)`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Service name.
    pub name: String,
    /// What to do.
    #[serde(default)]
    pub action: ServiceAction,
    /// Start the service at boot. Default: unchanged. Plain processes are never started at boot.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// Command to start if the node does not know the service. It must stay in the foreground.
    #[serde(default)]
    pub command: Option<String>,
    /// Number of seconds that the service must stay up after it was started. Default: 2, or 0 if
    /// systemd knows when the service is ready (its `Type` is not `simple`, `exec` or `idle`).
    /// Scripts in /etc/init.d without `status` are not checked.
    #[serde(default)]
    pub min_ready_seconds: Option<u32>,
}

/// What to do with a service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServiceAction {
    /// It runs.
    #[default]
    Start,
    /// It does not run.
    Stop,
    /// It is stopped, if it runs, and started again.
    Restart,
    /// It reads its configuration again; it is started if it does not run.
    Reload,
    /// It starts with the node; whether it runs stays as it is.
    Enable,
    /// It does not start with the node; whether it runs stays as it is.
    Disable,
}

impl Service {
    /// The service must run.
    pub fn start(name: impl Into<String>) -> Self {
        Service {
            name: name.into(),
            action: ServiceAction::Start,
            enabled: None,
            command: None,
            min_ready_seconds: None,
        }
    }

    /// The service must not run.
    pub fn stop(name: impl Into<String>) -> Self {
        Service { action: ServiceAction::Stop, ..Self::start(name) }
    }

    /// Restart the service.
    pub fn restart(name: impl Into<String>) -> Self {
        Service { action: ServiceAction::Restart, ..Self::start(name) }
    }

    /// Reload the service's configuration.
    pub fn reload(name: impl Into<String>) -> Self {
        Service { action: ServiceAction::Reload, ..Self::start(name) }
    }

    /// Sets what to do with the service.
    pub fn action(mut self, action: ServiceAction) -> Self {
        self.action = action;
        self
    }

    /// Sets whether it starts at boot.
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = Some(enabled);
        self
    }

    /// The command of its plain process.
    pub fn command(mut self, command: impl Into<String>) -> Self {
        self.command = Some(command.into());
        self
    }

    /// The seconds that it must stay up after it was started.
    pub fn min_ready_seconds(mut self, seconds: u32) -> Self {
        self.min_ready_seconds = Some(seconds);
        self
    }

    /// Whether it must start at boot; `None`: unchanged.
    fn wanted_enabled(&self) -> Option<bool> {
        match self.action {
            ServiceAction::Enable => Some(true),
            ServiceAction::Disable => Some(false),
            _ => self.enabled,
        }
    }

    /// Whether it must run; `None`: unchanged.
    fn wanted_running(&self) -> Option<bool> {
        match self.action {
            ServiceAction::Stop => Some(false),
            ServiceAction::Enable | ServiceAction::Disable => None,
            ServiceAction::Start | ServiceAction::Restart | ServiceAction::Reload => Some(true),
        }
    }

    fn verb(&self) -> &'static str {
        match self.action {
            ServiceAction::Start => "start",
            ServiceAction::Stop => "stop",
            ServiceAction::Restart => "restart",
            ServiceAction::Reload => "reload",
            ServiceAction::Enable => "enable",
            ServiceAction::Disable => "disable",
        }
    }

    /// The changes of a known service, in words.
    fn steps(&self, current: &ServiceState) -> Vec<&'static str> {
        let mut steps = Vec::new();
        match (self.wanted_enabled(), current.enabled) {
            (Some(true), Some(false)) => steps.push("enable"),
            (Some(false), Some(true)) => steps.push("disable"),
            _ => {}
        }
        match self.action {
            ServiceAction::Start if !current.running => steps.push("start"),
            ServiceAction::Stop if current.running => steps.push("stop"),
            ServiceAction::Restart => steps.push("restart"),
            ServiceAction::Reload if current.running => steps.push("reload"),
            ServiceAction::Reload => steps.push("start"),
            _ => {}
        }
        steps
    }
}

impl Action for Service {
    const NAME: &'static str = "service";

    fn subject(&self) -> String {
        self.name.clone()
    }

    fn prepare(&mut self, _workspace: &dyn Workspace) -> Result<(), ActionError> {
        if !services::is_name(&self.name) {
            return Err(ActionError::arguments(
                Self::NAME,
                format!("{:?} is not the name of a service", self.name),
            ));
        }
        match &self.command {
            Some(command) if command.trim().is_empty() || command.contains('\0') => {
                Err(ActionError::arguments(
                    Self::NAME,
                    format!("{command:?} is not a command; omit it if there is none"),
                ))
            }
            _ if self.enabled.is_some()
                && matches!(self.action, ServiceAction::Enable | ServiceAction::Disable) =>
            {
                let message = format!(
                    "action {:?} already sets whether it starts at boot; omit enabled",
                    self.verb()
                );
                Err(ActionError::arguments(Self::NAME, message))
            }
            _ => Ok(()),
        }
    }

    fn claims(&self, claims: &mut Claims) {
        let name = services::unit(&self.name);
        if let Some(running) = self.wanted_running() {
            claims.value(format!("whether {name} runs"), "", running.to_string());
        }
        if let Some(enabled) = self.wanted_enabled() {
            claims.value(format!("whether {name} starts with the node"), "", enabled.to_string());
        }
    }

    fn needs(&self, needed: &mut Capabilities) {
        needed.service(&self.name);
        self.command.iter().for_each(|command| needed.command(command));
    }

    fn observe(&self, wanted: &mut Observation) {
        match &self.command {
            Some(command) => wanted.process(&self.name, command),
            None => wanted.service(&self.name),
        }
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let wanted = self.wanted_enabled();
        let script = services::ensure(
            node.os.service_manager,
            &self.name,
            self.verb(),
            wanted,
            self.command.as_deref(),
            self.min_ready_seconds,
        );
        let Known::Known(current) = node.service(&self.name).cloned() else {
            // the state afterwards is only fully known if both are declared
            match (wanted, self.wanted_running()) {
                (Some(_), Some(running)) => drop(node.set_service(
                    &self.name,
                    ServiceState { exists: true, running, enabled: wanted, masked: false },
                )),
                _ => node.forget_service(&self.name),
            }
            return Ok(Some(match self.action {
                ServiceAction::Restart | ServiceAction::Reload => Change::will(self.verb(), script),
                _ => Change::may(self.verb(), script),
            }));
        };
        if !current.exists && self.command.is_none() {
            if matches!(self.action, ServiceAction::Stop | ServiceAction::Disable) {
                return Ok(None);
            }
            let (name, manager) = (&self.name, node.os.service_manager.as_str());
            return Err(ActionError::node(format!(
                "nothing on this node knows the service {name} (its services are run by: \
                 {manager}); install its package before, or give a command to start as a plain \
                 process"
            )));
        }
        if current.masked && (wanted == Some(true) || self.wanted_running() == Some(true)) {
            let name = &self.name;
            return Err(ActionError::node(format!(
                "{name} is masked, so that nothing can start it; \
                `systemctl unmask {name}` takes that back"
            )));
        }
        let steps = self.steps(&current);
        if steps.is_empty() {
            return Ok(None);
        }
        let enabled = if current.enabled.is_some() { wanted.or(current.enabled) } else { None };
        let running = self.wanted_running().unwrap_or(current.running);
        node.set_service(
            &self.name,
            ServiceState { exists: true, running, enabled, masked: current.masked },
        );
        Ok(Some(Change::will(steps.join(" and "), script)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{check, node};
    use super::*;
    use crate::model::ServiceManager;
    use expect_test::expect;

    #[test]
    fn starts_what_does_not_run() {
        check(
            Service::start("nginx").enabled(true),
            node().service("nginx", false, false),
            expect![[r#"
                will enable and start
                ---
                ensure_service systemd nginx start yes ''
            "#]],
        );
        check(
            Service::stop("nginx").enabled(false),
            node().service("nginx", true, false).service_manager(ServiceManager::Sysvinit),
            expect![[r#"
                will stop
                ---
                ensure_service sysvinit nginx stop no ''
            "#]],
        );
    }

    #[test]
    fn leaves_what_is_right() {
        check(
            Service::start("nginx").enabled(true),
            node().service("nginx", true, true),
            expect!["nothing to do"],
        );
        check(
            Service::start("nginx"),
            node().service("nginx", true, false),
            expect!["nothing to do"],
        );
        check(
            Service::stop("nginx"),
            node().service("nginx", false, true),
            expect!["nothing to do"],
        );
        check(Service::stop("nginx"), node().without_service("nginx"), expect!["nothing to do"]);
    }

    #[test]
    fn restart_and_reload_always_act() {
        check(
            Service::restart("nginx"),
            node().service("nginx", true, true),
            expect![[r#"
                will restart
                ---
                ensure_service systemd nginx restart '' ''
            "#]],
        );
        check(
            Service::reload("nginx"),
            node().service("nginx", false, true),
            expect![[r#"
                will start
                ---
                ensure_service systemd nginx reload '' ''
            "#]],
        );
    }

    #[test]
    fn decides_on_the_node_what_is_not_known() {
        check(
            Service::start("nginx").command("nginx -g 'daemon off;'"),
            node().service_manager(ServiceManager::Process),
            expect![[r#"
                may start
                ---
                ensure_service process nginx start '' 'nginx -g '\''daemon off;'\'''
            "#]],
        );
    }

    #[test]
    fn a_service_that_nothing_knows_needs_a_command() {
        check(
            Service::start("demo"),
            node().without_service("demo"),
            expect![
                "error: nothing on this node knows the service demo (its services are run by: \
                systemd); install its package before, or give a command to start as a plain process"
            ],
        );
        check(
            Service::start("demo").command("demo --foreground"),
            node().without_service("demo"),
            expect![[r#"
                will start
                ---
                ensure_service systemd demo start '' 'demo --foreground'
            "#]],
        );
        check(
            Service::start("../x"),
            node(),
            expect![[r#"error: service: "../x" is not the name of a service"#]],
        );
    }
}
