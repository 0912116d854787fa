//! What was changed, and what drifted: each change once, with its nodes, its diffs and what it
//! printed.

use std::borrow::Cow;

use super::super::model::{Group, NODE, Report, Tail, Variants};
use super::markup::Markup;
use super::words::{count, lanes_of, names, on};
use crate::terminal::short;

/// How many changes are shown, and how many lines of a diff.
const SHOWN: usize = 500;
const DIFF: usize = 400;

/// How many changes are open at first, if their diffs have at most so many lines.
const OPEN: usize = 20;
const SMALL: usize = 12;

/// The sections with changes and drift.
pub(super) fn changes(markup: &mut Markup, report: &Report<'_>) {
    let of = |wanted: fn(&Group<'_>) -> bool| {
        let all = report.groups.iter().enumerate();
        all.filter(|(_, group)| wanted(group)).collect::<Vec<_>>()
    };
    section(markup, report, &CHANGES, &of(|group| !group.changed.is_empty()));
    section(markup, report, &DRIFT, &of(|group| !group.drifted.is_empty()));
}

/// What is said of changes, or of drift.
struct Kind {
    id: &'static str,
    title: &'static str,
    part: &'static str,
    sign: &'static str,
    told: &'static str,
}

const CHANGES: Kind = Kind { id: "changes", title: "Changes", part: "change", sign: "~", told: "" };

const DRIFT: Kind = Kind {
    id: "drift",
    title: "Drift",
    part: "drift",
    sign: "!",
    told: "What somebody else changed since Pallet applied it.",
};

fn section(markup: &mut Markup, report: &Report<'_>, kind: &Kind, groups: &[(usize, &Group<'_>)]) {
    if groups.is_empty() {
        return;
    }
    markup.inside("section", &[("id", kind.id)], |markup| {
        markup.inside("h2", &[], |markup| {
            markup.text(kind.title);
            markup.element("span", "count", &groups.len().to_string());
        });
        if !kind.told.is_empty() {
            markup.element("p", "hint", kind.told);
        }
        let mut phase = "";
        for (position, group) in groups.iter().take(SHOWN) {
            if group.change.phase != phase {
                phase = &group.change.phase;
                markup.element("h3", "", phase);
            }
            one(markup, report, kind, (*position, group), groups.len() <= OPEN);
        }
        if let Some(more @ 1..) = groups.len().checked_sub(SHOWN) {
            left_out(markup, report, &format!("{} are left out", count(more, "other change")));
        }
    });
}

fn one(
    markup: &mut Markup,
    report: &Report<'_>,
    kind: &Kind,
    (position, group): (usize, &Group<'_>),
    few: bool,
) {
    let (nodes, diffs) = match kind.part {
        "drift" => (&group.drifted, &group.drift),
        _ => (&group.changed, &group.diffs),
    };
    let change = group.change;
    let id = format!("{}-{position}", kind.part);
    let key = format!("{} {} {} {}", kind.part, change.phase, change.action, group.subject);
    let lanes = lanes_of(report, nodes);
    let lines: usize = diffs.kept.iter().map(|(diff, _)| diff.lines().count()).sum();
    let mut attributes =
        vec![("class", "part"), ("id", &*id), ("data-lanes", &lanes), ("data-key", &key)];
    if few && lines <= SMALL {
        attributes.push(("open", ""));
    }
    markup.inside("details", &attributes, |markup| {
        markup.inside("summary", &[], |markup| {
            markup.element("span", kind.part, kind.sign);
            markup.text(" ");
            markup.element("code", "", &format!("{} {}", change.action, group.subject));
            if !group.summary.is_empty() {
                markup.element("span", "summary", &format!(": {}", short(&group.summary)));
            }
            markup.element("span", "count", &count(nodes.len(), "node"));
        });
        markup.inside("p", &[("class", "on")], |markup| {
            names(markup, report, nodes);
            if change.on_behalf_of.is_some() {
                markup.text(&format!(", made on {}", change.node));
            }
            if let Some(source) = &change.source {
                markup.text(", declared at ");
                markup.element("code", "", &source.to_string());
            }
            if !change.via.is_empty() {
                markup.text(&format!(" through {}", change.via.join(", ")));
            }
        });
        if kind.part == "drift" {
            markup.element(
                "p",
                "hint",
                if change.undone {
                    "a lift undoes it"
                } else {
                    "kept; --overwrite-changes overwrites it"
                },
            );
        }
        variants(markup, report, diffs, "diff", |markup, text| {
            diff(markup, text, matches!(text, Cow::Owned(_)));
        });
        if kind.part == "change" {
            variants(markup, report, &group.outputs, "output", |markup, tail| output(markup, tail));
        }
    });
}

/// Different diffs or outputs, each with its nodes if there are several.
fn variants<T>(
    markup: &mut Markup,
    report: &Report<'_>,
    all: &Variants<'_, T>,
    what: &str,
    mut one: impl FnMut(&mut Markup, &T),
) {
    for (value, nodes) in &all.kept {
        if all.kept.len() > 1 {
            on(markup, report, nodes);
        }
        one(markup, value);
    }
    if !all.others.is_empty() {
        let others = count(all.others.len(), "other node");
        left_out(markup, report, &format!("the {what} of {others} is left out"));
    }
}

/// A diff, line by line.
fn diff(markup: &mut Markup, text: &str, without_name: bool) {
    if without_name {
        let note = format!("{NODE} is the name of the node");
        markup.element("p", "hint", &note);
    }
    let class = |line: &str| match line.as_bytes().first() {
        Some(b'+') => "added",
        Some(b'-') => "removed",
        _ => "same-line",
    };
    let mut more = 0;
    markup.inside("pre", &[("class", "diff")], |markup| {
        more = markup.lines(text.lines(), DIFF, class);
    });
    more_lines(markup, more);
}

/// The last lines of an output.
pub(super) fn output(markup: &mut Markup, tail: &Tail<'_>) {
    markup.inside("pre", &[("class", "output")], |markup| {
        if tail.left_out > 0 {
            let before = count(tail.left_out, "line");
            markup.element("span", "hint", &format!("... {before} before"));
            markup.fixed("\n");
        }
        markup.lines(tail.lines.iter().copied(), usize::MAX, |_| "");
    });
}

/// Tells how many lines of a text are not in the page.
pub(super) fn more_lines(markup: &mut Markup, more: usize) {
    if more > 0 {
        markup.element("p", "hint", &format!("{} left out", count(more, "more line")));
    }
}

/// Tells what is not in the page, and where it is.
pub(super) fn left_out(markup: &mut Markup, report: &Report<'_>, what: &str) {
    markup.inside("p", &[("class", "hint")], |markup| {
        markup.text(what);
        markup.text(": ");
        let command = format!("pallet-cli history show {} --node NODE", report.header.operation);
        markup.element("code", "", &command);
        markup.text(" shows everything about a node");
    });
}
