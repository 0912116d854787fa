//! The changes of one phase on one node, as a value. A dry run shows it, an apply compiles and runs
//! it, and it can be explained or saved.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::action::{
    self, ActionError, Certainty, Change, Condition, Declared, Flags, InBlock, Options, Reboot,
    Skipped, SourceLocation, Waiting,
};
use crate::engine::NodeError;
use crate::engine::operation::PlannedChange;
use crate::model::{Known, Os};
use crate::observe::{FileState, NodeState, Observation};
use crate::script::Script;

/// The changes of one phase on one node. It survives serialization, except for changes with
/// secrets: these are omitted and must be planned again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PhasePlan {
    /// The node's name.
    pub node: String,
    /// The phase.
    pub phase: String,
    /// The node does not exist yet: this is planned against a predicted fresh image.
    pub predicted: bool,
    /// The user who runs the script.
    pub user: String,
    /// The node's system.
    pub os: Os,
    /// The flags that are set before the phase.
    pub flags: BTreeMap<String, Certainty>,
    /// The actions that waited for them and had their turn since.
    #[serde(default)]
    pub served: Vec<Waiting>,
    /// The flags that later phases read.
    pub later: BTreeSet<String>,
    /// The actions, in order.
    pub actions: Vec<PlannedAction>,
    /// Content that the node already has, and that need not be uploaded.
    pub present: Vec<Present>,
    /// The node has temporary entries of killed or running runs.
    pub leftovers: bool,
    /// Record on the node that it is bootstrapped.
    pub mark_bootstrapped: bool,
    /// An earlier part of the same phase was applied before.
    #[serde(default)]
    pub continues: bool,
    /// The node on behalf of which this one is changed.
    #[serde(default)]
    pub on_behalf_of: Option<String>,
}

/// An action and its change.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct PlannedAction {
    /// Its position in its phase, from 1.
    #[serde(default)]
    pub number: usize,
    /// The action's name: `remote_file`.
    pub action: String,
    /// Its subject: `/etc/motd`.
    pub subject: String,
    /// Its options.
    pub options: Options,
    /// Its conditions that only the node can decide.
    pub conditions: Vec<Condition>,
    /// The blocks of `on_failure` that it is in, outermost first.
    #[serde(default)]
    pub blocks: Vec<InBlock>,
    /// What makes it the same as another one that waits for its flag, if it waits for one.
    #[serde(default)]
    pub waiting: Option<Waiting>,
    /// Its arguments hold secrets.
    pub secret: bool,
    /// Its secrets were omitted when the plan was serialized, so it cannot be applied.
    #[serde(default)]
    pub withheld: bool,
    /// The place in the project that declared it.
    pub source: Option<SourceLocation>,
    /// The crate functions that declared it, outermost first.
    pub via: Vec<String>,
    /// A digest of the action with all its arguments, recorded on the node when it is applied.
    /// `None` unless something is recorded or drift is checked.
    pub mark: Option<String>,
    /// The change to make, if any.
    pub change: Option<Change>,
    /// A change by hand on the node that is kept.
    pub drift: Option<Change>,
    /// This same action was applied before, so its change undoes somebody else's. Only known if
    /// drift is checked.
    pub undone: bool,
    /// Why the action is skipped on this node, if it is.
    pub skipped: Option<Skipped>,
    /// The reboot that its change makes. It is the last action of its plan.
    #[serde(default)]
    pub reboots: Option<Reboot>,
}

impl Serialize for PlannedAction {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.secret {
            true => Self::serialize(&self.without_secrets(), serializer),
            false => Self::serialize(self, serializer),
        }
    }
}

impl<'de> Deserialize<'de> for PlannedAction {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }
}

/// Content that exists on a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Present {
    /// The path of the file.
    pub path: String,
    /// Its SHA-256 digest, in hexadecimal.
    pub digest: String,
}

/// Replaces a diff that is not shown.
const HIDDEN_DIFF: &str = "  (it holds secrets, so the difference is not shown)\n";

/// The inputs of planning a phase, apart from its actions and the node's state.
pub(in crate::engine) struct PlanContext<'a> {
    pub(in crate::engine) node: &'a str,
    pub(in crate::engine) phase: &'a str,
    /// The node does not exist yet.
    pub(in crate::engine) predicted: bool,
    /// The flags that later phases read.
    pub(in crate::engine) later: BTreeSet<String>,
    /// Check for drift: changes by somebody else since each action was applied.
    pub(in crate::engine) drift: bool,
    pub(in crate::engine) leftovers: bool,
    pub(in crate::engine) mark_bootstrapped: bool,
    /// An earlier part of the same phase was applied before.
    pub(in crate::engine) continues: bool,
    /// The node on behalf of which this one is changed.
    pub(in crate::engine) on_behalf_of: Option<&'a str>,
}

