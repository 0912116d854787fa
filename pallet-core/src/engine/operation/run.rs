//! Configures nodes: the nodes and the phases of an operation.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::budget::Budget;
use super::delegates::Delegates;
use super::division::GroupedNode;
use super::event::Event;
use super::limits::budgets;
use super::member::Member;
use super::options::{LiftOptions, Mode, PhaseChoice, Resume, RolloutOptions};
use super::outcome::{NodeResult, Outcome};
use super::roles::Role;
use super::schedule::in_parallel;
use super::tags::Tags;
use super::turns::Turns;
use crate::engine::declare::{Considered, Placeholders};
use crate::engine::predicted::PredictedNode;
use crate::engine::spec::{AUTOMATIC, BOOTSTRAP, merge_order};
use crate::engine::{Engine, EngineError, GroupSpec, Phase};
use crate::model::{Node, natural};

/// The purpose of configuring nodes.
#[derive(Debug, Default)]
pub(in crate::engine) enum Purpose {
    /// A lift.
    #[default]
    Lift,
    /// A converge: `bootstrap` runs first on nodes where it never ran.
    Converge {
        /// The IDs of nodes that were just created or started.
        fresh: BTreeSet<String>,
    },
    /// A dry run of a converge.
    DryConverge {
        /// Nodes that would be created.
        predicted: Vec<(PredictedNode, Arc<GroupSpec>)>,
    },
    /// A phase of a group itself, on this machine: runs only the named phases.
    Group,
    /// Nodes that are about to be destroyed: nothing else than the named phases and `settings`.
    Leaving,
    /// An explanation, possibly of nodes that do not exist.
    Explain {
        /// The predicted nodes.
        predicted: Vec<(PredictedNode, Arc<GroupSpec>)>,
        /// Explain `bootstrap` too.
        bootstrap: bool,
    },
}

/// The phases of an operation on its nodes.
pub(in crate::engine) struct Operation {
    pub(in crate::engine) engine: Arc<Engine>,
    pub(in crate::engine) members: Vec<Member>,
    /// The project's other nodes, which functions see.
    pub(super) considered: Vec<Considered>,
    /// Why settings of those are unknown, with the names of the nodes.
    pub(super) unknown_settings: BTreeMap<String, Vec<String>>,
    pub(super) phases: Vec<PhaseChoice>,
    /// No phases were named, so each group runs its default phases.
    pub(super) defaults: bool,
    pub(super) bootstrap: bool,
    /// Run only the named phases, not even `settings`.
    pub(super) bare: bool,
    /// The role of each phase.
    pub(super) roles: Vec<Role>,
    pub(super) mode: Mode,
    pub(super) tags: Tags,
    pub(super) placeholders: Placeholders,
    /// Whether nodes are changed in waves, and are recorded as done.
    pub(super) rolls: bool,
    /// What the caller says about the waves.
    pub(super) rollout: RolloutOptions,
    /// Limits how many nodes may fail.
    pub(super) budget: Arc<Budget>,
    pub(super) delegates: Delegates,
    /// Limits how many nodes begin at once, if failures are limited.
    pub(super) turns: Option<Turns>,
    /// The IDs of the nodes that run what must run only once; empty if nothing must.
    pub(super) first: Vec<String>,
    /// The local files that functions read, each with a digest of its content.
    pub(super) files: BTreeMap<String, String>,
    pub(super) resume: Option<Arc<Resume>>,
}

impl Engine {
    /// Runs the phases on these nodes; functions see the others too. Also returns new nodes that
    /// never answered.
    pub(in crate::engine) async fn configure(
        &self,
        nodes: Vec<GroupedNode>,
        others: Vec<GroupedNode>,
        options: &LiftOptions,
        purpose: Purpose,
    ) -> Result<(Outcome, Vec<Node>), EngineError> {
        let mut operation = Operation::new(self, nodes, others, options, purpose);
        operation.warn_of_undefined_phases();
        operation.prepare().await?;
        operation.run().await?;
        let silent = operation
            .members
            .iter()
            .filter(|member| member.silent)
            .map(|member| member.session.node.clone())
            .collect();
        operation.say_goodbye().await?;
        Ok((operation.outcome(options.drift_only), silent))
    }
}

