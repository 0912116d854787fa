//! The facts, the known state and the declared actions of a node, from which its phases are
//! planned.

use std::collections::{BTreeMap, BTreeSet};

use super::phase_plan::{PhasePlan, PlanContext, plan_phase};
use crate::action::{self, ActionError, Certainty, Declared, FlagTurn, Flags};
use crate::engine::FactSpec;
use crate::engine::predicted::fresh;
use crate::model::{Detail, Facts, Known};
use crate::observe;
use crate::observe::{NodeState, Observation};

/// The facts, the known state and the declared actions of a node.
#[derive(Default)]
pub(in crate::engine) struct Planner {
    /// Unless `confirmed`, a guess: from an earlier run, or from another node.
    facts: Option<Facts>,
    confirmed: bool,
    /// The node does not exist yet.
    predicted: bool,
    /// The project's own facts to ask for.
    fact_specs: BTreeMap<String, FactSpec>,
    /// The other facts that functions want to know.
    details: BTreeSet<Detail>,
    observed: Observation,
    state: Option<NodeState>,
    /// An apply changed the node, so unknown state is worth asking for again.
    stale: bool,
    flags: Flags,
    /// The declared actions, by phase.
    declared: Vec<(String, Vec<Declared>)>,
    /// Overwrite changes made by hand.
    overwrite_changes: bool,
    /// Also ask for the records that Pallet keeps on the node.
    records: bool,
    /// The node has temporary entries of killed or running runs.
    leftovers: bool,
}

impl Planner {
    /// A planner for an existing node, with remembered facts if there are any, and the project's
    /// own facts to ask for.
    pub(in crate::engine) fn new(
        facts: Option<Facts>,
        fact_specs: BTreeMap<String, FactSpec>,
        overwrite_changes: bool,
        records: bool,
    ) -> Self {
        Planner { facts, fact_specs, overwrite_changes, records, ..Planner::default() }
    }

    /// A planner for a node that does not exist yet.
    pub(in crate::engine) fn predicted(facts: Facts) -> Self {
        Planner { facts: Some(facts), confirmed: true, predicted: true, ..Planner::default() }
    }

    pub(in crate::engine) fn facts(&self) -> Option<&Facts> {
        self.facts.as_ref()
    }

    /// What functions want to know of the node besides.
    pub(in crate::engine) fn want_details(&mut self, details: BTreeSet<Detail>) {
        self.details = details;
        // what only a newer Pallet knows never becomes known
        self.details.remove(&Detail::Unknown);
    }

    /// Whether functions want to know what was not asked yet.
    pub(in crate::engine) fn lacks_details(&self) -> bool {
        let known =
            |detail: &Detail| self.facts.as_ref().is_some_and(|facts| facts.details.has(*detail));
        !self.predicted && !self.details.iter().all(known)
    }

    /// Whether functions would see something else than with these facts.
    pub(in crate::engine) fn has_other_facts_than(&self, then: Option<&Facts>) -> bool {
        match (&self.facts, then) {
            (Some(now), Some(then)) => !now.look_like(then, &self.details),
            _ => false,
        }
    }

    /// Whether the node itself reported these facts.
    pub(in crate::engine) fn is_confirmed(&self) -> bool {
        self.confirmed
    }

    pub(in crate::engine) fn is_predicted(&self) -> bool {
        self.predicted
    }

    /// The declared actions, by phase.
    pub(in crate::engine) fn declared(&self) -> &[(String, Vec<Declared>)] {
        &self.declared
    }

    /// Stores the actions that were declared for the node.
    pub(in crate::engine) fn take(&mut self, declared: Vec<(String, Vec<Declared>)>) {
        self.declared = declared;
        if self.predicted {
            self.state = None;
            self.imagine(self.wanted());
        }
    }

    /// Assumes the state of a node that does not exist yet, unless that was done before.
    pub(in crate::engine) fn imagine(&mut self, wanted: Observation) {
        if let (None, Some(facts)) = (&self.state, &self.facts) {
            self.state = Some(fresh(facts.os.clone(), &wanted));
            self.observed = wanted;
        }
    }

    /// Assumes another node's facts until this node is asked.
    pub(in crate::engine) fn guess(&mut self, facts: &Facts) {
        self.facts = Some(Facts { pending_flags: Vec::new(), ..facts.clone() });
    }

    /// All observations that the declared actions need.
    pub(in crate::engine) fn wanted(&self) -> Observation {
        let asked = action::observation(self.own());
        let mut wanted =
            Observation { records: self.records, details: self.details.clone(), ..asked };
        for fact in self.fact_specs.values() {
            wanted.reading(&fact.command);
        }
        wanted
    }

    /// The declared actions that run on this node.
    fn own(&self) -> impl Iterator<Item = &Declared> {
        let all = self.declared.iter().flat_map(|(_, declared)| declared);
        all.filter(|declared| declared.place.is_none())
    }

