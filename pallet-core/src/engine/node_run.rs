//! One node in one operation: connect, observe, plan, apply.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::apply::{Frame, cleaning, compile};
use super::connections::Key;
use super::considered::target;
use super::event::{Event, PlannedChange};
use super::explain::ExplainedPhase;
use super::lift::Mode;
use super::node_apply::error_of;
use super::predicted::{PredictedNode, fresh};
use super::{Engine, GroupSpec, LiftOptions, NodeError, NodeOutcome, NodeResult};
use crate::action::{self, Certainty, Declared, Flags, Step};
use crate::model::{Facts, Known, Node, Os, Target, version_is};
use crate::observe::{FileState, NodeState, Observation};
use crate::transport::{Become, Transport};

/// The file on a node that says that it was bootstrapped, where its provider keeps no tags.
const BOOTSTRAPPED: &str = "/var/lib/pallet/bootstrapped";

/// The tag at the provider that says that a node was bootstrapped.
pub const BOOTSTRAPPED_TAG: &str = "pallet-bootstrapped";

/// One node in one operation.
pub(super) struct NodeRun {
    pub(super) node: Node,
    pub(super) group: Arc<GroupSpec>,
    pub(super) transport: Option<Box<dyn Transport>>,
    /// What the transport can be kept for.
    pub(super) kept_as: Option<Key>,
    pub(super) r#become: Become,
    /// What is being done on the node, for messages.
    pub(super) step: String,
    /// Known, or guessed and not yet confirmed: remembered from an earlier run, or those of another
    /// node.
    pub(super) facts: Option<Facts>,
    pub(super) confirmed: bool,
    remembered: bool,
    observed: Observation,
    pub(super) state: Option<NodeState>,
    /// The state was changed by an apply, so what it does not know is worth asking again.
    stale: bool,
    pub(super) flags: Flags,
    /// What is declared for the node, by phase.
    pub(super) declared: Vec<(String, Vec<Declared>)>,
    pub(super) changes: usize,
    /// How much was changed by hand and kept.
    pub(super) drifted: usize,
    overwrite_changes: bool,
    /// Ask for what Pallet recorded on the node.
    records: bool,
    /// It was just made or started: it may take a while until it answers.
    pub(super) fresh: bool,
    /// It was waited for, and never answered.
    pub(super) silent: bool,
    /// It does not exist yet.
    pub(super) predicted: bool,
    /// What was explained so far, phase by phase; `None`: nothing is to be.
    pub(super) explained: Option<Vec<ExplainedPhase>>,
    /// There are temporary entries on it, of runs that were killed or go on.
    leftovers: bool,
    error: Option<NodeError>,
}

impl NodeRun {
    pub(super) fn new(
        engine: &Engine,
        node: Node,
        group: Arc<GroupSpec>,
        options: &LiftOptions,
    ) -> Self {
        let facts =
            engine.facts_cache.as_ref().and_then(|cache| cache.get(&engine.project, &node.id));
        NodeRun {
            node,
            group,
            transport: None,
            kept_as: None,
            r#become: Become::Login,
            step: "reaching it".to_owned(),
            remembered: facts.is_some(),
            facts,
            confirmed: false,
            observed: Observation::default(),
            state: None,
            stale: false,
            flags: Flags::new(),
            declared: Vec::new(),
            changes: 0,
            drifted: 0,
            overwrite_changes: options.overwrite_changes,
            records: options.drift_only,
            fresh: false,
            silent: false,
            predicted: false,
            explained: None,
            leftovers: false,
            error: None,
        }
    }

    /// A node that does not exist yet.
    pub(super) fn predicted(
        engine: &Engine,
        node: PredictedNode,
        group: Arc<GroupSpec>,
        options: &LiftOptions,
    ) -> Self {
        NodeRun {
            facts: Some(node.facts),
            confirmed: true,
            predicted: true,
            ..NodeRun::new(engine, node.node, group, options)
        }
    }

