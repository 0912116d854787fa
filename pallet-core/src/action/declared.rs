//! An action as a function declared it: with its options and the place that asked for it.

use std::fmt;
use std::sync::OnceLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::claims::Account;
use super::{Action, ActionError, AnyAction, Claims};
use crate::model::digest;
use crate::observe::{NodeState, Observation};

/// Options that every action takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Sets this flag if the action changes anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flag_on_change: Option<String>,
    /// Runs the action only if this flag was set before, in this operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub if_flag: Option<String>,
    /// Moves the action before all actions of its phase with one of these names, such as `package`
    /// or `service nginx`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub always_before: Vec<String>,
    /// Moves the action after all actions of its phase with one of these names, such as `package`
    /// or `service nginx`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub always_after: Vec<String>,
}

impl Options {
    /// No options.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the flag `name` if the action changes anything.
    pub fn flag_on_change(mut self, name: impl Into<String>) -> Self {
        self.flag_on_change = Some(name.into());
        self
    }

    /// Runs the action only if the flag `name` was set before.
    pub fn if_flag(mut self, name: impl Into<String>) -> Self {
        self.if_flag = Some(name.into());
        self
    }

    /// Moves the action before all actions of its phase that are named so.
    pub fn always_before(mut self, name: impl Into<String>) -> Self {
        self.always_before.push(name.into());
        self
    }

    /// Moves the action after all actions of its phase that are named so.
    pub fn always_after(mut self, name: impl Into<String>) -> Self {
        self.always_after.push(name.into());
        self
    }
}

/// Where a declaration stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SourceLocation {
    /// The file, as the user named it.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
}

impl fmt::Display for SourceLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// A condition on the node that a group of actions stands under. It is looked at once, before the
/// first of them that would change anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// Tells the conditions of a phase apart.
    pub id: usize,
    /// A command that only looks.
    pub command: String,
    /// The actions are for when the command fails.
    pub unless: bool,
}

/// An action that a function declared for one node.
#[derive(Debug)]
pub struct Declared {
    /// The action.
    pub action: Box<dyn AnyAction>,
    /// Its options.
    pub options: Options,
    /// The conditions that it stands under: all must hold.
    pub conditions: Vec<Condition>,
    /// Its arguments hold secrets, so what it changes is not shown in detail; this names it without
    /// them.
    pub secret: Option<String>,
    /// The place in the project that asked for it, if there is one.
    pub source: Option<SourceLocation>,
    /// The crate functions that it came through, outermost first: `nginx.site`.
    pub via: Vec<String>,
    /// What may be shown of it; kept only where it is to be explained.
    pub shown: Option<Shown>,
    /// Who must be there before it, once that was asked.
    pub(crate) accounts: OnceLock<Vec<Account>>,
}

/// What may be shown of an action: nothing of it holds a secret.
#[derive(Debug)]
pub struct Shown {
    /// Its arguments, with placeholders where secrets stand.
    pub arguments: Value,
    /// The same action with placeholders, where the action itself holds secrets and can be made
    /// without.
    pub action: Option<Box<dyn AnyAction>>,
}

impl Declared {
    /// An action without options.
    pub fn of(action: impl Action) -> Self {
        Declared {
            action: Box::new(action),
            options: Options::default(),
            conditions: Vec::new(),
            secret: None,
            source: None,
            via: Vec::new(),
            shown: None,
            accounts: OnceLock::new(),
        }
    }

    /// Marks the action with all its arguments, as it is recorded on a node on which it was
    /// applied.
    pub fn mark(&self) -> String {
        let digest = digest(format!("{:?}", self.action).as_bytes());
        digest.chars().take(16).collect()
    }

    /// Names it in a line of output: `remote_file /etc/motd`.
    pub fn label(&self) -> String {
        format!("{} {}", self.action.name(), self.subject())
    }

    /// Names what it is about, without secrets.
    pub fn subject(&self) -> String {
        self.secret.clone().unwrap_or_else(|| self.action.subject())
    }

    /// What the action claims of the node.
    pub(super) fn claims(&self) -> Claims {
        let mut claims = Claims::default();
        self.action.claims(&mut claims);
        claims
    }

    /// Keeps who must be there by its claims: to make those costs as much as the content of its
    /// files.
    pub(super) fn know_accounts(&self, accounts: Vec<Account>) {
        let _ = self.accounts.set(accounts);
    }

    /// Root is always there.
    fn required(&self) -> impl Iterator<Item = &Account> {
        let known = self.accounts.get_or_init(|| self.claims().accounts);
        known.iter().filter(|account| account.name() != "root")
    }

    /// Asks whether those are there who must be.
    pub(super) fn observe_accounts(&self, wanted: &mut Observation) {
        self.required().for_each(|account| account.observe(wanted));
    }

    /// The error where somebody is not there who must be.
    pub(super) fn require_accounts(&self, node: &NodeState) -> Result<(), ActionError> {
        self.required().try_for_each(|account| account.require(node))
    }
}
