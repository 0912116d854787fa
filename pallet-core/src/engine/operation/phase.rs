//! Runs the phases of a node: plans each, and applies it unless this is a dry run.

use std::collections::{BTreeSet, VecDeque};
use std::pin::Pin;

use super::delegates::Delegates;
use super::event::Event;
use super::member::{Member, error_of};
use super::options::Mode;
use super::roles::Role;
use crate::action::{self, Certainty, Declared};
use crate::engine::node::{PhasePlan, PlanContext, apply, cleaning};
use crate::engine::spec::{DRAIN, UNDRAIN};
use crate::engine::{Engine, NodeError};

/// A step of an operation: a phase with its role, and what all nodes share.
#[derive(Clone)]
pub(super) struct Step {
    /// The position of the phase.
    pub(super) position: usize,
    pub(super) role: Role,
    pub(super) mode: Mode,
    /// The positions of the phases that decide whether a node changes.
    pub(super) deciding: std::ops::Range<usize>,
    pub(super) delegates: Delegates,
}

/// A part of a phase, whose actions run at one place.
struct Part<'a> {
    phase: &'a str,
    position: usize,
    mode: Mode,
    declared: Vec<Declared>,
    /// The flags that later parts of the phase read.
    later: BTreeSet<String>,
    /// Another part of the phase ran on this node before.
    continues: bool,
    mark_bootstrapped: bool,
    /// The name and the ID of the node whose phase it is, if it is another one.
    owner: Option<(&'a str, &'a str)>,
}

/// The actions of a phase, part by part.
fn parts_of(declared: Vec<Declared>) -> VecDeque<Vec<Declared>> {
    let mut parts: VecDeque<Vec<Declared>> = VecDeque::new();
    for one in declared {
        match parts.back_mut() {
            Some(part) if part.last().is_some_and(|last| last.goes_on_with(&one)) => part.push(one),
            _ => parts.push_back(vec![one]),
        }
    }
    parts
}

impl Member {
    /// Takes a step, if the node needs it.
    pub(super) async fn step(&mut self, engine: &Engine, step: &Step, mark_bootstrapped: bool) {
        match step.role {
            Role::Named => self.phase(engine, step, mark_bootstrapped).await,
            Role::Drain => self.drain(engine, step).await,
            Role::Health => {
                if step.mode == Mode::Apply
                    && (self.touched || self.drained || self.before.is_some())
                {
                    let changes = self.changes;
                    self.phase(engine, step, false).await;
                    // waiting changes nothing
                    self.changes = changes;
                }
            }
            Role::Undrain => {
                if self.drained {
                    self.phase(engine, step, false).await;
                }
            }
        }
    }

    /// Announces changes of the node. `false`: they may not be made.
    async fn may_begin(
        &mut self,
        engine: &Engine,
        phase: &str,
        actions: usize,
        owner: Option<(&str, &str)>,
    ) -> bool {
        if self.is_too_late() {
            return false;
        }
        let (node, id) = (self.name().to_owned(), self.session.node.id.clone());
        let announced = Event::Applying {
            node,
            id,
            phase: phase.to_owned(),
            actions,
            on_behalf_of: owner.map(|(name, _)| name.to_owned()),
            owner_id: owner.map(|(_, id)| id.to_owned()),
        };
        if let Err(error) = engine.intend(announced).await {
            self.fail(NodeError::new(error.to_string()));
            return false;
        }
        self.touched = true;
        true
    }

    /// Leaves the node out if nothing was done on it yet and too many others failed.
    fn is_too_late(&mut self) -> bool {
        let spent = self.budget.as_ref().and_then(|budget| budget.spent());
        let Some(why) = spent.filter(|_| !self.touched).map(str::to_owned) else { return false };
        self.leave_out(&why);
        true
    }

    /// Runs one phase.
    pub(super) async fn phase(&mut self, engine: &Engine, step: &Step, mark_bootstrapped: bool) {
        let Some((phase, declared)) = self.planner.phase(step.position) else { return };
        if declared.is_empty() && !mark_bootstrapped {
            return;
        }
        self.begun = true;
        self.session.step = format!("phase {phase}");
        let (node, actions) = (self.name().to_owned(), declared.len());
        engine.tell(Event::PhaseStarted { node: node.clone(), phase: phase.clone(), actions });
        let before = self.changes;
        self.parts(engine, step, &phase, declared, mark_bootstrapped).await;
        let (changes, ok) = (self.changes - before, !self.has_ended());
        engine.tell(Event::PhaseFinished { node, phase, changes, ok });
    }

