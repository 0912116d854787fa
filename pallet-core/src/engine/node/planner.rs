//! What is known of a node and declared for it, from which its phases are planned.

use std::collections::BTreeSet;

use super::phase_plan::{PhasePlan, PlanContext, plan_phase};
use crate::action::{self, ActionError, Certainty, Declared, Flags};
use crate::engine::predicted::fresh;
use crate::model::Facts;
use crate::observe;
use crate::observe::{NodeState, Observation};

/// What is known of a node and declared for it.
#[derive(Default)]
pub(in crate::engine) struct Planner {
    /// Known, or guessed and not yet confirmed: remembered from an earlier run, or those of another
    /// node.
    facts: Option<Facts>,
    confirmed: bool,
    /// The node does not exist yet.
    predicted: bool,
    observed: Observation,
    state: Option<NodeState>,
    /// The state was changed by an apply, so what it does not know is worth asking again.
    stale: bool,
    flags: Flags,
    /// What is declared for the node, by phase.
    declared: Vec<(String, Vec<Declared>)>,
    /// Replace what was changed by hand.
    overwrite_changes: bool,
    /// Ask for what Pallet recorded on the node.
    records: bool,
    /// There are temporary entries on it, of runs that were killed or go on.
    leftovers: bool,
}

impl Planner {
    /// Of a node whose facts are remembered, or not known.
    pub(in crate::engine) fn new(
        facts: Option<Facts>,
        overwrite_changes: bool,
        records: bool,
    ) -> Self {
        Planner { facts, overwrite_changes, records, ..Planner::default() }
    }

    /// Of a node that does not exist yet.
    pub(in crate::engine) fn predicted(facts: Facts) -> Self {
        Planner { facts: Some(facts), confirmed: true, predicted: true, ..Planner::default() }
    }

    pub(in crate::engine) fn facts(&self) -> Option<&Facts> {
        self.facts.as_ref()
    }

    /// Whether the facts are what the node itself says.
    pub(in crate::engine) fn is_confirmed(&self) -> bool {
        self.confirmed
    }

    pub(in crate::engine) fn is_predicted(&self) -> bool {
        self.predicted
    }

    /// What is declared, by phase.
    pub(in crate::engine) fn declared(&self) -> &[(String, Vec<Declared>)] {
        &self.declared
    }

    /// Takes what was declared for the node.
    pub(in crate::engine) fn take(&mut self, declared: Vec<(String, Vec<Declared>)>) {
        self.declared = declared;
        if let (true, Some(facts)) = (self.predicted, &self.facts) {
            let wanted = self.wanted();
            self.state = Some(fresh(facts.os.clone(), &wanted));
            self.observed = wanted;
        }
    }

    /// Takes another node's facts for its own until it is asked.
    pub(in crate::engine) fn guess(&mut self, facts: &Facts) {
        self.facts = Some(Facts { pending_flags: Vec::new(), ..facts.clone() });
    }

    /// All that the declared actions want to know.
    pub(in crate::engine) fn wanted(&self) -> Observation {
        let asked = action::observation(self.declared.iter().flat_map(|(_, declared)| declared));
        Observation { records: self.records, ..asked }
    }

    /// Whether the declared actions want to know something that was not asked.
    pub(in crate::engine) fn wants_more(&self) -> bool {
        let mut all = self.observed.clone();
        all.extend(self.wanted());
        all != self.observed
    }

    /// Takes what the node answered.
    pub(in crate::engine) fn learn(
        &mut self,
        wanted: Observation,
        mut observed: observe::Observed,
    ) {
        observed.state.overwrite_changes = self.overwrite_changes;
        if !self.confirmed {
            let pending = observed.facts.pending_flags.iter();
            self.flags.extend(pending.map(|flag| (flag.clone(), Certainty::Will)));
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

    /// What to ask again before a phase is planned, if something was changed since the node was
    /// asked: what the changes made unknown can be known then.
    pub(in crate::engine) fn stale(&self, declared: &[Declared]) -> Option<Observation> {
        self.stale.then(|| action::observation(declared))
    }

    /// The name of a phase and what is declared for it. It is taken: a phase is planned once.
    pub(in crate::engine) fn phase(&mut self, position: usize) -> Option<(String, Vec<Declared>)> {
        let (phase, declared) = self.declared.get_mut(position)?;
        Some((phase.clone(), std::mem::take(declared)))
    }

    /// What is known now, if the node was asked.
    pub(in crate::engine) fn known(&self) -> Option<(NodeState, Flags)> {
        Some((self.state.clone()?, self.flags.clone()))
    }

    /// What the phase at a position is planned for.
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
        }
    }

    /// Plans a phase, and brings what is known to what will then be true. `None` if the node was
    /// never asked.
    pub(in crate::engine) fn plan(
        &mut self,
        context: &PlanContext<'_>,
        declared: &[Declared],
    ) -> Option<Result<PhasePlan, (usize, ActionError)>> {
        let state = self.state.as_mut()?;
        Some(plan_phase(context, declared, state, &mut self.flags, &mut |_, _| {}))
    }

    /// Takes what is true after a phase that was planned elsewhere.
    pub(in crate::engine) fn set_known(&mut self, state: NodeState, flags: Flags) {
        (self.state, self.flags) = (Some(state), flags);
    }

    /// The script that removes temporary entries was run, or they are removed by the next one.
    pub(in crate::engine) fn take_leftovers(&mut self) -> bool {
        std::mem::take(&mut self.leftovers)
    }

    /// Takes what became of a plan: which flags were set.
    pub(in crate::engine) fn applied(&mut self, flags: &[(String, bool)]) {
        for (flag, set) in flags {
            // what was only possible is known now
            match set {
                true => {
                    self.flags.insert(flag.clone(), Certainty::Will);
                }
                false if self.flags.get(flag) == Some(&Certainty::May) => {
                    self.flags.remove(flag);
                }
                false => {}
            }
        }
        self.stale = true;
        self.leftovers = false;
    }

    /// The flags that phases after this one look at.
    fn flags_after(&self, position: usize) -> BTreeSet<String> {
        let later = self.declared.iter().skip(position + 1).flat_map(|(_, declared)| declared);
        later.filter_map(|declared| declared.options.if_flag.clone()).collect()
    }
}