    /// Takes what was declared for the node.
    pub(super) fn take(&mut self, declared: Vec<(String, Vec<Declared>)>) {
        self.declared = declared;
        if let (true, Some(facts)) = (self.predicted, &self.facts) {
            let wanted = self.wanted();
            self.state = Some(fresh(facts.os.clone(), &wanted));
            self.observed = wanted;
        }
    }

    pub(super) fn error(&self) -> Option<&NodeError> {
        self.error.as_ref()
    }

    pub(super) fn failed(&self) -> bool {
        self.error.is_some()
    }

    pub(super) fn fail(&mut self, error: NodeError) {
        self.error.get_or_insert(error);
    }

    /// The node as phase functions see it, once its facts are known.
    pub(super) fn target(&self) -> Option<Target> {
        Some(target(&self.node, &self.group, self.facts.as_ref()?.os.clone()))
    }

    pub(super) fn bootstrapped(&self) -> bool {
        match self.node.taggable {
            true => self.node.tags.contains_key(BOOTSTRAPPED_TAG),
            false => self.facts.as_ref().is_some_and(|facts| facts.bootstrapped),
        }
    }

    /// Takes another node's facts for its own until it is asked.
    pub(super) fn guess(&mut self, facts: &Facts) {
        self.facts = Some(Facts { pending_flags: Vec::new(), ..facts.clone() });
    }

    /// All that the declared actions want to know.
    fn wanted(&self) -> Observation {
        let asked = action::observation(self.declared.iter().flat_map(|(_, declared)| declared));
        Observation { records: self.records, ..asked }
    }

    /// Asks the node what the declared actions want to know, and its facts.
    pub(super) async fn observe(&mut self, engine: &Engine) {
        self.observe_what(engine, self.wanted()).await;
    }

    async fn observe_what(&mut self, engine: &Engine, wanted: Observation) {
        match self.ask(engine, &wanted).await {
            Ok(mut observed) => {
                observed.state.overwrite_changes = self.overwrite_changes;
                if (!self.remembered || self.facts.as_ref() != Some(&observed.facts))
                    && let Some(cache) = &engine.facts_cache
                {
                    cache.put(&engine.project, &self.node.id, &observed.facts);
                    self.remembered = true;
                }
                if !self.confirmed {
                    self.flags.extend(
                        observed
                            .facts
                            .pending_flags
                            .iter()
                            .map(|flag| (flag.clone(), Certainty::Will)),
                    );
                    self.warn_of_wrong_claims(engine, &observed.facts.os);
                }
                self.leftovers = observed.leftovers;
                self.facts = Some(observed.facts);
                self.confirmed = true;
                self.observed.extend(wanted);
                match &mut self.state {
                    Some(state) => state.learn(observed.state),
                    None => self.state = Some(observed.state),
                }
                self.stale = false;
            }
            Err(error) => self.fail(error),
        }
    }

    /// What is found on a node overrides what its provider says of it.
    fn warn_of_wrong_claims(&self, engine: &Engine, found: &Os) {
        let Some(claimed) = &self.node.os else { return };
        let version = claimed.version.is_empty()
            || found.version.is_empty()
            || version_is(&claimed.version, &found.version);
        let arch = claimed.arch.is_empty() || claimed.arch == found.arch;
        if claimed.id != found.id || !version || !arch {
            let message = format!(
                "its provider says that it is {claimed}; it is {found}, and is \
                configured as that"
            );
            engine.tell(Event::Warning { node: Some(self.node.name.clone()), message });
        }
    }

    /// Whether the declared actions want to know something that was not asked.
    pub(super) fn wants_more(&self) -> bool {
        let mut all = self.observed.clone();
        all.extend(self.wanted());
        all != self.observed
    }

