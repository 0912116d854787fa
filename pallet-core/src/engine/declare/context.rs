//! What the requests of one operation share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::workspace::Directory;
use crate::action::ActionEntry;
use crate::engine::NodeError;
use crate::engine::vault::Vault;
use crate::model::{AdminUser, Environment, Target};
use crate::plugins::Registry;

/// What the requests of one operation share.
pub(in crate::engine) struct RequestContext {
    pub(in crate::engine) registry: Arc<Registry>,
    /// The program's own actions.
    pub(in crate::engine) actions: Vec<ActionEntry>,
    pub(in crate::engine) workspace: Directory,
    pub(in crate::engine) environment: Environment,
    pub(in crate::engine) admin_user: AdminUser,
    pub(in crate::engine) targets: Vec<Target>,
    /// Settings by node id and facility.
    pub(in crate::engine) settings: Mutex<BTreeMap<(String, String), Value>>,
    pub(in crate::engine) cancel: CancellationToken,
    pub(in crate::engine) vault: Arc<Vault>,
    pub(in crate::engine) placeholders: Placeholders,
    /// Is told who calls functions, and writes and reads settings.
    pub(in crate::engine) watcher: Option<Arc<Watcher>>,
    /// Takes what is wrong with actions in place of the functions, which go on: a check finds all
    /// of it at once.
    pub(in crate::engine) refused: Option<Arc<Mutex<Vec<NodeError>>>>,
}

/// Is told what functions do.
pub(in crate::engine) type Watcher = dyn Fn(Activity<'_>) + Send + Sync;

/// Something that a function does besides declaring actions.
pub(in crate::engine) struct Activity<'a> {
    /// Whose node is being configured.
    pub(in crate::engine) target: &'a Target,
    pub(in crate::engine) phase: &'a str,
    /// The crate function that does it, `nginx.site`; `None`: a function of the project.
    pub(in crate::engine) by: Option<String>,
    pub(in crate::engine) kind: ActivityKind<'a>,
}

/// What it does.
pub(in crate::engine) enum ActivityKind<'a> {
    /// Calls a function of a crate: `nginx.site`.
    Calls(&'a str),
    /// Writes settings for a facility.
    WritesSettings(&'a str),
    /// Reads settings for a facility.
    ReadsSettings(&'a str),
}

/// What becomes of an action with placeholders in the place of its secrets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::engine) enum Placeholders {
    /// It is not needed.
    #[default]
    Discard,
    /// It is kept beside the action itself, to be shown.
    Keep,
    /// It is used in the action's place wherever that is possible: secrets are not even looked for.
    UseInstead,
}