    /// Whether the declared actions need observations that were not made yet.
    pub(in crate::engine) fn wants_more(&self) -> bool {
        let mut all = self.observed.clone();
        all.extend(self.wanted());
        all != self.observed
    }

    /// Asks for the state again before the next phase is planned.
    pub(in crate::engine) fn look_again(&mut self) {
        self.stale = true;
    }

    /// Whether an interrupted run left this flag on the node.
    pub(in crate::engine) fn has_flag(&self, flag: &str) -> bool {
        self.flags.get(flag).is_some()
    }

    /// Adds what functions wanted to know, and the project's own facts, to the facts that a node
    /// reported.
    pub(in crate::engine) fn complete(
        &self,
        observed: &mut observe::Observed,
    ) -> Result<(), String> {
        let facts = &mut observed.facts;
        if let Some(before) = self.facts.as_ref().filter(|_| self.confirmed) {
            facts.details.learn(before.details.clone());
            facts.own.clone_from(&before.own);
        }
        facts.details.learn(observed.state.details.clone());
        for (name, fact) in &self.fact_specs {
            if let Known::Known(reading) = observed.state.reading(&fact.command) {
                facts.own.insert(name.clone(), fact.read(name, reading)?);
            }
        }
        Ok(())
    }

    /// Stores the node's answer.
    pub(in crate::engine) fn learn(
        &mut self,
        wanted: Observation,
        mut observed: observe::Observed,
    ) {
        observed.state.overwrite_changes = self.overwrite_changes;
        if !self.confirmed {
            let pending = observed.facts.pending_flags.iter();
            pending.for_each(|flag| self.flags.set(flag, Certainty::Will));
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

    /// What to ask for again before a phase is planned, if the node was changed since the last
    /// answer: state that became unknown can be read now.
    pub(in crate::engine) fn stale(&self, declared: &[Declared]) -> Option<Observation> {
        self.stale.then(|| action::observation(declared))
    }

    /// Takes out a phase's name and declared actions: each phase is planned only once.
    pub(in crate::engine) fn phase(&mut self, position: usize) -> Option<(String, Vec<Declared>)> {
        let (phase, declared) = self.declared.get_mut(position)?;
        Some((phase.clone(), std::mem::take(declared)))
    }

    /// The known state and flags, if the node was asked.
    pub(in crate::engine) fn known(&self) -> Option<(NodeState, Flags)> {
        Some((self.state.clone()?, self.flags.clone()))
    }

    /// The inputs of planning the phase at a position.
    pub(in crate::engine) fn context<'a>(
        &self,
        node: &'a str,
        phase: &'a str,
        position: usize,
    ) -> PlanContext<'a> {
        PlanContext {
            node,
            phase,
            predicted: self.predicted,
            later: self.flags_after(position),
            drift: false,
            leftovers: self.leftovers,
            mark_bootstrapped: false,
            continues: false,
            on_behalf_of: None,
        }
    }

    /// Whether a phase among these would change the node, as far as that is known now.
    pub(in crate::engine) fn will_change(&self, positions: impl Iterator<Item = usize>) -> bool {
        let Some((mut state, mut flags)) = self.known() else { return false };
        for position in positions {
            let Some((_, declared)) = self.declared.get(position) else { continue };
            let chunks = declared.chunk_by(|one, next| one.place == next.place);
            for own in chunks.filter(|chunk| chunk[0].place.is_none()) {
                let plan = action::plan(own, &mut state, &mut flags, false);
                // an action that cannot be planned now may be possible after the ones before it
                if plan.map_or(true, |steps| steps.iter().any(|step| step.change.is_some())) {
                    return true;
                }
            }
        }
        false
    }

    /// Plans a phase, and updates the known state to the state after it. `None` if the node was
    /// never asked.
    pub(in crate::engine) fn plan(
        &mut self,
        context: &PlanContext<'_>,
        declared: &[Declared],
    ) -> Option<Result<PhasePlan, (usize, ActionError)>> {
        let state = self.state.as_mut()?;
        Some(plan_phase(context, declared, state, &mut self.flags, &mut |_, _| {}))
    }

    /// Stores the state after a phase that was planned elsewhere.
    pub(in crate::engine) fn set_known(&mut self, state: NodeState, flags: Flags) {
        (self.state, self.flags) = (Some(state), flags);
    }

    /// Whether leftovers must be removed; they count as removed from now on.
    pub(in crate::engine) fn take_leftovers(&mut self) -> bool {
        std::mem::take(&mut self.leftovers)
    }

    /// Records what the actions of an applied plan did about flags.
    pub(in crate::engine) fn applied(&mut self, plan: &PhasePlan, turns: &[FlagTurn]) {
        self.flags.happened(&plan.served, turns);
        self.stale = true;
        self.leftovers = false;
    }

    /// The flags that phases after this one read.
    fn flags_after(&self, position: usize) -> BTreeSet<String> {
        let later = self.declared.iter().skip(position + 1).flat_map(|(_, declared)| declared);
        later.filter_map(|declared| declared.options.if_flag.clone()).collect()
    }
}
