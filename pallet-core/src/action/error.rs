//! Why an action cannot be planned.

use thiserror::Error;

/// An action that cannot be planned, and why.
#[derive(Debug, Clone, Error, PartialEq)]
pub enum ActionError {
    /// There is no action with that name.
    #[error("there is no action `{name}`; this plugin may need a newer pallet")]
    UnknownAction {
        /// The requested name.
        name: String,
    },
    /// Its arguments are invalid.
    #[error("{action}: {message}")]
    Arguments {
        /// The action's name.
        action: String,
        /// What is wrong with them, and what is valid.
        message: String,
    },
    /// The node does not meet a requirement, and no earlier action changes that.
    #[error("{message}")]
    Node {
        /// What is missing, and what to do.
        message: String,
    },
}

impl ActionError {
    /// An error for invalid arguments.
    pub fn arguments(action: &str, message: impl Into<String>) -> Self {
        ActionError::Arguments { action: action.to_owned(), message: message.into() }
    }

    /// An error for a node that does not meet a requirement.
    pub fn node(message: impl Into<String>) -> Self {
        ActionError::Node { message: message.into() }
    }
}

impl From<crate::script::packages::PackagesError> for ActionError {
    fn from(error: crate::script::packages::PackagesError) -> Self {
        ActionError::node(error.to_string())
    }
}