    /// One phase: plan it over what is known, and make the changes unless this is a dry run.
    pub(super) async fn phase(&mut self, engine: &Engine, position: usize, mode: Mode, mark: bool) {
        let Some((phase, declared)) = self
            .declared
            .get_mut(position)
            .map(|(phase, declared)| (phase.clone(), std::mem::take(declared)))
        else {
            return;
        };
        if declared.is_empty() && !mark {
            return;
        }
        if self.explained.is_some() {
            return self.explain_phase(engine, position, &phase, declared).await;
        }
        if self.stale && mode == Mode::Apply {
            // what the changes so far made unknown can be known now
            self.observe_what(engine, action::observation(&declared)).await;
        }
        if !self.failed() {
            self.plan_and_apply(engine, position, &phase, &declared, mode, mark).await;
        }
    }

    async fn plan_and_apply(
        &mut self,
        engine: &Engine,
        position: usize,
        phase: &str,
        declared: &[Declared],
        mode: Mode,
        mark: bool,
    ) {
        self.step = format!("phase {phase}");
        engine.tell(Event::PhaseStarted {
            node: self.node.name.clone(),
            phase: phase.to_owned(),
            actions: declared.len(),
        });
        let Some(state) = &self.state else { return };
        let mut predicted = state.clone();
        let flags_before = self.flags.clone();
        let steps = match action::plan(
            declared,
            &mut predicted,
            &mut self.flags,
            mode == Mode::DriftOnly,
        ) {
            Ok(steps) => steps,
            Err((index, error)) => {
                self.fail(error_of(phase, &declared[index], error.to_string(), String::new()));
                return;
            }
        };
        self.tell_steps(engine, phase, declared, &steps, mode);
        let changing = steps.iter().filter(|step| step.change.is_some()).count();
        if mode != Mode::Apply {
            self.changes += if mode == Mode::DryRun { changing } else { 0 };
            self.state = Some(predicted);
            return;
        }
        let mark_on_node = mark && !self.node.taggable;
        if changing == 0 && !mark_on_node {
            if std::mem::take(&mut self.leftovers) {
                // they are no part of what was asked for, so what becomes of it is nobody's failure
                drop(
                    self.run(engine, &cleaning(&engine.library, &predicted.user), &mut |_, _| {})
                        .await,
                );
            }
            self.state = Some(predicted);
            return;
        }
        let also = if mark_on_node {
            format!("mkdir -p /var/lib/pallet && : > {BOOTSTRAPPED}")
        } else {
            String::new()
        };
        let token = token();
        let later = self.flags_after(position);
        let present = self.present(engine, &steps).await;
        let frame = Frame {
            token: &token,
            phase,
            flags: &flags_before,
            later: &later,
            os: &predicted.os,
            user: &predicted.user,
            present: &present,
            library: &engine.library,
            also: &also,
            leftovers: std::mem::take(&mut self.leftovers),
        };
        match compile(declared, &steps, &frame) {
            Ok(compiled) => self.apply(engine, phase, declared, &steps, &compiled, &token).await,
            Err(error) => self.fail(NodeError {
                phase: Some(phase.to_owned()),
                ..NodeError::new(error.to_string())
            }),
        }
        self.state = Some(predicted);
        self.stale = true;
    }

    /// The flags that phases after this one look at.
    pub(super) fn flags_after(&self, position: usize) -> BTreeSet<String> {
        let later = self.declared.iter().skip(position + 1).flat_map(|(_, declared)| declared);
        later.filter_map(|declared| declared.options.if_flag.clone()).collect()
    }

