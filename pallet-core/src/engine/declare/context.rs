//! State shared by the requests of one operation.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::workspace::Directory;
use crate::action::ActionEntry;
use crate::engine::NodeError;
use crate::engine::vault::Vault;
use crate::model::{AdminUser, Detail, Details, Environment, Target};
use crate::plugins::Registry;

/// State shared by the requests of one operation.
pub(in crate::engine) struct RequestContext {
    pub(in crate::engine) registry: Arc<Registry>,
    /// Actions that the program adds to Pallet's own.
    pub(in crate::engine) actions: Vec<ActionEntry>,
    pub(in crate::engine) workspace: Directory,
    pub(in crate::engine) environment: Environment,
    pub(in crate::engine) admin_user: AdminUser,
    pub(in crate::engine) targets: Vec<Target>,
    /// What else is known of them, by ID.
    pub(in crate::engine) details: BTreeMap<String, Details>,
    /// Which of that functions wanted to know, by ID.
    pub(in crate::engine) details_read: Mutex<BTreeMap<String, BTreeSet<Detail>>>,
    /// For each group, the ID of the node that runs what must run only once.
    pub(in crate::engine) first: BTreeMap<String, String>,
    /// Whether a function asked for that.
    pub(in crate::engine) asked_for_first: AtomicBool,
    /// Settings by node id and facility.
    pub(in crate::engine) settings: Mutex<BTreeMap<(String, String), Value>>,
    pub(in crate::engine) cancel: CancellationToken,
    pub(in crate::engine) vault: Arc<Vault>,
    pub(in crate::engine) placeholders: Placeholders,
    /// Called when a function calls another one, or writes or reads settings.
    pub(in crate::engine) watcher: Option<Arc<Watcher>>,
    /// Collects errors in actions instead of returning them to the functions, which continue. So a
    /// check finds all of them in one run.
    pub(in crate::engine) refused: Option<Arc<Mutex<Vec<NodeError>>>>,
}

impl RequestContext {
    /// What is known of these details of a node.
    pub(super) fn read_details(&self, node: &str, wanted: &[Detail]) -> Details {
        let mut read = self.details_read.lock().unwrap_or_else(PoisonError::into_inner);
        read.entry(node.to_owned()).or_default().extend(wanted);
        self.details.get(node).map(|details| details.only(wanted)).unwrap_or_default()
    }

    /// The details that functions wanted to know, by the ID of their node.
    pub(super) fn details_read(&self) -> BTreeMap<String, BTreeSet<Detail>> {
        self.details_read.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Called for what functions do.
pub(in crate::engine) type Watcher = dyn Fn(Activity<'_>) + Send + Sync;

/// Something that a function does, apart from declaring actions.
pub(in crate::engine) struct Activity<'a> {
    /// The node that is being configured.
    pub(in crate::engine) target: &'a Target,
    pub(in crate::engine) phase: &'a str,
    /// The crate function that does it, such as `nginx.site`; `None`: a function of the project.
    pub(in crate::engine) by: Option<String>,
    pub(in crate::engine) kind: ActivityKind<'a>,
}

/// The kind of activity.
pub(in crate::engine) enum ActivityKind<'a> {
    /// Calls a function of a crate: `nginx.site`.
    Calls(&'a str),
    /// Writes settings for a facility.
    WritesSettings(&'a str),
    /// Reads settings for a facility.
    ReadsSettings(&'a str),
}

/// What to do with an action that has placeholders in place of its secrets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::engine) enum Placeholders {
    /// Discard it.
    #[default]
    Discard,
    /// Keep it beside the real action, to be shown.
    Keep,
    /// Use it in place of the real action wherever possible; then secrets are not even looked up.
    UseInstead,
}