    /// Runs a phase part by part, each at its place.
    async fn parts(
        &mut self,
        engine: &Engine,
        step: &Step,
        phase: &str,
        declared: Vec<Declared>,
        mark_bootstrapped: bool,
    ) {
        if phase == DRAIN && step.mode == Mode::Apply {
            if !self.may_begin(engine, phase, declared.len(), None).await {
                return;
            }
            self.mark_drained(engine, true).await;
        }
        let mut parts = parts_of(declared);
        // the mark of a phase is made on the node itself
        if parts.back().is_none_or(|part| part[0].place.is_some()) && mark_bootstrapped {
            parts.push_back(Vec::new());
        }
        let mut continues = false;
        while let Some(declared) = parts.pop_front() {
            if self.has_ended() {
                return;
            }
            let after = parts.iter().flatten();
            let place = declared.first().and_then(|one| one.place.clone());
            let part = Part {
                phase,
                position: step.position,
                mode: step.mode,
                later: after.filter_map(|one| one.options.if_flag.clone()).collect(),
                declared,
                continues,
                mark_bootstrapped: mark_bootstrapped && parts.is_empty(),
                owner: None,
            };
            match place {
                None => {
                    self.part(engine, part).await;
                    continues = true;
                }
                Some(place) => self.elsewhere(engine, &step.delegates, &place, part).await,
            }
        }
        if phase == UNDRAIN && step.mode == Mode::Apply && !self.has_ended() {
            self.mark_drained(engine, false).await;
        }
    }

    /// Runs the part of a phase that is this node's own.
    async fn part(&mut self, engine: &Engine, mut part: Part<'_>) {
        if part.mode == Mode::Apply
            && let Some(wanted) = self.planner.stale(&part.declared)
        {
            self.ask(engine, wanted).await;
        }
        if self.has_ended() {
            return;
        }
        self.leave_out_done(engine, part.phase, &self.planner, &mut part.declared);
        let name = self.name().to_owned();
        let mut context = PlanContext {
            drift: part.mode == Mode::DriftOnly,
            mark_bootstrapped: part.mark_bootstrapped && !self.session.node.taggable,
            continues: part.continues,
            on_behalf_of: part.owner.map(|(name, _)| name),
            ..self.planner.context(&name, part.phase, part.position)
        };
        context.later.extend(part.later.iter().cloned());
        let Some(plan) = self.plan(&context, &part.declared) else { return };
        self.tell_plan(engine, &plan, part.mode);
        match part.mode {
            Mode::DryRun => self.changes += plan.changing(),
            Mode::DriftOnly => {}
            Mode::Apply if plan.changing() > 0 || plan.mark_bootstrapped => {
                if self.may_begin(engine, part.phase, plan.changing(), part.owner).await {
                    self.apply(engine, plan).await;
                }
            }
            Mode::Apply => self.clean(engine, &plan).await,
        }
    }

