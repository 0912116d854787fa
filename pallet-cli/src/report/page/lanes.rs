//! The nodes: a part for each lane, with its plan, phase by phase.

use pallet_core::engine::NodeResult;

use super::super::model::{Lane, Mark, Report, Span, State, is_bad};
use super::markup::Markup;
use super::states::{class, state};
use super::words::{count, seconds, short_names, times};

/// The section with all nodes.
pub(super) fn lanes(markup: &mut Markup, report: &Report<'_>) {
    if report.lanes.is_empty() {
        return;
    }
    markup.inside("section", &[("id", "nodes")], |markup| {
        markup.element("h2", "", "Nodes");
        for (number, lane) in report.lanes.iter().enumerate() {
            part(markup, report, number, lane);
        }
    });
}

fn part(markup: &mut Markup, report: &Report<'_>, number: usize, lane: &Lane<'_>) {
    let id = format!("lane-{number}");
    let all = lane.names().collect::<Vec<_>>().join(" ");
    let key = format!("lane {}", lane.names().next().unwrap_or_default());
    let attributes =
        [("class", "lane part"), ("id", &id), ("data-names", &all), ("data-key", &key)];
    markup.inside("details", &attributes, |markup| {
        markup.inside("summary", &[], |markup| {
            markup.element("strong", "", &short_names(lane.names()));
            if lane.nodes.len() > 1 {
                markup.element("span", "count", &count(lane.nodes.len(), "node"));
            }
            let group = lane.group.map(|group| format!("group {group}"));
            let wave = lane.wave.map(|wave| format!("wave {wave}"));
            for text in [group, wave].into_iter().flatten() {
                markup.element("span", "count", &text);
            }
            let class = format!("state {}", class(lane.state));
            markup.inside("span", &[("class", class.as_str())], |markup| {
                markup.text(&state(lane.state));
            });
        });
        told(markup, report, lane);
        plan(markup, report, number, lane);
        if lane.nodes.len() > 1 {
            nodes(markup, lane, &key);
        }
    });
}

/// What is known of the lane apart from its plan.
fn told(markup: &mut Markup, report: &Report<'_>, lane: &Lane<'_>) {
    match lane.state {
        State::Finished(NodeResult::NotReached { reason }) => {
            markup.element("p", "", &format!("not reached: {reason}"));
        }
        State::Ran(_) | State::Copied(_) => {
            markup.inside("p", &[], |markup| markup.link("results", "results"));
        }
        _ => {}
    }
    if let Some(failure) = lane.failure.filter(|_| is_bad(lane.state)) {
        let message = report.failures.get(failure).map(|failure| failure.message.as_ref());
        markup.inside("p", &[("class", "error")], |markup| {
            markup.link(&format!("failure-{failure}"), message.unwrap_or("failed"));
        });
    }
    for (action, nodes) in &lane.current {
        markup.inside("p", &[("class", "now")], |markup| {
            markup.text("now: ");
            markup.element("code", "", action);
            markup.text(" on ");
            markup.text(&short_names(nodes.iter().copied()));
        });
    }
}

/// The actions of each phase, in order, with links to what they changed.
fn plan(markup: &mut Markup, report: &Report<'_>, number: usize, lane: &Lane<'_>) {
    let phase_of = |group: usize| report.groups.get(group).map(|group| group.change.phase.as_str());
    let mut seen: Vec<&str> = Vec::new();
    for (at, span) in lane.spans.iter().enumerate() {
        let id = format!("lane-{number}-{at}");
        markup.inside("h4", &[("id", &id)], |markup| heading(markup, span, lane.nodes.len() > 1));
        if !seen.contains(&span.phase) {
            seen.push(span.phase);
            let steps = lane.plan.iter().filter(|(group, _)| phase_of(*group) == Some(span.phase));
            actions(markup, report, steps);
        }
        if let Some(failure) = lane.failure.filter(|_| span.failed) {
            let failed = report.failures.get(failure);
            let action = failed.and_then(|failure| failure.action).unwrap_or("failed");
            markup.inside("p", &[("class", "error")], |markup| {
                markup.text("\u{2717} ");
                markup.link(&format!("failure-{failure}"), action);
            });
        }
    }
    let rest = lane
        .plan
        .iter()
        .filter(|(group, _)| phase_of(*group).is_none_or(|phase| !seen.contains(&phase)));
    actions(markup, report, rest);
}

fn heading(markup: &mut Markup, span: &Span<'_>, several: bool) {
    markup.text(span.phase);
    let all = if several { "all: " } else { "" };
    markup.element("span", "times", &format!("{all}{}", times(span.from, span.to)));
    if span.open {
        markup.element("span", "count", "running");
    }
}

fn actions<'a>(
    markup: &mut Markup,
    report: &Report<'_>,
    steps: impl Iterator<Item = &'a (usize, Mark)>,
) {
    let mut steps = steps.peekable();
    if steps.peek().is_none() {
        return;
    }
    markup.inside("ul", &[("class", "plan")], |markup| {
        for (position, mark) in steps {
            let Some(group) = report.groups.get(*position) else { continue };
            let text = format!("{} {}", group.change.action, group.subject);
            let (class, sign, part) = match mark {
                Mark::Changed => ("will", "~ ", Some(format!("change-{position}"))),
                Mark::Drift => ("drifted", "! ", Some(format!("drift-{position}"))),
                Mark::Unchanged => ("same", "= ", None),
            };
            markup.inside("li", &[("class", class)], |markup| {
                markup.text(sign);
                match part {
                    Some(part) => markup.link(&part, &text),
                    None => markup.text(&text),
                }
                if *mark != Mark::Unchanged && !group.summary.is_empty() {
                    markup.element("span", "summary", &format!(": {}", group.summary));
                }
            });
        }
    });
}

/// When each node of a lane was at each phase.
fn nodes(markup: &mut Markup, lane: &Lane<'_>, key: &str) {
    let key = format!("times of {key}");
    markup.inside("details", &[("class", "times"), ("data-key", &key)], |markup| {
        markup.element("summary", "", &format!("each of the {}", count(lane.nodes.len(), "node")));
        markup.inside("table", &[], |markup| {
            markup.inside("tr", &[], |markup| {
                markup.element("th", "", "node");
                for span in &lane.spans {
                    markup.element("th", "", span.phase);
                }
            });
            for node in &lane.nodes {
                markup.inside("tr", &[], |markup| {
                    markup.element("td", "", node.name);
                    for span in &node.spans {
                        let lasted =
                            format!("{} at {}", seconds(span.to - span.from), seconds(span.from));
                        markup.element("td", "", &lasted);
                    }
                });
            }
        });
    });
}
