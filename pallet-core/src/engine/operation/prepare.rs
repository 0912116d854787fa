//! The steps before the phases of an operation: reach the nodes, read their facts, declare actions,
//! and make the observations that these need.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::display::counted;
use super::event::Event;
use super::member::Member;
use super::options::Mode;
use super::outcome::NodeError;
use super::roles::Role;
use super::run::Operation;
use super::subjects::subjects;
use crate::action::Declared;
use crate::engine::EngineError;
use crate::engine::declare::{Declarations, declare};
use crate::engine::spec::{BOOTSTRAP, SETTINGS};
use crate::model::NodeStatus;
use crate::plugin::operation::Log;

/// What declaring told.
struct Said {
    /// The functions' messages, each with the name of its node.
    said: Vec<(String, Log)>,
    /// How many actions are left out.
    left_out: usize,
    /// The tags that actions have.
    tags: BTreeSet<String>,
}

/// How often everything is declared again because of what the nodes answered. What functions want
/// to know can depend on what they know.
const ROUNDS: usize = 8;

impl Operation {
    /// Prepares all nodes for planning: reads facts, declares actions, and makes the observations
    /// that these need.
    pub(in crate::engine) async fn prepare(&mut self) -> Result<(), EngineError> {
        for member in &mut self.members {
            let why = match member.session.node.status {
                NodeStatus::Stopped => "the node is stopped; converge starts it",
                NodeStatus::Starting => "the node is still starting; converge waits for it",
                NodeStatus::Running | NodeStatus::Failed | NodeStatus::Unknown => continue,
            };
            member.fail(NodeError::new(why));
        }
        if self.mode == Mode::Apply {
            self.each(
                |member| member.fresh,
                None,
                async move |engine, mut member| {
                    member.wait_for_answer(&engine).await;
                    member
                },
            )
            .await?;
        }
        self.learn_facts().await?;
        let mut said = self.declare().await?;
        for _ in 0..ROUNDS {
            let facts = |member: &Member| member.planner.facts().cloned();
            let remembered: Vec<_> = self.members.iter().map(facts).collect();
            let incomplete = self.lacks_details();
            self.observe(|member| !member.planner.is_confirmed() || member.planner.wants_more())
                .await?;
            // if a node's facts differ from the remembered ones, declare everything again, since
            // the settings of any node may differ too
            let surprised = self
                .members
                .iter()
                .zip(&remembered)
                .any(|(member, then)| member.planner.has_other_facts_than(then.as_ref()));
            if !(surprised || incomplete || self.lost_first()) {
                break;
            }
            said = self.declare().await?;
        }
        self.check_tags(&said)?;
        let Said { said, .. } = said;
        self.check_files()?;
        let (files, first) = (self.files.clone(), self.first.clone());
        if self.mode == Mode::Apply && !(files.is_empty() && first.is_empty()) {
            self.engine.tell(Event::Inputs { files, first });
        }
        self.tell_what_was_said(said);
        self.warn_of_unknown_settings();
        self.warn_of_unset_flags();
        Ok(())
    }

    /// Gets facts for nodes without any, since actions cannot be declared without facts. One node
    /// of each group is asked, while the others connect. The others are assumed to have the same
    /// facts until they are asked.
    async fn learn_facts(&mut self) -> Result<(), EngineError> {
        let unknown = |member: &Member| member.planner.facts().is_none() && !member.has_ended();
        loop {
            let mut first: BTreeMap<String, String> = BTreeMap::new();
            for member in self.members.iter().filter(|member| unknown(member)) {
                first
                    .entry(member.group.name.clone())
                    .or_insert_with(|| member.session.node.id.clone());
            }
            if first.is_empty() {
                return Ok(());
            }
            let asked: Arc<BTreeSet<_>> = Arc::new(first.into_values().collect());
            self.each(unknown, None, move |engine, mut member| {
                let asked = asked.contains(&member.session.node.id);
                async move {
                    match asked {
                        true => member.observe(&engine).await,
                        false => member.reach(&engine).await,
                    }
                    member
                }
            })
            .await?;
            let known = |member: &Member| {
                let facts = member.planner.facts().filter(|_| member.planner.is_confirmed())?;
                Some((member.group.name.clone(), facts.clone()))
            };
            let known: BTreeMap<_, _> = self.members.iter().filter_map(known).collect();
            for member in self.members.iter_mut().filter(|member| unknown(member)) {
                if let Some(facts) = known.get(&member.group.name) {
                    member.planner.guess(facts);
                }
            }
        }
    }

    /// Asks the nodes that `wanted` selects for the observations that their actions need.
    pub(super) async fn observe(
        &mut self,
        wanted: impl Fn(&Member) -> bool,
    ) -> Result<(), EngineError> {
        self.each(
            |member| !member.planner.is_predicted() && wanted(member),
            None,
            async move |engine, mut member| {
                member.observe(&engine).await;
                member
            },
        )
        .await
    }

