//! The laws for a scenario: a dry run writes nothing, it predicts what an apply does, and a second
//! run has nothing to do.

use std::collections::{BTreeMap, BTreeSet};

use crate::action::Certainty;
use crate::engine::node::{IGNORED, RESCUED};
use crate::engine::{Event, Files, PlannedChange};

/// How many violations of a law are reported.
const TOLD: usize = 10;

/// Identifies an action of a run: node, phase, action, subject.
type Key = (String, String, String, String);

fn key(change: &PlannedChange) -> Key {
    (change.node.clone(), change.phase.clone(), change.action.clone(), change.subject.clone())
}

fn name((node, phase, action, subject): &Key) -> String {
    format!("{action} {subject} ({phase} on {node})")
}

/// Per action, how many changes the dry run shows as certain, and how many in total.
fn planned(events: &[Event]) -> BTreeMap<Key, (usize, usize)> {
    let mut planned: BTreeMap<Key, (usize, usize)> = BTreeMap::new();
    for event in events {
        let Event::Planned(change) = event else { continue };
        let (will, most) = planned.entry(key(change)).or_default();
        *will += usize::from(change.certainty == Some(Certainty::Will));
        *most += 1;
    }
    planned
}

/// How many times each action changed something.
fn changed(events: &[Event]) -> BTreeMap<Key, usize> {
    let mut changed = BTreeMap::new();
    for event in events {
        if let Event::Action { change, changed: true } = event {
            *changed.entry(key(change)).or_default() += 1;
        }
    }
    changed
}

/// The paths on nodes that changed while nothing ran.
pub(super) fn changed_by_itself(
    before: &BTreeMap<String, Files>,
    after: &BTreeMap<String, Files>,
) -> BTreeSet<String> {
    let mut changed = BTreeSet::new();
    for (node, before) in before {
        let empty = Files::new();
        let after = after.get(node).unwrap_or(&empty);
        let paths =
            before.keys().chain(after.keys()).filter(|path| before.get(*path) != after.get(*path));
        changed.extend(paths.cloned());
    }
    changed
}

/// Law: nothing was written between two surveys, apart from paths that change by themselves.
pub(super) fn nothing_written(
    before: &BTreeMap<String, Files>,
    after: &BTreeMap<String, Files>,
    by_itself: &BTreeSet<String>,
) -> Vec<String> {
    let mut broken = Vec::new();
    for (node, before) in before {
        let after = after.get(node).cloned().unwrap_or_default();
        let gone =
            before.keys().filter(|path| !after.contains_key(*path) && !by_itself.contains(*path));
        let gone = gone.map(|path| format!("a dry run removed {path} on {node}"));
        let new = after
            .iter()
            .filter(|(path, said)| before.get(*path) != Some(said) && !by_itself.contains(*path));
        let new = new.map(|(path, _)| match before.contains_key(path) {
            true => format!("a dry run wrote {path} on {node}"),
            false => format!("a dry run created {path} on {node}"),
        });
        broken.extend(gone.chain(new));
    }
    shortened(broken)
}

/// The nodes on which something failed that was ignored or rescued: it, and what was skipped after
/// it, could not do what was planned.
fn failed<'a>(events: &'a [Event]) -> BTreeSet<&'a str> {
    let node = |event: &'a Event| match event {
        Event::Warning { node: Some(node), message } => {
            let settled = [IGNORED, RESCUED].iter().any(|end| message.ends_with(end));
            settled.then_some(node.as_str())
        }
        _ => None,
    };
    events.iter().filter_map(node).collect()
}

/// Law: the run after a dry run does what the dry run showed.
pub(super) fn plan_was_true(dry: &[Event], applied: &[Event]) -> Vec<String> {
    let (planned, changed, failed) = (planned(dry), changed(applied), failed(applied));
    let mut broken = Vec::new();
    for (key, (will, _)) in &planned {
        let done = changed.get(key).copied().unwrap_or_default();
        if done < *will && !failed.contains(key.0.as_str()) {
            broken.push(format!(
                "the plan said that {} will change something, and it did not",
                name(key)
            ));
        }
    }
    for (key, times) in &changed {
        if planned.get(key).is_none_or(|(_, most)| times > most) {
            broken.push(format!("{} changed something that was not in the plan", name(key)));
        }
    }
    shortened(broken)
}

/// The changes that a dry run left open for the node to decide, without duplicates.
pub(super) fn left_open(dry: &[Event]) -> Vec<String> {
    let mut open = BTreeSet::new();
    for event in dry {
        let Event::Planned(change) = event else { continue };
        if change.certainty == Some(Certainty::May) {
            open.insert(format!("{} {}: {}", change.action, change.subject, change.summary));
        }
    }
    open.into_iter().collect()
}

