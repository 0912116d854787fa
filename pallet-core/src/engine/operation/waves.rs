//! Waves: which nodes are changed when, and when nothing new begins.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::event::{Event, PhaseNodes};
use super::member::Member;
use super::options::{Mode, NextWave};
use super::phase::Step;
use super::run::Operation;
use super::schedule::Schedule;
use crate::engine::node::BOOTSTRAPPED_TAG;
use crate::engine::spec::DRAIN;
use crate::engine::{Engine, EngineError, NodeError};
use crate::model::Node;

impl Operation {
    /// Runs all phases on all nodes, wave by wave.
    pub(super) async fn run(&mut self) -> Result<(), EngineError> {
        if self.mode != Mode::Apply {
            let all = self.members.iter().flat_map(|member| member.planner.declared());
            self.delegates.expect(all.flat_map(|(_, declared)| declared));
        }
        let schedule = Schedule::of(self.waves(), self.roles.len());
        self.tell_phases();
        let waves = schedule.waves().len();
        for (number, wave) in schedule.waves().iter().enumerate() {
            self.leave_out_without_first(&schedule.waves()[number..]);
            let why = self.why_not(number, waves, wave).await?;
            let stopped = number > 0 && self.engine.cancel.is_cancelled();
            if stopped || why.is_some() {
                let engine = self.engine.clone();
                for position in schedule.waves()[number..].iter().flatten() {
                    let member = &mut self.members[*position];
                    match why.as_ref().filter(|_| !stopped) {
                        Some(why) => member.leave_out(why),
                        None => member.stop(&engine),
                    }
                }
                break;
            }
            let tells = waves > 1 && !wave.iter().all(|at| self.members[*at].was_done_before());
            if tells {
                let (wave, nodes) = (number + 1, self.names(wave));
                self.engine.tell(Event::WaveStarted { wave, waves, nodes });
            }
            for phase in schedule.phases() {
                self.phase(wave, phase).await?;
            }
            let failed = self.end_wave(wave);
            if tells {
                self.engine.tell(Event::WaveFinished { wave: number + 1, waves, failed });
            }
        }
        Ok(())
    }

    /// Tells which phases follow. Whether a node is drained is not decided yet.
    fn tell_phases(&self) {
        let open = || self.members.iter().filter(|member| !member.has_ended());
        let mut phases: Vec<PhaseNodes> = Vec::new();
        for position in 0..self.roles.len() {
            let declared = open().filter_map(|member| member.planner.declared().get(position));
            let declared: Vec<_> = declared.filter(|(_, actions)| !actions.is_empty()).collect();
            if let Some((phase, _)) = declared.first() {
                phases.push(PhaseNodes { phase: phase.clone(), nodes: declared.len() });
            }
        }
        self.engine.tell(Event::Phases { phases });
    }

    /// Leaves out the nodes of these waves whose group needs something to run once, if the node on
    /// which it was to run failed.
    fn leave_out_without_first(&mut self, waves: &[Vec<usize>]) {
        let failed = self.members.iter().filter(|member| {
            member.error().is_some() && self.first.contains(&member.session.node.id)
        });
        let failed: BTreeMap<String, String> =
            failed.map(|member| (member.group.name.clone(), member.name().to_owned())).collect();
        if self.mode != Mode::Apply || failed.is_empty() {
            return;
        }
        for position in waves.iter().flatten() {
            let member = &mut self.members[*position];
            if let Some(first) = failed.get(&member.group.name) {
                let group = &member.group.name;
                let why =
                    format!("{first} failed, which runs what must run once for group {group}");
                member.leave_out(&why);
            }
        }
    }

    /// The positions of the nodes of each wave: those of each group's waves, side by side.
    fn waves(&self) -> Vec<Vec<usize>> {
        let all = || vec![(0..self.members.len()).collect::<Vec<_>>()];
        if !self.rolls {
            return all();
        }
        let mut of_group: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (position, member) in self.members.iter().enumerate() {
            of_group.entry(&member.group.name).or_default().push(position);
        }
        let mut waves: Vec<Vec<usize>> = Vec::new();
        for positions in of_group.into_values() {
            let rollout = self.rollout.of(&self.members[positions[0]].group);
            let sizes = match &rollout.waves {
                Some(waves) => waves.sizes(positions.len()),
                None => vec![positions.len()],
            };
            let mut rest = positions.into_iter();
            for (number, size) in sizes.into_iter().enumerate() {
                if waves.len() <= number {
                    waves.push(Vec::new());
                }
                waves[number].extend(rest.by_ref().take(size));
            }
        }
        waves.iter_mut().for_each(|wave| wave.sort_unstable());
        if waves.is_empty() { all() } else { waves }
    }

