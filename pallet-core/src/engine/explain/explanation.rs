//! An explanation, as data.

use serde::Serialize;
use serde_json::Value;

use crate::action::{Certainty, Options, SourceLocation};
use crate::engine::NodeError;
use crate::model::Os;

/// What one node would be asked, and what would be done to it, action by action.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    /// The node's name.
    pub node: String,
    /// Its group.
    pub group: String,
    /// Its system; `None` where that could not be found out.
    pub os: Option<Os>,
    /// Why it is taken to be that system; empty where the node was asked.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub os_reason: String,
    /// No node was asked: this is planned against a predicted fresh image.
    pub predicted: bool,
    /// The phases in order, those that declare nothing left out.
    pub phases: Vec<ExplainedPhase>,
    /// Why it ends before its end, if it does.
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
    /// The whole script that would run, with the functions that it calls; empty if nothing would.
    /// What its actions upload must stand on the node before.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub script: String,
}

/// One action. Nothing in it holds a secret: placeholders stand there.
#[derive(Debug, Clone, Serialize)]
pub struct ExplainedAction {
    /// Its name: `remote_file`.
    pub action: String,
    /// What it acts on: `/etc/motd`.
    pub subject: String,
    /// Its arguments, an object, with what scopes filled in, and without what says the same as its
    /// absence.
    pub arguments: Value,
    /// The options that every action takes.
    pub options: Options,
    /// The conditions on the node that it stands under: all must hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// The place in the project that asked for it, if there is one.
    pub source: Option<SourceLocation>,
    /// The crate functions that it came through, outermost first: `nginx.site`.
    pub via: Vec<String>,
    /// What must be known of the node.
    pub observes: Vec<Observed>,
    /// Whether it is sure to change something; `None`: there is nothing to do.
    pub certainty: Option<Certainty>,
    /// What it would do, in one line.
    pub summary: String,
    /// Why there is nothing to do, where there is nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Lines that begin with `+`, `-` or a space.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub diff: String,
    /// Its part of the phase's script; empty if there is nothing to do.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub script: String,
    /// The actions that share this part of the script with it, in one transaction of packages.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub together_with: Vec<String>,
    /// Content that would travel before the script, because it is large.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub uploads: Vec<ExplainedUpload>,
}

/// A condition on the node that actions stand under.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// A command that only looks.
    pub command: String,
    /// The action is for when the command fails; otherwise for when it succeeds.
    pub unless: bool,
    /// Whether it holds; `None`: only the node can tell, when it is there.
    pub holds: Option<bool>,
}

/// One thing that must be known of the node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Observed {
    /// What: `file /etc/motd`, `package nginx`.
    pub what: String,
    /// What is known of it when the action's turn comes; `None`: nothing.
    pub found: Option<String>,
}

/// Content that would travel before a script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExplainedUpload {
    /// Its SHA-256 digest, in hexadecimal.
    pub digest: String,
    /// The file of this machine that it is read from; `None`: it comes from memory.
    pub file: Option<std::path::PathBuf>,
}
