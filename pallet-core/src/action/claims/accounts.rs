//! Users and groups that must exist before an action can be applied.

use std::fmt;

use super::super::ActionError;
use crate::model::Known;
use crate::observe::{NodeState, Observation};

/// A user or group that must exist.
#[derive(Debug)]
pub(crate) enum Account {
    /// The user with this name.
    User(String),
    /// The group with this name.
    Group(String),
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Account::User(name) => write!(f, "user {name}"),
            Account::Group(name) => write!(f, "group {name}"),
        }
    }
}

impl Account {
    pub(in super::super) fn name(&self) -> &str {
        let (Account::User(name) | Account::Group(name)) = self;
        name
    }

    pub(in super::super) fn observe(&self, wanted: &mut Observation) {
        match self {
            Account::User(name) => wanted.user(name),
            Account::Group(name) => wanted.group(name),
        }
    }

    /// Returns an error if it does not exist.
    pub(in super::super) fn require(&self, node: &NodeState) -> Result<(), ActionError> {
        let missing = match self {
            Account::User(name) => node.user(name) == Known::Known(&None),
            Account::Group(name) => node.group(name) == Known::Known(&None),
        };
        if missing { Err(self.missing()) } else { Ok(()) }
    }

    /// The error for an account that does not exist.
    pub(in super::super) fn missing(&self) -> ActionError {
        let (Account::User(name) | Account::Group(name)) = self;
        let kind = if let Account::User(_) = self { "user" } else { "group" };
        ActionError::node(format!("there is no {self}; declare {kind}({name:?}) before it"))
    }
}