impl Operation {
    pub(in crate::engine) fn new(
        engine: &Engine,
        nodes: Vec<GroupedNode>,
        others: Vec<GroupedNode>,
        options: &LiftOptions,
        purpose: Purpose,
    ) -> Self {
        let bootstrap = matches!(
            purpose,
            Purpose::Converge { .. }
                | Purpose::DryConverge { .. }
                | Purpose::Explain { bootstrap: true, .. }
        );
        let bare = matches!(purpose, Purpose::Group);
        let tags = match purpose {
            Purpose::Group | Purpose::Leaving => Tags::default(),
            _ => options.tags.clone(),
        };
        let rolls = !matches!(purpose, Purpose::Group | Purpose::Leaving | Purpose::Explain { .. });
        let guarded = !matches!(purpose, Purpose::Group | Purpose::Leaving);
        let mut members: Vec<_> = nodes
            .into_iter()
            .map(|(node, group)| Member::new(engine, node, group, options))
            .collect();
        match purpose {
            Purpose::Converge { fresh } => {
                for member in &mut members {
                    member.fresh = fresh.contains(&member.session.node.id);
                }
            }
            Purpose::DryConverge { predicted } | Purpose::Explain { predicted, .. } => {
                let new = |(node, group)| Member::predicted(engine, node, group, options);
                members.extend(predicted.into_iter().map(new));
            }
            Purpose::Lift | Purpose::Group | Purpose::Leaving => {}
        }
        members.sort_by_cached_key(|member| natural(member.name()));
        let defaults = options.phases.is_empty();
        let phases = if defaults {
            default_phases(members.iter().map(|member| member.group.as_ref()))
        } else {
            options.phases.clone()
        };
        let considered: Vec<_> =
            others.into_iter().map(|(node, group)| Considered::new(engine, node, group)).collect();
        let budget = match rolls {
            true => Budget::of(budgets(&members, &options.rollout)),
            false => Budget::of(BTreeMap::new()),
        };
        for member in &mut members {
            member.budget = budget.of_group(&member.group.name);
        }
        let turns = members
            .iter()
            .any(|member| member.budget.is_some())
            .then(|| Turns::of(options.parallel));
        let delegates = Delegates::among(
            members
                .iter()
                .map(|member| {
                    let predicted = member.planner.facts();
                    let predicted = predicted.filter(|_| member.planner.is_predicted());
                    (&member.session.node, &member.group, predicted)
                })
                .chain(considered.iter().map(|other| (&other.node, &other.group, None))),
            options,
        );
        let mut operation = Operation {
            engine: Arc::new(engine.limited(members.len(), options.parallel)),
            members,
            considered,
            unknown_settings: BTreeMap::new(),
            phases,
            defaults,
            bootstrap,
            bare,
            roles: Vec::new(),
            mode: Mode::of(options),
            tags,
            placeholders: Placeholders::default(),
            rolls,
            rollout: options.rollout.clone(),
            budget,
            delegates,
            turns,
            first: Vec::new(),
            files: BTreeMap::new(),
            resume: options.resume.clone().filter(|_| rolls),
        };
        operation.assign_roles(guarded);
        // a killed converge may have left new nodes that were not contacted yet
        let never_heard: Vec<_> = operation
            .members
            .iter()
            .map(|member| member.session.node.taggable && operation.will_bootstrap(member))
            .collect();
        for (member, never_heard) in operation.members.iter_mut().zip(never_heard) {
            member.fresh |= never_heard && !member.planner.is_predicted();
        }
        operation.take_up();
        operation
    }

    /// Sets what to do with actions whose arguments contain secrets.
    pub(in crate::engine) fn with_placeholders(mut self, placeholders: Placeholders) -> Self {
        self.placeholders = placeholders;
        self
    }

    /// The group's own `bootstrap`, or the default one for nodes that Pallet created (those whose
    /// provider keeps tags).
    pub(super) fn bootstrap_of(&self, member: &Member) -> Option<Phase> {
        let own = member.group.server.phases.get(BOOTSTRAP);
        let taggable = member.session.node.taggable;
        own.or(self.engine.default_bootstrap.as_ref().filter(|_| taggable)).cloned()
    }

    pub(super) fn will_bootstrap(&self, member: &Member) -> bool {
        self.bootstrap && !member.session.is_bootstrapped() && self.bootstrap_of(member).is_some()
    }

