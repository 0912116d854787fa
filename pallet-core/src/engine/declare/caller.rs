//! The crate function that uses a request, and what it is allowed to do.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use crate::model::{Capabilities, secret_names};
use crate::plugin::{ErrorKind, PluginError};
use crate::plugins::Registry;

/// A crate function that uses a request.
pub(super) struct Caller {
    pub(super) config_crate: String,
    pub(super) function: String,
    /// The crate's capabilities; `None`: unlimited.
    pub(super) capabilities: Option<Capabilities>,
    /// Whether the crate is one in Starlark: it has files of its own, `@NAME/PATH`, which it may
    /// always read, and cannot name secrets. A library can: `Request::secret`.
    pub(super) is_source: bool,
    /// The names of the secrets that it was given.
    pub(super) secrets: Mutex<BTreeSet<String>>,
}

impl Caller {
    /// Refuses anything beyond the crate's capabilities. `what` names the action: `remote_file
    /// /etc/motd`.
    pub(super) fn check(&self, what: &str, needed: &Capabilities) -> Result<(), PluginError> {
        let Some(capabilities) = &self.capabilities else { return Ok(()) };
        let mut needed = needed.clone();
        if self.is_source {
            let own = format!("@{}/", self.config_crate);
            needed.local_files.retain(|file| !file.starts_with(&own));
        }
        let lacking = capabilities.lacks(&needed);
        lacking.map_or(Ok(()), |lacking| Err(self.denied(what, &lacking.to_string())))
    }

    /// Refuses a call of a crate that the caller does not require. Another crate may have
    /// capabilities that the caller does not declare, and whoever installs the caller must see from
    /// its requirements what it can do.
    pub(super) fn check_call(&self, registry: &Registry, called: &str) -> Result<(), PluginError> {
        let requires = registry.requires(&self.config_crate);
        if self.capabilities.is_none() || called == self.config_crate || requires.contains(&called)
        {
            return Ok(());
        }
        let required = if requires.is_empty() { "none".to_owned() } else { requires.join(", ") };
        Err(self.denied(
            &format!("a call of crate {called}"),
            &format!("the crates that it requires are {required}"),
        ))
    }

    /// Refuses actions on this machine by a crate that declares its capabilities: they are meant
    /// for nodes.
    pub(super) fn check_controller(&self) -> Result<(), PluginError> {
        let why = "its capabilities are for nodes, not for the machine that Pallet runs on";
        self.capabilities.as_ref().map_or(Ok(()), |_| Err(self.denied("locally", why)))
    }

    /// The function is given a value, and with it the secrets whose placeholders are in it.
    pub(super) fn give(&self, value: &Value) {
        let names = secret_names(value);
        if !names.is_empty() {
            self.secrets.lock().unwrap_or_else(PoisonError::into_inner).extend(names);
        }
    }

    /// Refuses a value of the function with a secret that it was not given: anybody can write a
    /// placeholder. `what` names where the value goes.
    pub(super) fn check_secrets(&self, what: &str, value: &Value) -> Result<(), PluginError> {
        if !self.is_source {
            return Ok(());
        }
        let used = secret_names(value);
        let given = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        let other = used.iter().find(|name| !given.contains(*name));
        other.map_or(Ok(()), |name| {
            let message = format!(
                "crate {}, function {}: {what} is not allowed: it uses the secret {name}, which \
                 the function was not given",
                self.config_crate, self.function
            );
            Err(PluginError::new(ErrorKind::Denied, message)
                .with_help("pass it as an argument, or tell the crate's author"))
        })
    }

    fn denied(&self, what: &str, why: &str) -> PluginError {
        let message = format!(
            "crate {}, function {}: {what} is not allowed: {why}",
            self.config_crate, self.function
        );
        PluginError::new(ErrorKind::Denied, message).with_help("tell the crate's author")
    }

    /// The function's full name: `nginx.site`.
    pub(super) fn name(&self) -> String {
        format!("{}.{}", self.config_crate, self.function)
    }
}