    /// Runs all phase functions, and stores the declared actions with each node.
    async fn declare(&mut self) -> Result<Said, EngineError> {
        let (positions, subjects) = subjects(self);
        let engine = self.engine.clone();
        let placeholders = self.placeholders;
        let work = tokio::task::spawn_blocking(move || {
            let names: Vec<_> =
                subjects.iter().map(|subject| subject.target.name.clone()).collect();
            (names, declare(&engine, subjects, placeholders))
        });
        let (names, declared) = work.await.map_err(|error| EngineError::Task(error.to_string()))?;
        let Declarations { of_subjects: declarations, said, first, mut details, files } = declared;
        (self.first, self.files) = (first, files);
        for member in &mut self.members {
            let wanted = details.remove(&member.session.node.id).unwrap_or_default();
            member.planner.want_details(wanted);
        }
        // then everything is declared again, with what functions wanted to know
        let incomplete = self.lacks_details();
        self.unknown_settings.clear();
        let (mut left_out, mut known) = (0, BTreeSet::new());
        for ((position, name), declaration) in positions.into_iter().zip(names).zip(declarations) {
            match (position, declaration) {
                (Some(position), Ok(mut declared)) => {
                    if !self.tags.is_all() {
                        left_out += self.leave_out_untagged(&mut declared, &mut known);
                    }
                    self.members[position].planner.take(declared);
                }
                (Some(_), Err(_)) if incomplete => {}
                (Some(position), Err(error)) => self.members[position].fail(error),
                (None, Ok(_)) => {}
                (None, Err(error)) => {
                    self.unknown_settings.entry(error.message).or_default().push(name)
                }
            }
        }
        Ok(Said { said, left_out, tags: known })
    }

    /// Refuses unknown tags, and tells how many actions are left out.
    fn check_tags(&self, said: &Said) -> Result<(), EngineError> {
        // what a function would have declared that failed is not known
        let failed = |member: &Member| member.error().is_some_and(|error| error.phase.is_some());
        if !self.members.iter().any(failed) {
            self.tags.check(&said.tags)?;
        }
        if said.left_out > 0 {
            let actions = counted(said.left_out, "action");
            let message = format!("{actions} left out by --tags or --skip-tags");
            let level = "info".to_owned();
            self.engine.tell(Event::Message { node: None, level, message });
        }
        Ok(())
    }

    /// Whether functions wanted to know of some node what was not asked yet.
    fn lacks_details(&self) -> bool {
        let lacks = |member: &Member| !member.has_ended() && member.planner.lacks_details();
        self.members.iter().any(lacks)
    }

    /// Takes out the actions of a node that are not meant, and returns how many these are.
    fn leave_out_untagged(
        &self,
        declared: &mut [(String, Vec<Declared>)],
        known: &mut BTreeSet<String>,
    ) -> usize {
        let mut left_out = 0;
        for ((phase, declared), role) in declared.iter_mut().zip(&self.roles) {
            let always = [SETTINGS, BOOTSTRAP].contains(&phase.as_str());
            if always || *role != Role::Named {
                continue;
            }
            let before = declared.len();
            known.extend(declared.iter().flat_map(|one| one.tags.iter().cloned()));
            declared.retain(|one| self.tags.keep(one));
            left_out += before - declared.len();
        }
        left_out
    }

    /// Whether a node that was to run what must run only once has failed since.
    fn lost_first(&self) -> bool {
        let lost = |member: &Member| {
            member.has_ended()
                && !member.was_done_before()
                && self.first.contains(&member.session.node.id)
        };
        self.members.iter().any(lost)
    }

    /// Warns about nodes outside the operation whose settings could not be declared.
    fn warn_of_unknown_settings(&self) {
        for (why, nodes) in &self.unknown_settings {
            let others = nodes.len().saturating_sub(1);
            let others = match others {
                0 => String::new(),
                others => format!(" (and those of {others} more)"),
            };
            let message = format!("its settings{others} are unknown to this operation: {why}");
            self.engine.tell(Event::Warning { node: nodes.first().cloned(), message });
        }
    }

    fn tell_what_was_said(&self, said: Vec<(String, Log)>) {
        for (node, log) in said {
            let (node, message) = (Some(node), log.message);
            self.engine.tell(match log.level.as_str() {
                "error" | "warning" => Event::Warning { node, message },
                level => Event::Message { node, level: level.to_owned(), message },
            });
        }
    }

    /// Warns about flags that an action waits for but no action sets: probably a misspelt name.
    fn warn_of_unset_flags(&self) {
        let options = || {
            self.members
                .iter()
                .flat_map(|member| member.planner.declared())
                .flat_map(|(_, declared)| declared)
                .map(|declared| &declared.options)
        };
        let set: BTreeSet<_> =
            options().filter_map(|options| options.flag_on_change.as_ref()).collect();
        let looked_at: BTreeSet<_> =
            options().filter_map(|options| options.if_flag.as_ref()).collect();
        for flag in looked_at.difference(&set) {
            let message = format!(
                "an action waits for the flag {flag}, which no action of these phases sets"
            );
            self.engine.tell(Event::Warning { node: None, message });
        }
    }
}
