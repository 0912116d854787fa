//! An explanation, as data.

use serde::Serialize;
use serde_json::Value;

use crate::action::{BlockRole, Certainty, Options, SourceLocation};
use crate::engine::NodeError;
use crate::model::Os;

/// What one node would be asked, and what would be done to it, action by action.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    /// The node's name.
    pub node: String,
    /// Its group.
    pub group: String,
    /// Its system; `None` if it is unknown.
    pub os: Option<Os>,
    /// Why this system is assumed; empty if the node itself was asked.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub os_reason: String,
    /// No node was asked: this is planned against a predicted fresh image.
    pub predicted: bool,
    /// The phases in order, without those that declare nothing.
    pub phases: Vec<ExplainedPhase>,
    /// Why the explanation is incomplete, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<NodeError>,
}

/// One phase.
#[derive(Debug, Clone, Serialize)]
pub struct ExplainedPhase {
    /// Its name.
    pub phase: String,
    /// Its actions, in the order in which they run.
    pub actions: Vec<ExplainedAction>,
    /// The whole script that would run, with the functions that it calls; empty if nothing would
    /// run. The actions' uploads must be on the node before.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub script: String,
}

/// One action. It contains no secrets, only placeholders.
#[derive(Debug, Clone, Serialize)]
pub struct ExplainedAction {
    /// Its name: `remote_file`.
    pub action: String,
    /// What it acts on: `/etc/motd`.
    pub subject: String,
    /// Its arguments, an object: with values from scopes, and without arguments that equal their
    /// default.
    pub arguments: Value,
    /// The options that every action takes.
    pub options: Options,
    /// The conditions on the node that must all hold for this action to run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// The part of `on_failure` that it is in, for each call around it, outermost first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub blocks: Vec<BlockRole>,
    /// The place in the project that declared it, if any.
    pub source: Option<SourceLocation>,
    /// The crate functions that it came through, outermost first: `nginx.site`.
    pub via: Vec<String>,
    /// The ID of the node on which it runs instead of this one; `@controller`: the machine on which
    /// Pallet runs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub place: Option<String>,
    /// The observations that it needs.
    pub observes: Vec<Observed>,
    /// Whether it surely changes something; `None`: there is nothing to do.
    pub certainty: Option<Certainty>,
    /// The change, in one line.
    pub summary: String,
    /// Why there is nothing to do, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The diff: lines that begin with `+`, `-` or a space.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub diff: String,
    /// Its part of the phase's script; empty if there is nothing to do.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub script: String,
    /// The actions that share this part of the script, in one package transaction.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub together_with: Vec<String>,
    /// Content that would be uploaded before the script, because it is large.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub uploads: Vec<ExplainedUpload>,
}

/// A condition on the node that actions depend on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// A command that only reads.
    pub command: String,
    /// Run the action if the command fails, instead of if it succeeds.
    pub unless: bool,
    /// Whether it holds; `None`: only the node can tell, at run time.
    pub holds: Option<bool>,
}

/// One observation that an action needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Observed {
    /// What is observed: `file /etc/motd`, `package nginx`.
    pub what: String,
    /// The state when the action's turn comes; `None`: unknown.
    pub found: Option<String>,
}

/// Content that would be uploaded before a script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExplainedUpload {
    /// Its SHA-256 digest, in hexadecimal.
    pub digest: String,
    /// The local file that it is read from; `None`: it comes from memory.
    pub file: Option<std::path::PathBuf>,
}
