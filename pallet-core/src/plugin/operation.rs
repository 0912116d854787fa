//! What a request, and what a provider, can ask of the host: the names of the operations and the
//! data that travels with each.
//!
//! New abilities are new operations and new fields with defaults; nothing here is ever removed or
//! renamed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::action::{Options, SourceLocation};

/// Declares an action. Takes [`DeclareAction`], gives `null`.
pub const ACTION: &str = "action";
/// Calls a function of another crate. Takes [`CallFunction`], gives what it returns.
pub const CALL: &str = "call";
/// The node that is being configured. Takes `null`, gives a [`Target`](crate::model::Target).
pub const TARGET: &str = "target";
/// All nodes of the project, whichever of them the operation is for. Takes `null`, gives an array
/// of [`Target`](crate::model::Target).
pub const TARGETS: &str = "targets";
/// The environment. Takes `null`, gives an object.
pub const ENVIRONMENT: &str = "environment";
/// The admin user. Takes `null`, gives an [`AdminUser`](crate::model::AdminUser).
pub const ADMIN_USER: &str = "admin_user";
/// The name of the phase. Takes `null`, gives a string.
pub const PHASE: &str = "phase";
/// Settings of a node. Takes [`GetSettings`], gives the value, or `null` if there is none.
pub const GET_SETTINGS: &str = "get_settings";
/// Lays settings over those of this node. Takes [`SetSettings`], gives `null`.
pub const SET_SETTINGS: &str = "set_settings";
/// Begins a scope: all that is declared until it is left stands under it. Takes [`Scope`], gives
/// `null`.
pub const ENTER_SCOPE: &str = "enter_scope";
/// Leaves the scope that was entered last. Takes `null`, gives `null`.
pub const LEAVE_SCOPE: &str = "leave_scope";
/// Says something to the user. Takes [`Log`], gives `null`.
pub const LOG: &str = "log";

/// For providers: tells the user what goes on. Takes a string, gives `null`.
pub const PROGRESS: &str = "progress";
/// For providers: whether the user has stopped the operation. Takes `null`, gives a boolean.
pub const IS_CANCELLED: &str = "is_cancelled";
/// For providers: does an operation of another service of the project. Takes [`InvokeService`],
/// gives what the operation gives.
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
    /// The place in the project that asks for it.
    #[serde(default)]
    pub source: Option<SourceLocation>,
}

/// See [`ENTER_SCOPE`]. Options of an inner scope win over those of the scopes around it;
/// conditions add up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Scope {
    /// The `user` of all actions that have such a parameter, and the `owner` of those that have
    /// that one.
    pub user: Option<String>,
    /// The `cwd` of all actions that have such a parameter.
    pub directory: Option<String>,
    /// Laid under the `environment` of all actions that have such a parameter.
    pub environment: BTreeMap<String, String>,
    /// A command that only looks: the actions are for when it succeeds on the node.
    pub when: Option<String>,
    /// A command that only looks: the actions are for when it fails on the node.
    pub when_not: Option<String>,
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
    /// What the settings are for, by convention the name of a crate.
    pub facility: String,
}

/// See [`SET_SETTINGS`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SetSettings {
    /// What the settings are for, by convention the name of a crate.
    pub facility: String,
    /// The settings, an object: its keys are laid over those that are there.
    pub value: Value,
}

/// See [`LOG`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Log {
    /// `error`, `warning`, `info` or `debug`.
    pub level: String,
    /// What to say, in one line.
    pub message: String,
}