/// Law: a second run changes nothing.
pub(super) fn nothing_to_do(again: &[Event]) -> Vec<String> {
    shortened(
        changed(again)
            .keys()
            .map(|key| format!("a second run changed something again: {}", name(key)))
            .collect(),
    )
}

fn shortened(mut broken: Vec<String>) -> Vec<String> {
    if broken.len() > TOLD {
        let more = broken.len() - TOLD;
        broken.truncate(TOLD);
        broken.push(format!("and {more} more"));
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(subject: &str, certainty: Option<Certainty>) -> PlannedChange {
        PlannedChange {
            node: "a-1".into(),
            phase: "configure".into(),
            number: 1,
            action: "remote_file".into(),
            subject: subject.into(),
            certainty,
            summary: String::new(),
            diff: String::new(),
            source: None,
            via: Vec::new(),
            undone: false,
            predicted: false,
            on_behalf_of: None,
        }
    }

    fn plan(changes: &[(&str, Certainty)]) -> Vec<Event> {
        changes
            .iter()
            .map(|(subject, certainty)| Event::Planned(change(subject, Some(*certainty))))
            .collect()
    }

    fn run(changes: &[(&str, bool)]) -> Vec<Event> {
        changes
            .iter()
            .map(|(subject, changed)| Event::Action {
                change: change(subject, None),
                changed: *changed,
            })
            .collect()
    }

    #[test]
    fn a_plan_is_true_when_what_it_shows_happens() {
        let dry = plan(&[("/a", Certainty::Will), ("/b", Certainty::May)]);
        assert!(plan_was_true(&dry, &run(&[("/a", true), ("/b", false)])).is_empty());
        assert!(plan_was_true(&dry, &run(&[("/a", true), ("/b", true)])).is_empty());
        assert_eq!(
            plan_was_true(&dry, &run(&[("/a", false), ("/c", true)])),
            [
                "the plan said that remote_file /a (configure on a-1) will change something, and \
                 it did not",
                "remote_file /c (configure on a-1) changed something that was not in the plan"
            ]
        );
        assert_eq!(plan_was_true(&dry, &run(&[("/a", true), ("/a", true)])).len(), 1);
    }

    #[test]
    fn a_second_run_changes_nothing() {
        assert!(nothing_to_do(&run(&[("/a", false)])).is_empty());
        assert_eq!(
            nothing_to_do(&run(&[("/a", true)])),
            ["a second run changed something again: remote_file /a (configure on a-1)"]
        );
    }

    #[test]
    fn a_dry_run_writes_nothing() {
        let files = |files: &[(&str, &str)]| {
            let files: Files =
                files.iter().map(|(path, said)| ((*path).to_owned(), (*said).to_owned())).collect();
            BTreeMap::from([("a-1".to_owned(), files)])
        };
        let before = files(&[("/a", "1"), ("/b", "1")]);
        let none = BTreeSet::new();
        assert!(nothing_written(&before, &before, &none).is_empty());
        assert_eq!(
            nothing_written(&before, &files(&[("/a", "2"), ("/c", "1")]), &none),
            [
                "a dry run removed /b on a-1",
                "a dry run wrote /a on a-1",
                "a dry run created /c on a-1"
            ]
        );
        let many: Vec<_> = (0..30).map(|number| format!("/{number}")).collect();
        let many: Vec<_> = many.iter().map(|path| (path.as_str(), "1")).collect();
        assert_eq!(
            nothing_written(&files(&[]), &files(&many), &none).last().map(String::as_str),
            Some("and 20 more")
        );
    }

    #[test]
    fn what_changes_by_itself_is_not_of_the_dry_run() {
        let files = |node: &str, files: &[(&str, &str)]| {
            let files: Files =
                files.iter().map(|(path, said)| ((*path).to_owned(), (*said).to_owned())).collect();
            BTreeMap::from([(node.to_owned(), files)])
        };
        let by_itself = changed_by_itself(
            &files("control-1", &[("/same", "1"), ("/log", "1"), ("/gone", "1")]),
            &files("control-1", &[("/same", "1"), ("/log", "2"), ("/new", "1")]),
        );
        assert_eq!(
            by_itself.iter().map(String::as_str).collect::<Vec<_>>(),
            ["/gone", "/log", "/new"]
        );
        let before = files("a-1", &[("/same", "1"), ("/log", "1"), ("/gone", "1")]);
        let after = files("a-1", &[("/same", "2"), ("/log", "3"), ("/new", "1")]);
        assert_eq!(nothing_written(&before, &after, &by_itself), ["a dry run wrote /same on a-1"]);
    }
}
