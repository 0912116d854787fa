//! The heading of the page: what the operation was asked to do, by whom, and how it ended.

use pallet_core::engine::Ending;

use super::super::model::{Ran, Report};
use super::markup::Markup;
use super::words::{count, number, seconds};
use crate::output::history::{command, short_id, time};

/// The title of the page: `lift web: failed`.
pub(super) fn title(report: &Report<'_>) -> String {
    format!("{}: {}", command(&report.header.command), report.ending)
}

/// The heading, and links to the sections.
pub(super) fn heading(markup: &mut Markup, report: &Report<'_>) {
    markup.inside("header", &[], |markup| {
        markup.inside("h1", &[], |markup| {
            markup.text(&command(&report.header.command));
            let class = format!("badge {}", class(report.ending));
            markup.inside("span", &[("class", class.as_str())], |markup| {
                markup.text(&report.ending.to_string());
            });
        });
        told(markup, report);
        counts(markup, report);
        facts(markup, report);
    });
    sections(markup, report);
}

fn class(ending: Ending) -> &'static str {
    match ending {
        Ending::Succeeded => "good",
        Ending::Failed => "failed",
        Ending::Interrupted | Ending::Unfinished => "open-end",
        Ending::Running => "running",
    }
}

/// What the ending means, if that is not plain.
fn told(markup: &mut Markup, report: &Report<'_>) {
    let text = match report.ending {
        Ending::Unfinished => {
            "There is no record of the end: Pallet was killed, the machine crashed, or it runs on \
             another machine. What follows is what was recorded."
        }
        Ending::Interrupted => "It was stopped before its end.",
        Ending::Running if report.finished.is_none() => "It runs. This is what it did so far.",
        _ => return,
    };
    markup.element("p", "notice", text);
}

/// How many nodes there are in each state.
fn counts(markup: &mut Markup, report: &Report<'_>) {
    let totals = report.finished.map(|(totals, _)| totals);
    let mut tiles: Vec<(&str, usize)> = Vec::new();
    if let Some(totals) = totals {
        tiles.extend([("created", totals.created), ("destroyed", totals.destroyed)]);
        tiles.retain(|(_, nodes)| *nodes > 0);
    }
    let others = report
        .counts
        .iter()
        .filter(|(word, _)| totals.is_none() || !matches!(*word, "created" | "destroyed"));
    tiles.extend(others.copied());
    if let Some(exit) = tiles.iter().position(|(word, _)| *word == "exit") {
        tiles.remove(exit);
        let (good, bad): (Vec<_>, Vec<_>) =
            report.ran.iter().partition(|ran| ran.result.exit == Some(0));
        let nodes = |all: Vec<&Ran<'_>>| all.iter().map(|ran| ran.nodes.len()).sum::<usize>();
        tiles.retain(|(word, _)| *word != "failed");
        tiles.extend([("exit 0", nodes(good)), ("failed", nodes(bad))]);
        tiles.retain(|(_, nodes)| *nodes > 0);
    }
    let drifted: usize = report.groups.iter().map(|group| group.drifted.len()).sum();
    if drifted > 0 {
        tiles.push(("drift", drifted));
    }
    markup.inside("ul", &[("class", "tiles")], |markup| {
        for (word, nodes) in tiles {
            let class = match word {
                "failed" | "not created" => "failed",
                "drift" => "drift",
                _ => "",
            };
            markup.inside("li", &[("class", class)], |markup| {
                markup.element("b", "", &number(nodes));
                markup.text(" ");
                markup.text(word);
            });
        }
        markup.inside("li", &[], |markup| {
            markup.element("b", "", &seconds(report.seconds));
            markup.text(" in all");
        });
    });
}

/// Who ran it, when and where.
fn facts(markup: &mut Markup, report: &Report<'_>) {
    let header = report.header;
    let nodes = match report.of {
        Some(of) => format!("{} of {}", report.nodes, count(of, "node")),
        None => count(report.nodes, "node"),
    };
    let kind = report.kind.map(|kind| format!("{kind} of ")).unwrap_or_default();
    let rows = [
        ("operation", header.operation.clone()),
        ("began", time(&header.operation)),
        ("what", format!("{kind}{nodes}")),
        ("project", format!("{} in {}", header.project, header.directory)),
        ("service", header.service.clone()),
        (
            "by",
            format!(
                "{} on {}, process {}, pallet {}",
                header.user, header.host, header.process, header.pallet
            ),
        ),
        ("resumes", header.resumes.clone().unwrap_or_default()),
    ];
    markup.inside("dl", &[], |markup| {
        for (name, text) in rows.iter().filter(|(_, text)| !text.is_empty()) {
            markup.inside("div", &[], |markup| {
                markup.element("dt", "", name);
                markup.element("dd", "", text);
            });
        }
    });
    markup.inside("p", &[("class", "hint")], |markup| {
        let command = format!("pallet-cli history show {}", short_id(&header.operation));
        markup.element("code", "", &command);
        markup.text(" shows it on a terminal");
    });
    if report.incomplete && report.ending != Ending::Running {
        let text = "The last line of the journal is incomplete and left out.";
        markup.element("p", "hint", text);
    }
}

/// Links to the sections that the page has, and what the script adds.
fn sections(markup: &mut Markup, report: &Report<'_>) {
    let has = |wanted: fn(&Report<'_>) -> bool| wanted(report);
    let all = [
        ("failures", "Failures", has(|r| r.failures.len() + r.not_reached.len() > 0)),
        ("results", "Results", has(|r| r.ran.len() + r.copies.len() > 0)),
        ("timeline", "Timeline", has(|r| !r.lanes.is_empty())),
        ("changes", "Changes", has(|r| r.groups.iter().any(|group| !group.changed.is_empty()))),
        ("drift", "Drift", has(|r| r.groups.iter().any(|group| !group.drifted.is_empty()))),
        ("waves", "Waves", has(|r| r.waves.len() > 1)),
        ("machines", "Created and destroyed", has(|r| !r.machines.is_empty())),
        ("notes", "Warnings", has(|r| !r.notes.is_empty())),
        ("nodes", "Nodes", has(|r| !r.lanes.is_empty())),
    ];
    markup.inside("nav", &[], |markup| {
        for (id, title, _) in all.iter().filter(|(_, _, there)| *there) {
            markup.link(id, title);
        }
        // works with the script only, which shows it
        markup.fixed(
            "<span id=\"tools\" hidden><input id=\"filter\" type=\"search\" placeholder=\"filter \
             nodes and changes\" aria-label=\"Filter nodes and changes\"> <button id=\"open\" \
             type=\"button\">Open all</button> <button id=\"close\" type=\"button\">Close \
             all</button></span>",
        );
    });
}
