//! A declared action: an action with its options and its place in the project.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::OnceLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::block::InBlock;
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
    /// Fails the action if it runs longer, in seconds. Its commands, and all that they started, are
    /// ended. A package transaction is not ended: it is completed, and then the action fails. An
    /// action with its own `timeout`, such as `wait_for_port`, does not have this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u32>,
    /// Goes on if the action fails on the node. The failure is a warning, and the action counts as
    /// not changed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ignore_errors: bool,
    /// Tags, by which `--tags` and `--skip-tags` choose actions. An action also has the name of
    /// each crate and of each crate function that declared it, such as `nginx` and `nginx.site`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

impl Options {
    /// The names of all options.
    pub const NAMES: [&'static str; 7] = [
        "flag_on_change",
        "if_flag",
        "always_before",
        "always_after",
        "timeout",
        "ignore_errors",
        "tags",
    ];

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

    /// Moves the action before all actions of its phase with this name.
    pub fn always_before(mut self, name: impl Into<String>) -> Self {
        self.always_before.push(name.into());
        self
    }

    /// Moves the action after all actions of its phase with this name.
    pub fn always_after(mut self, name: impl Into<String>) -> Self {
        self.always_after.push(name.into());
        self
    }

    /// Fails the action if it runs longer than these seconds.
    pub fn timeout(mut self, seconds: u32) -> Self {
        self.timeout = Some(seconds);
        self
    }

    /// Goes on if the action fails.
    pub fn ignore_errors(mut self) -> Self {
        self.ignore_errors = true;
        self
    }

    /// Adds a tag.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// Refuses options that the action cannot have; `own`: the action has this parameter.
    pub(crate) fn check(
        &self,
        action: &str,
        own: impl Fn(&str) -> bool,
    ) -> Result<(), ActionError> {
        let wrong = |message: &str| Err(ActionError::arguments(action, message));
        match self.timeout {
            Some(_) if own("timeout") => {
                wrong("it has its own parameter `timeout`; set that instead of the option")
            }
            Some(0) => wrong("a timeout of 0 s ends it at once; give at least 1"),
            _ => Ok(()),
        }
    }
}

/// A place in the project.
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

/// A condition on the node for a group of actions. It is checked once, before the first of them
/// that would change anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// Identifies the condition within its phase.
    pub id: usize,
    /// A read-only command.
    pub command: String,
    /// Run the actions if the command fails, instead of if it succeeds.
    pub unless: bool,
}

/// An action that a function declared for one node.
#[derive(Debug)]
pub struct Declared {
    /// The action.
    pub action: Box<dyn AnyAction>,
    /// Its options.
    pub options: Options,
    /// Its conditions, which must all hold.
    pub conditions: Vec<Condition>,
    /// The blocks of `on_failure` that it is in, outermost first.
    pub blocks: Vec<InBlock>,
    /// If its arguments hold secrets, a name for it without them; its changes are then not shown in
    /// detail.
    pub secret: Option<String>,
    /// The place in the project that declared it, if any.
    pub source: Option<SourceLocation>,
    /// The crate functions that declared it, outermost first: `nginx.site`.
    pub via: Vec<String>,
    /// The ID of the node on which it runs instead of the target; [`CONTROLLER`]: this machine.
    pub place: Option<String>,
    /// Its position in its phase, from 1; 0: not known yet.
    pub number: usize,
    /// Its tags: its own, those of the scopes around it, and who declared it.
    pub tags: BTreeSet<String>,
    /// The form of it that may be shown; only kept for explanations.
    pub shown: Option<Shown>,
    /// The accounts that must exist before it, once computed.
    pub(crate) accounts: OnceLock<Vec<Account>>,
}

/// Stands for the ID of this machine, on which Pallet runs.
pub const CONTROLLER: &str = "@controller";

/// The form of an action that may be shown, without secrets.
#[derive(Debug)]
pub struct Shown {
    /// Its arguments, with placeholders in place of secrets.
    pub arguments: Value,
    /// The action with placeholders, if the real one holds secrets and can be built without them.
    pub action: Option<Box<dyn AnyAction>>,
}

impl Declared {
    /// An action without options.
    pub fn of(action: impl Action) -> Self {
        Declared {
            action: Box::new(action),
            options: Options::default(),
            conditions: Vec::new(),
            blocks: Vec::new(),
            secret: None,
            source: None,
            via: Vec::new(),
            place: None,
            number: 0,
            tags: BTreeSet::new(),
            shown: None,
            accounts: OnceLock::new(),
        }
    }

    /// Whether the next action can run in the same script: at the same place, and without a reboot
    /// in between.
    pub fn goes_on_with(&self, next: &Declared) -> bool {
        self.place == next.place && self.action.reboots().is_none()
    }

    /// A digest of the action with all its arguments, recorded on the node when it is applied.
    pub fn mark(&self) -> String {
        let digest = digest(format!("{:?}", self.action).as_bytes());
        digest.chars().take(16).collect()
    }

    /// A label for a line of output: `remote_file /etc/motd`.
    pub fn label(&self) -> String {
        format!("{} {}", self.action.name(), self.subject())
    }

    /// Its subject, without secrets.
    pub fn subject(&self) -> String {
        self.secret.clone().unwrap_or_else(|| self.action.subject())
    }

    /// The claims of the action.
    pub(super) fn claims(&self) -> Claims {
        let mut claims = Claims::default();
        self.action.claims(&mut claims);
        claims
    }

    /// Stores the accounts that its claims require, because computing claims is as expensive as the
    /// content of its files.
    pub(super) fn know_accounts(&self, accounts: Vec<Account>) {
        let _ = self.accounts.set(accounts);
    }

    /// The required accounts, except root, which always exists.
    fn required(&self) -> impl Iterator<Item = &Account> {
        let known = self.accounts.get_or_init(|| self.claims().accounts);
        known.iter().filter(|account| account.name() != "root")
    }

    /// Asks whether the required accounts exist.
    pub(super) fn observe_accounts(&self, wanted: &mut Observation) {
        self.required().for_each(|account| account.observe(wanted));
    }

    /// Returns an error if a required account does not exist.
    pub(super) fn require_accounts(&self, node: &NodeState) -> Result<(), ActionError> {
        self.required().try_for_each(|account| account.require(node))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_all_options() {
        let schema = schemars::schema_for!(Options).to_value();
        let names: Vec<_> = schema["properties"].as_object().unwrap().keys().collect();
        assert_eq!(names, Options::NAMES);
    }

    #[test]
    fn options_that_cannot_be_are_refused() {
        let check = |options: Options, own| {
            options
                .check("exec", |name| own && name == "timeout")
                .map_err(|error| error.to_string())
        };
        assert_eq!(check(Options::new().timeout(1).ignore_errors(), false), Ok(()));
        assert_eq!(
            check(Options::new().timeout(0), false).unwrap_err(),
            "exec: a timeout of 0 s ends it at once; give at least 1"
        );
        assert_eq!(
            check(Options::new().timeout(5), true).unwrap_err(),
            "exec: it has its own parameter `timeout`; set that instead of the option"
        );
    }
}