    /// The uploads of changes that are decided on the node that stand there already, each with its
    /// path. It is asked only where there are any.
    pub(super) async fn present(
        &mut self,
        engine: &Engine,
        steps: &[Step],
    ) -> Vec<(String, String)> {
        let mut wanted = Observation::default();
        let changes = steps
            .iter()
            .filter_map(|step| step.change.as_ref())
            .filter(|change| change.certainty == Certainty::May);
        for upload in changes.flat_map(|change| &change.uploads) {
            if let Some(path) = &upload.path {
                wanted.content(path, &upload.digest);
            }
        }
        if wanted.files.is_empty() {
            return Vec::new();
        }
        let Ok(observed) = self.ask(engine, &wanted).await else { return Vec::new() };
        let expected = wanted
            .files
            .into_iter()
            .filter_map(|(path, question)| Some((path, question.text_unless?)));
        expected
            .filter(|(path, expected)| match observed.state.file(path) {
                Known::Known(FileState::File { digest, .. }) => digest.as_ref() == Some(expected),
                _ => false,
            })
            .collect()
    }

    fn tell_steps(
        &mut self,
        engine: &Engine,
        phase: &str,
        declared: &[Declared],
        steps: &[Step],
        mode: Mode,
    ) {
        for step in steps {
            let declared = &declared[step.index];
            let mut change = self.describe(phase, declared, step);
            // what was applied just so, and would be changed now, was changed by somebody else
            let undone = mode == Mode::DriftOnly
                && change.certainty == Some(Certainty::Will)
                && step.settles
                && self.state.as_ref().is_some_and(|state| state.applied(&declared.mark()));
            match (mode, change.certainty) {
                _ if undone || step.drift.is_some() => {
                    change.certainty = Some(Certainty::Drifted);
                    change.undone = step.drift.is_none();
                    self.drifted += 1;
                    engine.tell(Event::Drift(change));
                }
                (Mode::DryRun, Some(_)) => engine.tell(Event::Planned(change)),
                (_, None) => engine.tell(Event::Action { change, changed: false }),
                (Mode::Apply | Mode::DriftOnly, Some(_)) => {}
            }
        }
    }

    pub(super) fn describe(&self, phase: &str, declared: &Declared, step: &Step) -> PlannedChange {
        let change = step.change.as_ref().or(step.drift.as_ref());
        PlannedChange {
            node: self.node.name.clone(),
            phase: phase.to_owned(),
            action: declared.action.name().to_owned(),
            subject: declared.subject(),
            certainty: change.map(|change| change.certainty),
            summary: change.map_or("nothing to do".to_owned(), |change| change.summary.clone()),
            diff: match change {
                Some(change)
                    if !change.diff.is_empty()
                        && (declared.secret.is_some() || self.holds_secret(declared)) =>
                {
                    "  (it holds secrets, so the difference is not shown)\n".to_owned()
                }
                Some(change) => change.diff.clone(),
                None => String::new(),
            },
            source: declared.source.clone(),
            via: declared.via.clone(),
            undone: false,
            predicted: self.predicted,
        }
    }

    /// Whether a file that the action looks at was written with secrets in it, now or before: what
    /// it holds still is not shown.
    pub(super) fn holds_secret(&self, declared: &Declared) -> bool {
        let mut wanted = Observation::default();
        declared.action.observe(&mut wanted);
        self.state
            .as_ref()
            .is_some_and(|state| wanted.files.keys().any(|path| state.holds_secret(path)))
    }

    pub(super) fn outcome(&self) -> NodeOutcome {
        let result = match (&self.error, self.changes) {
            (Some(error), changes) => NodeResult::Failed { changes, error: error.clone() },
            (None, 0) => NodeResult::Unchanged,
            (None, changes) => NodeResult::Changed { changes },
        };
        NodeOutcome {
            node: self.node.name.clone(),
            group: self.group.name.clone(),
            drifted: self.drifted,
            result,
        }
    }
}

/// A word that no command prints by chance.
pub(super) fn token() -> String {
    use std::hash::{BuildHasher, Hasher};
    // each RandomState is seeded from the system's randomness
    let random = |salt| {
        let mut hasher = std::collections::hash_map::RandomState::new().build_hasher();
        hasher.write_u64(salt);
        hasher.finish()
    };
    format!("pallet-{:016x}{:016x}", random(1), random(2))
}