    /// Runs a part of a phase on another node, or on this machine.
    fn elsewhere<'a>(
        &'a mut self,
        engine: &'a Engine,
        delegates: &'a Delegates,
        place: &'a str,
        mut part: Part<'a>,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async move {
            if part.mode == Mode::Apply && self.is_too_late() {
                return;
            }
            let (name, id) = (self.name().to_owned(), self.session.node.id.clone());
            let Some(other) = delegates.get(engine, place, &self.group) else {
                let message = format!("phase {} needs a node that is gone: {place}", part.phase);
                return self.fail(NodeError::new(message));
            };
            // one at a time: what one declares there may depend on what another one changed
            let mut other = other.lock().await;
            // what a dry run asks later would not know of the changes that it predicted
            if part.mode == Mode::Apply {
                other.ask(engine, action::observation(&part.declared)).await;
            } else if other.planner.is_predicted() {
                other.planner.imagine(delegates.expected(place));
            } else if !other.planner.is_confirmed() {
                other.ask(engine, delegates.expected(place)).await;
            }
            if !other.has_ended() {
                self.leave_out_done(engine, part.phase, &other.planner, &mut part.declared);
                other.touched = false;
                let part = Part { owner: Some((&name, &id)), continues: true, ..part };
                other.part(engine, part).await;
                if other.touched {
                    self.touched = true;
                    // what changed there may show here
                    self.planner.look_again();
                }
            }
            self.changes += std::mem::take(&mut other.changes);
            self.drifted += std::mem::take(&mut other.drifted);
            if let Some(error) = other.take_error() {
                let message = format!("on {}: {}", other.name(), error.message);
                self.fail(NodeError { message, ..error });
            }
        })
    }

    fn plan(&mut self, context: &PlanContext<'_>, declared: &[Declared]) -> Option<PhasePlan> {
        match self.planner.plan(context, declared)? {
            Ok(plan) => Some(plan),
            Err((position, error)) => {
                self.fail(error_of(context.phase, &declared[position], error.to_string()));
                None
            }
        }
    }

    /// Reports a plan before it is applied: drift, actions with nothing to do, and in a dry run all
    /// changes.
    fn tell_plan(&mut self, engine: &Engine, plan: &PhasePlan, mode: Mode) {
        for action in &plan.actions {
            let mut change = plan.describe(action);
            match (mode, change.certainty) {
                _ if action.undone || action.drift.is_some() => {
                    change.certainty = Some(Certainty::Drifted);
                    change.undone = action.drift.is_none();
                    self.drifted += 1;
                    engine.tell(Event::Drift(change));
                }
                (Mode::DryRun, Some(_)) => engine.tell(Event::Planned(change)),
                (_, None) => engine.tell(Event::Action { change, changed: false }),
                (Mode::Apply | Mode::DriftOnly, Some(_)) => {}
            }
        }
    }

    async fn apply(&mut self, engine: &Engine, mut plan: PhasePlan) {
        self.find_present(engine, &mut plan).await;
        let changing = plan.actions.iter().filter(|action| action.change.is_some());
        let reboot = changing.filter_map(|action| action.reboots.clone()).next();
        let boot_id = match &reboot {
            Some(_) => self.session.boot_id(engine).await,
            None => Ok(String::new()),
        };
        let boot_id = match boot_id {
            Ok(boot_id) => boot_id,
            Err(error) => return self.fail(plan.error(error.to_string())),
        };
        let applied = apply(engine, &mut self.session, &plan).await;
        self.planner.applied(&plan, &applied.turns);
        self.changes += applied.changes;
        self.drifted += applied.drifted;
        if let Some(error) = applied.error {
            self.fail(error);
        } else if let Some(reboot) = reboot.filter(|_| applied.reboots) {
            match self.session.wait_for_reboot(engine, &boot_id, &reboot).await {
                // it ended with the connection
                Ok(()) if self.hold.is_some() => {
                    self.take_hold(engine).await;
                }
                Ok(()) => {}
                Err(why) => {
                    let label = "reboot".to_owned();
                    self.fail(NodeError { action: Some(label), ..plan.error(why) });
                }
            }
        }
    }

    /// Finds out which uploads already exist on the node. Asks only if there may be some.
    pub(in crate::engine) async fn find_present(&mut self, engine: &Engine, plan: &mut PhasePlan) {
        let wanted = plan.may_be_present();
        if !wanted.files.is_empty()
            && let Ok(observed) = self.session.ask(engine, &wanted).await
        {
            plan.set_present(wanted, &observed.state);
        }
    }

    /// Removes temporary entries of killed runs when there is nothing else to apply, and flags that
    /// nobody waits for any more. This is housekeeping, so an error is ignored.
    async fn clean(&mut self, engine: &Engine, plan: &PhasePlan) {
        let spent = plan.spent_flags();
        if self.planner.take_leftovers() || !spent.is_empty() {
            let script = cleaning(&engine.library, &plan.user, &spent);
            let _ = self.session.run(engine, &script, false, &mut |_, _| {}).await;
        }
    }
}
