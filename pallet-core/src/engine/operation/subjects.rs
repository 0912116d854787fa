//! All nodes that the functions of an operation see.

use std::collections::{BTreeMap, BTreeSet};

use super::run::Operation;
use crate::engine::GroupSpec;
use crate::engine::declare::{Considered, Subject, USUAL_OS, named_os, target};
use crate::engine::spec::SETTINGS;
use crate::model::{Details, Os, natural};

/// All nodes that the functions of an operation see, sorted by name, each with its position in the
/// operation if it belongs to it. A node without known facts is assumed to have the system of the
/// others in its group.
pub(super) fn subjects(operation: &Operation) -> (Vec<Option<usize>>, Vec<Subject>) {
    let known = operation
        .members
        .iter()
        .filter_map(|member| Some((member.group.name.as_str(), &member.planner.facts()?.os)));
    let claimed =
        operation.considered.iter().filter_map(|node| Some((node.group.name.as_str(), node.os()?)));
    let mut of_group: BTreeMap<&str, &Os> = BTreeMap::new();
    for (group, os) in known.chain(claimed) {
        of_group.entry(group).or_insert(os);
    }
    let like_others = |group: &GroupSpec| {
        let alike = of_group.get(group.name.as_str()).map(|os| (*os).clone());
        let named = || named_os(group.server.node_spec.image.as_ref());
        let any = || of_group.values().next().map(|os| (*os).clone());
        alike
            .or_else(named)
            .or_else(any)
            .unwrap_or_else(|| Os::named(USUAL_OS, std::env::consts::ARCH))
    };
    let settings =
        |group: &GroupSpec| vec![(SETTINGS.to_owned(), group.server.phases.get(SETTINGS).cloned())];
    let mut all: Vec<(Option<usize>, Subject)> =
        Vec::with_capacity(operation.members.len() + operation.considered.len());
    for (position, member) in operation.members.iter().enumerate() {
        let (node, group) = (&member.session.node, &member.group);
        let subject = match member.seen_facts() {
            facts @ Some(_) => Subject {
                target: target(node, group, facts, || like_others(group)),
                details: facts.map(|facts| facts.details.clone()).unwrap_or_default(),
                phases: operation.phases_of(member),
                considered: false,
                reachable: !member.has_ended() || member.was_done_before(),
            },
            // it could not be asked, but functions still see it
            None => Subject {
                target: target(node, group, None, || {
                    node.os.clone().unwrap_or_else(|| like_others(group))
                }),
                details: Details::default(),
                phases: settings(group),
                considered: true,
                reachable: false,
            },
        };
        all.push((Some(position).filter(|_| !subject.considered), subject));
    }
    for considered in &operation.considered {
        let Considered { node, group, facts } = considered;
        let facts = facts.as_ref();
        let os = || considered.os().cloned().unwrap_or_else(|| like_others(group));
        let target = target(node, group, facts, os);
        let details = facts.map(|facts| facts.details.clone()).unwrap_or_default();
        let phases = settings(group);
        all.push((None, Subject { target, phases, details, considered: true, reachable: false }));
    }
    all.sort_by_cached_key(|(_, subject)| natural(&subject.target.name));
    let (positions, mut subjects): (Vec<_>, Vec<_>) = all.into_iter().unzip();
    if let Some(resume) = &operation.resume {
        keep_first(&mut subjects, &resume.first);
    }
    (positions, subjects)
}

/// What must run only once runs where it ran before the interruption, or not at all.
fn keep_first(subjects: &mut [Subject], first: &BTreeSet<String>) {
    let ran = subjects.iter().filter(|one| first.contains(&one.target.id));
    let groups: BTreeSet<String> = ran.map(|one| one.target.group.clone()).collect();
    for subject in subjects.iter_mut().filter(|one| groups.contains(&one.target.group)) {
        subject.reachable = first.contains(&subject.target.id);
    }
}
