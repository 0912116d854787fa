//! The error that a plugin returns.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A plugin's error: what went wrong, in words for the user, and how the host should react.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PluginError {
    /// How the host should react.
    pub kind: ErrorKind,
    /// What went wrong, in one line.
    pub message: String,
    /// What the user can do; may be empty.
    pub help: String,
    /// What caused it, outermost first.
    pub causes: Vec<String>,
    /// For an operation on several nodes: the error of each failed node, by its id. All other nodes
    /// succeeded. Empty: unknown.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub nodes: BTreeMap<String, PluginError>,
}

/// How the host should react.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// Use another way: the plugin does not support this.
    Unsupported,
    /// Report that something does not exist.
    NotFound,
    /// Report that the user's input is wrong.
    InvalidInput,
    /// Report that credentials are missing or wrong.
    Unauthorized,
    /// Try again later.
    Transient,
    /// The operation was stopped.
    Cancelled,
    /// A crate tried to do something that its capabilities do not allow.
    Denied,
    /// The plugin panicked, which is a bug in the plugin.
    Panicked,
    /// Report the error. Also stands for kinds that this version does not know.
    #[default]
    #[serde(other)]
    Failed,
}

impl PluginError {
    /// Creates an error of this kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        PluginError { kind, message: message.into(), ..Default::default() }
    }

    /// The plugin does not support this.
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

    /// A retry may succeed later.
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

    /// Adds what the user can do.
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
            // the innermost plugin error decides the kind; the messages of the context come first
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