    pub(in crate::engine) fn warn_of_undefined_phases(&self) {
        for phase in &self.phases {
            let PhaseChoice::Named(name) = phase else { continue };
            let groups = || self.members.iter().map(|member| &member.group.server.phases);
            if self.members.is_empty() || groups().any(|phases| phases.contains_key(name)) {
                continue;
            }
            let known: BTreeSet<_> = groups().flat_map(|phases| phases.keys()).collect();
            // groups without phases that run by default are not worth a warning
            if self.defaults && known.iter().all(|name| AUTOMATIC.contains(&name.as_str())) {
                continue;
            }
            let known: Vec<_> = known.into_iter().map(String::as_str).collect();
            let there = match known.is_empty() {
                true => ", or any other".to_owned(),
                false => format!("; there are: {}", known.join(", ")),
            };
            let message = format!("no group of these nodes has the phase {name}{there}");
            self.engine.tell(Event::Warning { node: None, message });
        }
    }

    /// Does some work on each node that `wanted` selects and that has not ended early, in the order
    /// of the nodes if there are turns.
    pub(super) async fn each<F>(
        &mut self,
        wanted: impl Fn(&Member) -> bool,
        turns: Option<Turns>,
        work: impl Fn(Arc<Engine>, Member) -> F + Send + Sync + 'static,
    ) -> Result<(), EngineError>
    where
        F: Future<Output = Member> + Send + 'static,
    {
        let wanted: Vec<_> =
            self.members.iter().map(|member| !member.has_ended() && wanted(member)).collect();
        let (mut at_work, mut resting) = (Vec::new(), Vec::new());
        for (member, wanted) in std::mem::take(&mut self.members).into_iter().zip(&wanted) {
            if *wanted { at_work.push(member) } else { resting.push(member) }
        }
        let work = Arc::new(work);
        let done = in_parallel(&self.engine, at_work, move |engine, mut member| {
            let (work, turn) = (work.clone(), turns.as_ref().map(Turns::join));
            async move {
                // whoever waits for a turn has not begun when the budget is spent
                let _turn = match turn {
                    Some(turn) => turn.await,
                    None => None,
                };
                if engine.cancel.is_cancelled() {
                    member.stop(&engine);
                    return member;
                }
                work(engine, member).await
            }
        });
        let (mut done, mut resting) = (done.await?.into_iter(), resting.into_iter());
        let next = |wanted| if wanted { done.next() } else { resting.next() };
        self.members = wanted.into_iter().filter_map(next).collect();
        Ok(())
    }

    /// Gives connections back, including those of failed nodes (a failed node's connection is still
    /// good), and closes those that are not kept.
    async fn say_goodbye(&mut self) -> Result<(), EngineError> {
        let engine = self.engine.clone();
        let mut transports = Vec::new();
        for member in &mut self.members {
            member.session.give_back(&engine);
            transports.extend(member.session.take_transport().filter(|_| !member.has_ended()));
        }
        for delegate in self.delegates.take() {
            let mut delegate = delegate.lock().await;
            delegate.session.give_back(&engine);
            transports.extend(delegate.session.take_transport());
        }
        in_parallel(&engine, transports, |_, mut transport| async move { transport.close().await })
            .await
            .map(drop)
    }

    /// The outcome; also reports each node as finished.
    fn outcome(&self, drift_only: bool) -> Outcome {
        // nodes that do not exist yet only appear if they cannot be planned
        let told = self
            .members
            .iter()
            .filter(|member| !member.planner.is_predicted() || member.has_ended())
            .filter(|member| !member.was_done_before());
        let mut outcome = Outcome {
            nodes: told.map(Member::outcome).collect(),
            cancelled: self.engine.cancel.is_cancelled(),
            drift_only,
            ..Outcome::default()
        };
        for node in &mut outcome.nodes {
            if let NodeResult::Failed { error, .. } = &mut node.result {
                error.redact(&self.engine.vault);
            }
            self.engine.tell(Event::NodeFinished {
                node: node.node.clone(),
                group: node.group.clone(),
                result: node.result.clone(),
            });
        }
        outcome
    }
}

/// The default phases of all groups, merged into one order that keeps each group's order.
fn default_phases<'a>(groups: impl Iterator<Item = &'a GroupSpec>) -> Vec<PhaseChoice> {
    let mut order: Vec<String> = Vec::new();
    let mut seen = BTreeSet::new();
    for group in groups.filter(|group| seen.insert(group.name.as_str())) {
        let own = group.default_phases();
        order = merge_order(&order, &own).unwrap_or_else(|_| {
            // conflicting orders cannot both be kept: new phases come last
            let mut order = order.clone();
            order.extend(own.into_iter().filter(|name| !order.contains(name)).collect::<Vec<_>>());
            order
        });
    }
    order.into_iter().map(PhaseChoice::Named).collect()
}
