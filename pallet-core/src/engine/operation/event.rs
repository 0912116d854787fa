//! The events of an operation as it runs, for progress displays and logs.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::copy_outcome::CopyResult;
use super::kind::Kind;
use super::outcome::{NodeResult, Totals};
use super::run_outcome::RunResult;
use crate::action::{Certainty, SourceLocation};
use crate::engine::excerpt::short;
use crate::engine::template::Choice;
use crate::engine::vault::Vault;

/// An event.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Event {
    /// An operation begins on these nodes.
    Started { kind: Kind, dry_run: bool, nodes: Vec<String> },
    /// It is for these nodes only, of so many.
    Selected { nodes: Vec<String>, of: usize },
    /// A node is being created.
    Creating {
        node: String,
        group: String,
        image: Option<String>,
        hardware: Option<String>,
        location: Option<String>,
        /// What was chosen and why, one line each.
        why: Vec<String>,
    },
    /// A node was created; or an existing one that was stopped was started.
    Created { node: String, group: String, address: Option<String>, started: bool },
    /// Who may reach the nodes of a group, and whatever else they share, is about to be updated at
    /// the service.
    Sharing { group: String },
    /// A node is about to be marked at the service.
    Tagging { node: String, tag: String },
    /// Whatever the service keeps for the project apart from nodes is about to be removed.
    CleaningUp,
    /// A node could not be created.
    NotCreated { node: String, group: String, error: String },
    /// A node is being destroyed.
    Destroying { node: String, group: String },
    /// A node was destroyed.
    Destroyed {
        node: String,
        #[serde(default)]
        id: String,
        group: String,
    },
    /// The operation resumes another one.
    Resumed { resumes: String },
    /// The local files that the declared actions use, each with a digest of its content, and the
    /// IDs of the nodes that run what must run only once.
    Inputs {
        files: BTreeMap<String, String>,
        #[serde(default)]
        first: Vec<String>,
    },
    /// A wave of nodes begins.
    WaveStarted { wave: usize, waves: usize, nodes: Vec<String> },
    /// A wave ended: all its nodes are done, failed, or not reached.
    WaveFinished { wave: usize, waves: usize, failed: Vec<String> },
    /// Pallet connected to a node.
    Connected { node: String },
    /// All nodes were asked, and these phases follow, in order.
    Phases { phases: Vec<PhaseNodes> },
    /// A phase begins on a node.
    PhaseStarted { node: String, phase: String, actions: usize },
    /// A phase ended on a node: so many actions changed something, or would. `ok`: without an
    /// error.
    PhaseFinished { node: String, phase: String, changes: usize, ok: bool },
    /// A phase is about to change a node.
    Applying {
        node: String,
        id: String,
        phase: String,
        actions: usize,
        /// The node for which it is changed, if it is another one, and the ID of that.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        on_behalf_of: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        owner_id: Option<String>,
    },
    /// All phases of a node are done, and its health was confirmed if that was asked for.
    NodeDone {
        node: String,
        id: String,
        /// Where it is, if Pallet connects over ssh.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        address: Option<String>,
    },
    /// Dry run: an action would change something.
    Planned(PlannedChange),
    /// An action that changes something begins on a node.
    ActionStarted { node: String, phase: String, action: String },
    /// An action is done: it changed something, or had nothing to do.
    Action {
        #[serde(flatten)]
        change: PlannedChange,
        changed: bool,
    },
    /// Drift: something that somebody changed since Pallet applied it. It is kept.
    Drift(PlannedChange),
    /// A line that an action printed.
    Output { node: String, phase: String, action: String, line: String },
    /// A command ended on a node, or could not be run there.
    Ran(RunResult),
    /// All copies with a node are done, or one of them failed.
    Copied(CopyResult),
    /// A node is finished.
    NodeFinished {
        node: String,
        group: String,
        #[serde(flatten)]
        result: NodeResult,
    },
    /// A warning.
    Warning { node: Option<String>, message: String },
    /// A message from a function or a provider.
    Message { node: Option<String>, level: String, message: String },
    /// The operation has ended.
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
    /// A copy without secrets. Long messages are shortened; output and diffs are not.
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
            // the text was redacted as a whole before
            Event::Ran(_)
            | Event::Copied(_)
            | Event::Started { .. }
            | Event::Selected { .. }
            | Event::Creating { .. }
            | Event::Created { .. }
            | Event::Destroying { .. }
            | Event::Destroyed { .. }
            | Event::Connected { .. }
            | Event::Phases { .. }
            | Event::PhaseStarted { .. }
            | Event::PhaseFinished { .. }
            | Event::Sharing { .. }
            | Event::Tagging { .. }
            | Event::CleaningUp
            | Event::Resumed { .. }
            | Event::Inputs { .. }
            | Event::WaveStarted { .. }
            | Event::WaveFinished { .. }
            | Event::Applying { .. }
            | Event::NodeDone { .. }
            | Event::NodeFinished { .. }
            | Event::Finished { .. }
            | Event::Unknown => {}
        }
        self
    }

    /// A node is being created, according to this choice.
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

/// A phase of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseNodes {
    /// The phase.
    pub phase: String,
    /// How many nodes have actions in it.
    pub nodes: usize,
}

/// The change of an action on one node, or that it changes nothing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlannedChange {
    /// The node's name.
    pub node: String,
    /// The phase.
    pub phase: String,
    /// The action's position in the phase, from 1.
    #[serde(default)]
    pub number: usize,
    /// The action's name: `remote_file`.
    pub action: String,
    /// Its subject: `/etc/motd`.
    pub subject: String,
    /// Whether it surely changes something; `None`: it changes nothing.
    pub certainty: Option<Certainty>,
    /// The change, in one line.
    pub summary: String,
    /// The diff: lines that begin with `+`, `-` or a space.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub diff: String,
    /// The place in the project that declared it.
    pub source: Option<SourceLocation>,
    /// The crate functions that declared it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub via: Vec<String>,
    /// Somebody changed it since Pallet applied it, and the next lift undoes that. (Changes by hand
    /// in a file are kept instead.)
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub undone: bool,
    /// The node does not exist yet: this is planned against a predicted fresh image.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub predicted: bool,
    /// The node for which this one is changed: an action of its phase runs here.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub on_behalf_of: Option<String>,
}
