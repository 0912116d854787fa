//! Who must be there before something can be done.

use std::fmt;

use super::super::{ActionError, Declared};
use super::Claims;
use crate::model::{Known, NodeState, Observation};

/// A user or group that must be there.
#[derive(Debug)]
pub(crate) enum Account {
    /// A user of this name.
    User(String),
    /// A group of this name.
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
    fn name(&self) -> &str {
        let (Account::User(name) | Account::Group(name)) = self;
        name
    }

    fn observe(&self, wanted: &mut Observation) {
        match self {
            Account::User(name) => wanted.user(name),
            Account::Group(name) => wanted.group(name),
        }
    }

    fn require(&self, node: &NodeState) -> Result<(), ActionError> {
        let (gone, kind) = match self {
            Account::User(name) => (node.user(name) == Known::Known(&None), "user"),
            Account::Group(name) => (node.group(name) == Known::Known(&None), "group"),
        };
        match gone {
            true => Err(ActionError::node(format!(
                "there is no {self}; declare {kind}({:?}) before \
                it",
                self.name()
            ))),
            false => Ok(()),
        }
    }
}

impl Declared {
    /// Keeps who must be there by its claims: to make those costs as much as the content of its
    /// files.
    pub(super) fn know_accounts(&self, accounts: Vec<Account>) {
        let _ = self.accounts.set(accounts);
    }

    /// Root is always there.
    fn required(&self) -> impl Iterator<Item = &Account> {
        let known = self.accounts.get_or_init(|| Claims::of(&*self.action).accounts);
        known.iter().filter(|account| account.name() != "root")
    }

    /// Asks whether those are there who must be.
    pub(in super::super) fn observe_accounts(&self, wanted: &mut Observation) {
        self.required().for_each(|account| account.observe(wanted));
    }

    /// The error where somebody is not there who must be.
    pub(in super::super) fn require_accounts(&self, node: &NodeState) -> Result<(), ActionError> {
        self.required().try_for_each(|account| account.require(node))
    }
}
