//! What happens in an operation, while it happens: for a person's progress and a program's log.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::copy_outcome::CopyResult;
use super::kind::Kind;
use super::outcome::{NodeResult, Totals};
use super::run_outcome::RunResult;
use crate::action::{Certainty, SourceLocation};
use crate::engine::excerpt::short;
use crate::engine::template::Choice;
use crate::engine::vault::Vault;

/// One thing that happened.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Event {
    /// An operation begins on these nodes.
    Started { kind: Kind, dry_run: bool, nodes: Vec<String> },
    /// A node is being created.
    Creating {
        node: String,
        group: String,
        image: Option<String>,
        hardware: Option<String>,
        location: Option<String>,
        /// What was chosen and why, a line each.
        why: Vec<String>,
    },
    /// A node was created; or it was there, stopped, and was started.
    Created { node: String, group: String, address: Option<String>, started: bool },
    /// A node could not be created.
    NotCreated { node: String, group: String, error: String },
    /// A node is being destroyed.
    Destroying { node: String, group: String },
    /// A node was destroyed.
    Destroyed { node: String, group: String },
    /// A node was reached.
    Connected { node: String },
    /// A phase begins on a node.
    PhaseStarted { node: String, phase: String, actions: usize },
    /// An action would change something: in a dry run.
    Planned(PlannedChange),
    /// An action that changes something begins on a node.
    ActionStarted { node: String, phase: String, action: String },
    /// An action is done: it changed something or found nothing to do.
    Action {
        #[serde(flatten)]
        change: PlannedChange,
        changed: bool,
    },
    /// Something that was changed by hand since Pallet wrote it; it is kept.
    Drift(PlannedChange),
    /// A line that an action printed.
    Output { node: String, phase: String, action: String, line: String },
    /// A command ended on a node, or could not be run there.
    Ran(RunResult),
    /// All that is to be copied from or to a node was, or some of it could not be.
    Copied(CopyResult),
    /// All that is done on a node.
    NodeFinished {
        node: String,
        group: String,
        #[serde(flatten)]
        result: NodeResult,
    },
    /// Something that the user should know.
    Warning { node: Option<String>, message: String },
    /// Something that a function says.
    Message { node: Option<String>, level: String, message: String },
    /// The operation is over.
    Finished {
        #[serde(flatten)]
        totals: Totals,
        seconds: f64,
    },
    /// An event of a newer Pallet.
    #[serde(other)]
    Unknown,
}

impl Event {
    /// The same without any secret in it. What is too long for a message is cut; what was printed,
    /// and differences, are not.
    pub(in crate::engine) fn redacted(mut self, vault: &Vault) -> Self {
        let hide = |text: &mut String| {
            vault.redact_in(text);
            if let Cow::Owned(short) = short(text) {
                *text = short;
            }
        };
        match &mut self {
            Event::Planned(change) | Event::Drift(change) | Event::Action { change, .. } => {
                [&mut change.subject, &mut change.summary].into_iter().for_each(hide);
                vault.redact_in(&mut change.diff);
            }
            Event::ActionStarted { action, .. } => hide(action),
            Event::Output { action, line, .. } => {
                hide(action);
                vault.redact_in(line);
            }
            Event::NotCreated { error, .. } => hide(error),
            Event::NodeFinished { result: NodeResult::Failed { error, .. }, .. } => {
                error.redact(vault)
            }
            Event::Warning { message, .. } | Event::Message { message, .. } => hide(message),
            // its text was redacted as a whole
            Event::Ran(_)
            | Event::Copied(_)
            | Event::Started { .. }
            | Event::Creating { .. }
            | Event::Created { .. }
            | Event::Destroying { .. }
            | Event::Destroyed { .. }
            | Event::Connected { .. }
            | Event::PhaseStarted { .. }
            | Event::NodeFinished { .. }
            | Event::Finished { .. }
            | Event::Unknown => {}
        }
        self
    }

    /// A node is being created, of what was chosen.
    pub(in crate::engine) fn creating(node: &str, group: &str, choice: Option<&Choice>) -> Self {
        Event::Creating {
            node: node.to_owned(),
            group: group.to_owned(),
            image: choice.and_then(|choice| choice.image.as_ref()).map(|image| image.id.clone()),
            hardware: choice
                .and_then(|choice| choice.hardware.as_ref())
                .map(|hardware| hardware.id.clone()),
            location: choice
                .and_then(|choice| choice.location.as_ref())
                .map(|location| location.id.clone()),
            why: choice.map(Choice::why).unwrap_or_default(),
        }
    }

    /// An operation begins on these nodes.
    pub(in crate::engine) fn started(
        kind: Kind,
        dry_run: bool,
        nodes: impl IntoIterator<Item = String>,
    ) -> Self {
        Event::Started { kind, dry_run, nodes: nodes.into_iter().collect() }
    }
}

/// What an action changes on one node, or that it changes nothing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlannedChange {
    /// The node's name.
    pub node: String,
    /// The phase.
    pub phase: String,
    /// The action's name: `remote_file`.
    pub action: String,
    /// What it acts on: `/etc/motd`.
    pub subject: String,
    /// Whether it is sure to change something; `None`: it changes nothing.
    pub certainty: Option<Certainty>,
    /// What it does, in one line.
    pub summary: String,
    /// Lines that begin with `+`, `-` or a space.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub diff: String,
    /// The place in the project that asked for it.
    pub source: Option<SourceLocation>,
    /// The crate functions that it came through.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub via: Vec<String>,
    /// It was changed since Pallet made it, and a lift makes it so again; what is changed by hand
    /// in a file is kept instead.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub undone: bool,
    /// The node does not exist yet: this is planned against a predicted fresh image.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub predicted: bool,
}
