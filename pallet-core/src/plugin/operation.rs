//! The operations that functions and providers can ask the host for: their names and their
//! payloads.
//!
//! New features are new operations, or new fields with defaults. Nothing here is ever removed or
//! renamed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::action::{BlockRole, Options, SourceLocation};
use crate::model::Detail;

/// Declares an action. Takes [`DeclareAction`], returns `null`.
pub const ACTION: &str = "action";
/// Calls a function of another crate. Takes [`CallFunction`], returns the function's result.
pub const CALL: &str = "call";
/// The node that is being configured. Takes `null`, returns a [`Target`](crate::model::Target).
pub const TARGET: &str = "target";
/// All nodes of the project, even those that the operation does not touch. Takes `null`, returns an
/// array of [`Target`](crate::model::Target).
pub const TARGETS: &str = "targets";
/// The environment. Takes `null`, returns an object.
pub const ENVIRONMENT: &str = "environment";
/// The admin user. Takes `null`, returns an [`AdminUser`](crate::model::AdminUser).
pub const ADMIN_USER: &str = "admin_user";
/// The name of the phase. Takes `null`, returns a string.
pub const PHASE: &str = "phase";
/// Settings of a node. Takes [`GetSettings`], returns the value, or `null` if there is none.
pub const GET_SETTINGS: &str = "get_settings";
/// Merges settings over those of this node. Takes [`SetSettings`], returns `null`.
pub const SET_SETTINGS: &str = "set_settings";
/// Begins a scope, which applies to everything declared until it ends. Takes [`Scope`], returns
/// `null`.
pub const ENTER_SCOPE: &str = "enter_scope";
/// Ends the innermost scope. Takes `null`, returns `null`.
pub const LEAVE_SCOPE: &str = "leave_scope";
/// Runs another of these operations as if the function were called for another node. Takes
/// [`At`], returns the operation's result.
pub const AT: &str = "at";
/// Whether this node is the one of its group that runs what must run only once. Takes `null`,
/// returns a boolean.
pub const IS_FIRST: &str = "is_first";
/// Begins a part of a block, a scope that [`LEAVE_SCOPE`] ends. Takes [`Block`], returns `null`.
pub const ENTER_BLOCK: &str = "enter_block";
/// Facts of a node that are only read if somebody wants to know them. Takes [`GetDetails`],
/// returns [`Details`](crate::model::Details).
pub const DETAILS: &str = "details";
/// Shows the user a message. Takes [`Log`], returns `null`.
pub const LOG: &str = "log";

/// For providers: reports progress to the user. Takes a string, returns `null`.
pub const PROGRESS: &str = "progress";
/// For providers: whether the user has stopped the operation. Takes `null`, returns a boolean.
pub const IS_CANCELLED: &str = "is_cancelled";
/// For providers: calls an operation of another service of the project. Takes [`InvokeService`],
/// returns the operation's result.
pub const SERVICE: &str = "service";

/// See [`SERVICE`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InvokeService {
    /// The service's name in pallet.toml.
    pub service: String,
    /// The operation: a method of [`Provider`](super::Provider).
    pub operation: String,
    /// Its arguments, an array.
    pub payload: Value,
}

/// See [`ACTION`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeclareAction {
    /// The action's name.
    pub action: String,
    /// Its arguments.
    pub arguments: Value,
    /// Its options.
    #[serde(default)]
    pub options: Options,
    /// The place in the project that declares it.
    #[serde(default)]
    pub source: Option<SourceLocation>,
}

/// See [`ENTER_SCOPE`]. Options of an inner scope win over those of the scopes around it;
/// conditions add up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Scope {
    /// The `user` of all actions that have this parameter, and the `owner` of actions that have
    /// that one.
    pub user: Option<String>,
    /// The `cwd` of all actions that have this parameter.
    pub directory: Option<String>,
    /// Defaults for the `environment` of all actions that have this parameter.
    pub environment: BTreeMap<String, String>,
    /// A read-only command: the actions apply only if it succeeds on the node.
    pub when: Option<String>,
    /// A read-only command: the actions apply only if it fails on the node.
    pub when_not: Option<String>,
    /// Tags of all actions.
    pub tags: Vec<String>,
}

/// See [`AT`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct At {
    /// The id or the name of a node of the project; `None`: the machine on which Pallet runs.
    #[serde(default)]
    pub node: Option<String>,
    /// The operation.
    pub operation: String,
    /// What it takes.
    pub payload: Value,
}

/// See [`ENTER_BLOCK`]. A body begins a block. Its rescue, and then its other actions, follow it
/// without anything in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// The part of the block.
    pub role: BlockRole,
}

/// See [`CALL`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CallFunction {
    /// The crate's name.
    #[serde(rename = "crate")]
    pub config_crate: String,
    /// The function's name.
    pub function: String,
    /// Its arguments, an object.
    pub arguments: Value,
    /// The place in the project that calls it.
    #[serde(default)]
    pub source: Option<SourceLocation>,
}

/// See [`GET_SETTINGS`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GetSettings {
    /// The id of the node; `None`: this one.
    #[serde(default)]
    pub node: Option<String>,
    /// The facility that the settings belong to, by convention the name of a crate.
    pub facility: String,
}

/// See [`DETAILS`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GetDetails {
    /// The id of the node; `None`: this one.
    #[serde(default)]
    pub node: Option<String>,
    /// What to know.
    pub details: Vec<Detail>,
}

/// See [`SET_SETTINGS`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SetSettings {
    /// The facility that the settings belong to, by convention the name of a crate.
    pub facility: String,
    /// The settings, an object. Its keys are merged over the existing ones.
    pub value: Value,
}

/// See [`LOG`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Log {
    /// `error`, `warning`, `info` or `debug`.
    pub level: String,
    /// The message, in one line.
    pub message: String,
}
