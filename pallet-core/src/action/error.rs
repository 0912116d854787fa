//! Why an action cannot be planned.

use thiserror::Error;

/// An action that cannot be planned, and why.
#[derive(Debug, Clone, Error, PartialEq)]
pub enum ActionError {
    /// There is no action of that name.
    #[error("there is no action `{name}`; this plugin may need a newer pallet")]
    UnknownAction {
        /// The name that was asked for.
        name: String,
    },
    /// Its arguments are not right.
    #[error("{action}: {message}")]
    Arguments {
        /// The action's name.
        action: String,
        /// What is wrong with them, and what would be right.
        message: String,
    },
    /// The node is not as it must be, and no action before it makes it so.
    #[error("{message}")]
    Node {
        /// What is missing, and what to do.
        message: String,
    },
}

impl ActionError {
    /// Arguments that are not right.
    pub fn arguments(action: &str, message: impl Into<String>) -> Self {
        ActionError::Arguments { action: action.to_owned(), message: message.into() }
    }

    /// A node that is not as it must be.
    pub fn node(message: impl Into<String>) -> Self {
        ActionError::Node { message: message.into() }
    }
}

impl From<crate::script::packages::PackagesError> for ActionError {
    fn from(error: crate::script::packages::PackagesError) -> Self {
        ActionError::node(error.to_string())
    }
}
