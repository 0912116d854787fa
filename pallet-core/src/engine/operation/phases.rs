//! The phases of an operation in order, each with its role.

use super::member::Member;
use super::options::{Mode, PhaseChoice};
use super::roles::Role;
use super::run::Operation;
use crate::engine::Phase;
use crate::engine::spec::{BOOTSTRAP, DRAIN, HEALTH, INLINE, SETTINGS, UNDRAIN};

impl Operation {
    /// Decides which phases run, in the order of [`phases_of`](Operation::phases_of). `guarded`:
    /// nodes are drained and checked around their changes.
    pub(super) fn assign_roles(&mut self, guarded: bool) {
        let has = |name: &str| {
            self.members.iter().any(|member| member.group.server.phases.contains_key(name))
        };
        // whoever names one of them wants nothing else than that
        let is_guard = |phase: &PhaseChoice| match phase {
            PhaseChoice::Named(name) => [DRAIN, UNDRAIN].contains(&name.as_str()),
            PhaseChoice::Inline(_) => false,
        };
        let named = self.phases.iter().any(is_guard);
        let guarded = guarded && !named && self.mode != Mode::DriftOnly;
        let checked = self.members.iter().any(|member| health_of(member).is_some());
        let named = self.phases.iter().filter(|phase| !is_settings(phase)).count();
        let mut roles = vec![Role::Named; 1 + usize::from(self.bootstrap)];
        roles.extend((guarded && (has(DRAIN) || has(UNDRAIN))).then_some(Role::Drain));
        roles.extend(std::iter::repeat_n(Role::Named, named));
        roles.extend((guarded && checked).then_some(Role::Health));
        roles.extend((guarded && (has(DRAIN) || has(UNDRAIN))).then_some(Role::Undrain));
        self.roles = roles;
    }

    /// A node's phases in order, each with its functions if the group has it.
    pub(super) fn phases_of(&self, member: &Member) -> Vec<(String, Option<Phase>)> {
        let own = |name: &str| member.group.server.phases.get(name).cloned();
        let has = |role| self.roles.contains(&role);
        let mut phases = vec![(SETTINGS.to_owned(), own(SETTINGS).filter(|_| !self.bare))];
        if self.bootstrap {
            let bootstrap = self.bootstrap_of(member);
            phases.push((
                BOOTSTRAP.to_owned(),
                bootstrap.filter(|_| !member.session.is_bootstrapped()),
            ));
        }
        if has(Role::Drain) {
            phases.push((DRAIN.to_owned(), own(DRAIN)));
        }
        let defaults = member.group.default_phases();
        for phase in self.phases.iter().filter(|phase| !is_settings(phase)) {
            match phase {
                PhaseChoice::Named(name) => phases.push((
                    name.clone(),
                    own(name).filter(|_| !self.defaults || defaults.contains(name)),
                )),
                PhaseChoice::Inline(phase) => phases.push((INLINE.to_owned(), Some(phase.clone()))),
            }
        }
        if has(Role::Health) {
            phases.push((HEALTH.to_owned(), health_of(member)));
        }
        if has(Role::Undrain) {
            phases.push((UNDRAIN.to_owned(), own(UNDRAIN)));
        }
        phases
    }

    /// The positions of the phases that decide whether a node changes.
    pub(super) fn deciding(&self) -> std::ops::Range<usize> {
        let is_guard = |role: &Role| *role != Role::Named;
        let first = self.roles.iter().position(|role| *role == Role::Drain).map_or(0, |at| at + 1);
        let after = self.roles.iter().skip(first).position(is_guard);
        first..after.map_or(self.roles.len(), |count| first + count)
    }
}

fn is_settings(phase: &PhaseChoice) -> bool {
    matches!(phase, PhaseChoice::Named(name) if name == SETTINGS)
}

fn health_of(member: &Member) -> Option<Phase> {
    member.group.server.rollout.as_ref()?.health.clone()
}