    /// Waits until a wave may begin, and asks its nodes again if another one was before it. Returns
    /// why it may not begin.
    async fn why_not(
        &mut self,
        number: usize,
        waves: usize,
        wave: &[usize],
    ) -> Result<Option<String>, EngineError> {
        let spent = |operation: &Operation| operation.budget.spent().map(str::to_owned);
        let open = wave.iter().any(|position| !self.members[*position].has_ended());
        let resting = number == 0 || self.mode != Mode::Apply || !open;
        if let Some(why) = spent(self).filter(|_| self.mode == Mode::Apply) {
            return Ok(Some(why));
        }
        if resting || self.engine.cancel.is_cancelled() {
            return Ok(None);
        }
        let changed = self.members.iter().any(|member| member.touched);
        let pause =
            wave.iter().map(|position| self.rollout.of(&self.members[*position].group).pause);
        self.pause(pause.max().filter(|_| changed).unwrap_or_default()).await;
        if changed && !self.confirm(number, waves, wave).await? {
            return Ok(Some(format!("you did not confirm wave {} of {waves}", number + 1)));
        }
        // it may be long ago that they were asked
        let ids: BTreeSet<_> =
            wave.iter().map(|position| self.members[*position].session.node.id.clone()).collect();
        self.observe(|member| ids.contains(&member.session.node.id)).await?;
        Ok(spent(self))
    }

    async fn pause(&self, time: Duration) {
        if time.is_zero() {
            return;
        }
        let message =
            format!("pausing for {} before the next wave", humantime::format_duration(time));
        let level = "info".to_owned();
        self.engine.tell(Event::Message { node: None, level, message });
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            () = self.engine.cancel.cancelled() => {}
        }
    }

    /// Asks whether the next wave may begin, if somebody is to be asked.
    async fn confirm(
        &self,
        number: usize,
        waves: usize,
        wave: &[usize],
    ) -> Result<bool, EngineError> {
        let Some(confirm) = self.rollout.confirm.clone() else { return Ok(true) };
        if self.engine.cancel.is_cancelled() {
            return Ok(true);
        }
        let failed = self.members.iter().filter(|member| member.error().is_some()).count();
        let next = NextWave { wave: number + 1, waves, nodes: self.names(wave), failed };
        let cancel = self.engine.cancel.clone();
        let ask = move || confirm.ask(&next, &|| cancel.is_cancelled());
        tokio::task::spawn_blocking(ask).await.map_err(|error| EngineError::Task(error.to_string()))
    }

    /// Records the nodes of a wave that are done, and returns those that failed.
    fn end_wave(&self, wave: &[usize]) -> Vec<String> {
        let mut failed = Vec::new();
        for member in wave.iter().map(|position| &self.members[*position]) {
            let node = member.name().to_owned();
            if let Some(error) = member.error() {
                if member.drained && self.mode == Mode::Apply {
                    let message = match error.phase.as_deref() {
                        Some(DRAIN) => {
                            "its phase drain failed, so it may still be in service; lift it again"
                        }
                        _ => {
                            "it stays out of service (drained); mend it and lift it again, or run \
                             its phase undrain"
                        }
                    };
                    let message = message.to_owned();
                    self.engine.tell(Event::Warning { node: Some(node.clone()), message });
                }
                failed.push(node);
            } else if self.rolls
                && self.mode == Mode::Apply
                && (!member.has_ended() || member.was_done_before())
            {
                let Node { id, connection, .. } = &member.session.node;
                let (id, address) = (id.clone(), connection.address());
                self.engine.tell(Event::NodeDone { node, id, address });
            }
        }
        failed
    }

    fn names(&self, wave: &[usize]) -> Vec<String> {
        wave.iter().map(|position| self.members[*position].name().to_owned()).collect()
    }

    /// Runs one phase on the nodes of a wave.
    async fn phase(&mut self, wave: &[usize], position: usize) -> Result<(), EngineError> {
        let mode = self.mode;
        let bootstraps = self.bootstrap && position == 1 && mode == Mode::Apply;
        let marked = |member: &&Member| bootstraps && self.will_bootstrap(member);
        let id = |member: &Member| member.session.node.id.clone();
        let marked: Arc<BTreeSet<_>> =
            Arc::new(self.members.iter().filter(marked).map(id).collect());
        let wave: BTreeSet<_> =
            wave.iter().filter_map(|at| self.members.get(*at)).map(id).collect();
        let step = Step {
            position,
            role: self.roles[position],
            mode,
            deciding: self.deciding(),
            delegates: self.delegates.clone(),
        };
        self.each(
            |member| wave.contains(&member.session.node.id),
            self.turns.clone(),
            move |engine, mut member| {
                let mark = marked.contains(&member.session.node.id);
                let step = step.clone();
                async move {
                    member.step(&engine, &step, mark).await;
                    if mark && !member.has_ended() && member.session.node.taggable {
                        tag_as_bootstrapped(&engine, &mut member).await;
                    }
                    member
                }
            },
        )
        .await?;
        if bootstraps {
            self.members.iter().for_each(|member| self.delegates.learn(&member.session.node));
        }
        Ok(())
    }
}

async fn tag_as_bootstrapped(engine: &Engine, member: &mut Member) {
    match engine.tag_node(&member.session.node, BOOTSTRAPPED_TAG, "true").await {
        Ok(()) => member.session.set_bootstrapped().await,
        Err(error) => member.fail(NodeError::new(error.to_string())),
    }
}
