//! The function of a crate that acts on a request, and what it may do.

use crate::model::Capabilities;
use crate::plugin::{ErrorKind, PluginError};
use crate::plugins::Registry;

/// A function of a crate that acts on a request.
pub(super) struct Caller {
    pub(super) config_crate: String,
    pub(super) function: String,
    /// What the crate may do; `None`: everything.
    pub(super) capabilities: Option<Capabilities>,
}

impl Caller {
    /// Refuses what goes beyond what the crate may do. `what` names it: `remote_file /etc/motd`.
    pub(super) fn check(&self, what: &str, needed: &Capabilities) -> Result<(), PluginError> {
        let lacking =
            self.capabilities.as_ref().and_then(|capabilities| capabilities.lacks(needed));
        lacking.map_or(Ok(()), |lacking| Err(self.denied(what, &lacking.to_string())))
    }

    /// Refuses a call of a crate that is not required: another crate may do what this one does not
    /// declare, and who installs it sees what it requires.
    pub(super) fn check_call(&self, registry: &Registry, called: &str) -> Result<(), PluginError> {
        let requires = registry.requires(&self.config_crate);
        if self.capabilities.is_none() || called == self.config_crate || requires.contains(&called)
        {
            return Ok(());
        }
        let required = if requires.is_empty() { "none".to_owned() } else { requires.join(", ") };
        Err(self.denied(
            &format!("a call of crate {called}"),
            &format!("the crates that it says it requires are {required}"),
        ))
    }

    fn denied(&self, what: &str, why: &str) -> PluginError {
        let message = format!(
            "crate {}, function {}: {what} is not what it may do: {why}",
            self.config_crate, self.function
        );
        PluginError::new(ErrorKind::Denied, message).with_help("tell the crate's author")
    }

    /// Names it: `nginx.site`.
    pub(super) fn name(&self) -> String {
        format!("{}.{}", self.config_crate, self.function)
    }
}
