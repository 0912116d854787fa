//! What a plugin answers when it cannot do as asked.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A plugin's error: what went wrong, in words for the user, and what the host may do about it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PluginError {
    /// What the host may do next.
    pub kind: ErrorKind,
    /// What went wrong, in one line.
    pub message: String,
    /// What the user can do; empty if there is nothing to say.
    pub help: String,
    /// What caused it, outermost first.
    pub causes: Vec<String>,
    /// Where several nodes were asked for: what went wrong with each, by its id. With those that do
    /// not stand here all is well; empty: that is not known.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub nodes: BTreeMap<String, PluginError>,
}

/// What the host may do next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// Ask another way: the plugin does not do this at all.
    Unsupported,
    /// Report that it does not exist.
    NotFound,
    /// Report that the user's input is wrong.
    InvalidInput,
    /// Report that credentials are missing or wrong.
    Unauthorized,
    /// Try again later.
    Transient,
    /// The operation was stopped.
    Cancelled,
    /// A crate wanted what it does not declare that it may do.
    Denied,
    /// The plugin panicked: a bug in it.
    Panicked,
    /// Report it. Also what a kind becomes that is not known here.
    #[default]
    #[serde(other)]
    Failed,
}

impl PluginError {
    /// An error of this kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        PluginError { kind, message: message.into(), ..Default::default() }
    }

    /// The plugin does not do this at all.
    pub fn unsupported(message: impl Into<String>) -> Self {
        PluginError::new(ErrorKind::Unsupported, message)
    }

    /// Something does not exist.
    pub fn not_found(message: impl Into<String>) -> Self {
        PluginError::new(ErrorKind::NotFound, message)
    }

    /// The user's input is wrong.
    pub fn invalid_input(message: impl Into<String>) -> Self {
        PluginError::new(ErrorKind::InvalidInput, message)
    }

    /// Credentials are missing or wrong.
    pub fn unauthorized(message: impl Into<String>) -> Self {
        PluginError::new(ErrorKind::Unauthorized, message)
    }

    /// The same may work later.
    pub fn transient(message: impl Into<String>) -> Self {
        PluginError::new(ErrorKind::Transient, message)
    }

    /// The operation was stopped.
    pub fn cancelled(message: impl Into<String>) -> Self {
        PluginError::new(ErrorKind::Cancelled, message)
    }

    /// Anything else.
    pub fn failed(message: impl Into<String>) -> Self {
        PluginError::new(ErrorKind::Failed, message)
    }

    /// The same with what the user can do.
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }
}

impl fmt::Display for PluginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)?;
        for cause in &self.causes {
            write!(f, ": {cause}")?;
        }
        if !self.help.is_empty() {
            write!(f, "; {}", self.help)?;
        }
        Ok(())
    }
}

impl std::error::Error for PluginError {}

impl From<anyhow::Error> for PluginError {
    fn from(error: anyhow::Error) -> Self {
        let mut chain = error.chain().map(ToString::to_string);
        let message = chain.next().unwrap_or_default();
        let causes = chain.collect();
        match error.chain().find_map(|cause| cause.downcast_ref::<PluginError>()) {
            // the innermost plugin error knows what to do; the context around it stands before
            Some(inner) if error.chain().count() == 1 => inner.clone(),
            Some(inner) => PluginError {
                kind: inner.kind,
                message,
                causes,
                nodes: inner.nodes.clone(),
                ..Default::default()
            },
            None => PluginError { message, causes, ..Default::default() },
        }
    }
}