/// Plans a phase from the known state of the node, and updates that to the state after the phase.
/// Calls `before` for each action with the state at its turn.
///
/// If an action cannot be planned, the error has its position and the reason.
pub(in crate::engine) fn plan_phase(
    context: &PlanContext<'_>,
    declared: &[Declared],
    state: &mut NodeState,
    flags: &mut Flags,
    before: &mut dyn FnMut(&Declared, &NodeState),
) -> Result<PhasePlan, (usize, ActionError)> {
    let (found, flags_before) = (state.clone(), flags.clone());
    let steps = action::plan_watched(declared, state, flags, context.drift, before)?;
    let recorded = context.drift
        || context.mark_bootstrapped
        || steps.iter().any(|step| step.change.is_some());
    let actions = declared.iter().zip(steps).map(|(declared, step)| {
        let hidden = || declared.secret.is_some() || holds_secret(declared, &found);
        let shown = |change: Change| match !change.diff.is_empty() && hidden() {
            true => Change { diff: HIDDEN_DIFF.to_owned(), ..change },
            false => change,
        };
        let mark = recorded.then(|| declared.mark());
        let sure = step.change.as_ref().map(|change| change.certainty) == Some(Certainty::Will);
        PlannedAction {
            number: declared.number,
            action: declared.action.name().to_owned(),
            subject: declared.subject(),
            options: declared.options.clone(),
            conditions: step.conditions,
            blocks: declared.blocks.clone(),
            waiting: Waiting::of(declared),
            secret: declared.secret.is_some(),
            withheld: false,
            source: declared.source.clone(),
            via: declared.via.clone(),
            undone: context.drift
                && sure
                && step.settles
                && mark.as_ref().is_some_and(|mark| found.applied(mark)),
            mark,
            change: step.change.map(shown),
            drift: step.drift.map(shown),
            skipped: step.skipped,
            reboots: declared.action.reboots(),
        }
    });
    Ok(PhasePlan {
        node: context.node.to_owned(),
        phase: context.phase.to_owned(),
        predicted: context.predicted,
        actions: actions.collect(),
        user: state.user.clone(),
        os: state.os.clone(),
        flags: flags_before.all().clone(),
        served: flags_before.served(),
        later: context.later.clone(),
        present: Vec::new(),
        leftovers: context.leftovers,
        mark_bootstrapped: context.mark_bootstrapped,
        continues: context.continues,
        on_behalf_of: context.on_behalf_of.map(str::to_owned),
    })
}

/// Whether a file that the action observes contains secrets now or did so before; then its diff is
/// not shown.
fn holds_secret(declared: &Declared, state: &NodeState) -> bool {
    let mut wanted = Observation::default();
    declared.action.observe(&mut wanted);
    wanted.files.keys().any(|path| state.holds_secret(path))
}

impl PhasePlan {
    /// The flags that are set on the node, and that nobody waits for after this phase, whatever it
    /// changes.
    pub(in crate::engine) fn spent_flags(&self) -> BTreeSet<&String> {
        let read = self.actions.iter().filter_map(|action| action.options.if_flag.as_ref());
        read.filter(|flag| self.flags.contains_key(*flag) && !self.later.contains(*flag)).collect()
    }

    /// The number of actions with a change.
    pub fn changing(&self) -> usize {
        self.actions.iter().filter(|action| action.change.is_some()).count()
    }

    /// The change of an action, as it is reported.
    pub(in crate::engine) fn describe(&self, action: &PlannedAction) -> PlannedChange {
        let change = action.change.as_ref().or(action.drift.as_ref());
        PlannedChange {
            node: self.node.clone(),
            phase: self.phase.clone(),
            number: action.number,
            action: action.action.clone(),
            subject: action.subject.clone(),
            certainty: change.map(|change| change.certainty),
            summary: change.map_or("nothing to do".to_owned(), |change| change.summary.clone()),
            diff: change.map(|change| change.diff.clone()).unwrap_or_default(),
            source: action.source.clone(),
            via: action.via.clone(),
            undone: false,
            predicted: self.predicted,
            on_behalf_of: self.on_behalf_of.clone(),
        }
    }

    /// Asks for uploads that may already be on the node: those of changes that only the node can
    /// decide.
    pub(in crate::engine) fn may_be_present(&self) -> Observation {
        let mut wanted = Observation::default();
        let changes = self.actions.iter().filter_map(|action| action.change.as_ref());
        let undecided = changes.filter(|change| change.certainty == Certainty::May);
        for upload in undecided.flat_map(|change| &change.uploads) {
            if let Some(path) = &upload.path {
                wanted.content(path, &upload.digest);
            }
        }
        wanted
    }

    /// Records which content of [`may_be_present`](Self::may_be_present) was found.
    pub(in crate::engine) fn set_present(&mut self, wanted: Observation, found: &NodeState) {
        let expected = wanted
            .files
            .into_iter()
            .filter_map(|(path, question)| Some((path, question.text_unless?)));
        let is_there = |(path, digest): &(String, String)| match found.file(path) {
            Known::Known(FileState::File { digest: found, .. }) => found.as_ref() == Some(digest),
            _ => false,
        };
        self.present =
            expected.filter(is_there).map(|(path, digest)| Present { path, digest }).collect();
    }

    /// An error in the phase.
    pub(in crate::engine) fn error(&self, message: impl Into<String>) -> NodeError {
        NodeError { phase: Some(self.phase.clone()), ..NodeError::new(message) }
    }
}

impl PlannedAction {
    /// A label for a line of output: `remote_file /etc/motd`.
    pub fn label(&self) -> String {
        format!("{} {}", self.action, self.subject)
    }

    /// An error in this action.
    pub(in crate::engine) fn error(
        &self,
        phase: &str,
        message: String,
        detail: String,
    ) -> NodeError {
        NodeError {
            message,
            phase: Some(phase.to_owned()),
            action: Some(self.label()),
            source: self.source.clone(),
            detail,
        }
    }

    /// A copy without anything that could hold a secret.
    fn without_secrets(&self) -> Self {
        let empty = |change: &Change| Change {
            script: Script::new(),
            uploads: Vec::new(),
            packages: None,
            ..change.clone()
        };
        PlannedAction {
            change: self.change.as_ref().map(empty),
            drift: self.drift.as_ref().map(empty),
            // its digest could give a short one away
            waiting: None,
            withheld: self.change.is_some(),
            ..self.clone()
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
