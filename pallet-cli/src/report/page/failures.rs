//! Why nodes failed, with what was printed, and which were not reached.

use super::super::model::{Failure, Report};
use super::changes::{left_out, output};
use super::markup::Markup;
use super::words::{count, lanes_of, on};

/// How many failures are shown, and how many of them with their output.
const SHOWN: usize = 500;
const OPEN: usize = 50;

/// The section with failures.
pub(super) fn failures(markup: &mut Markup, report: &Report<'_>) {
    if report.failures.is_empty() && report.not_reached.is_empty() {
        return;
    }
    markup.inside("section", &[("id", "failures")], |markup| {
        markup.inside("h2", &[], |markup| {
            markup.text("Failures");
            let nodes = report.failures.iter().map(|failure| failure.nodes.len()).sum();
            markup.element("span", "count", &count(nodes, "node"));
        });
        for (number, failure) in report.failures.iter().take(SHOWN).enumerate() {
            one(markup, report, number, failure);
        }
        if let Some(more @ 1..) = report.failures.len().checked_sub(SHOWN) {
            left_out(markup, report, &format!("{} are left out", count(more, "other failure")));
        }
        for not_reached in &report.not_reached {
            let lanes = lanes_of(report, &not_reached.nodes);
            markup.inside("div", &[("class", "part"), ("data-lanes", &lanes)], |markup| {
                markup.inside("p", &[], |markup| {
                    markup.text(&format!("not reached: {}", not_reached.reason));
                    markup.element("span", "count", &count(not_reached.nodes.len(), "node"));
                });
                on(markup, report, &not_reached.nodes);
            });
        }
    });
}

fn one(markup: &mut Markup, report: &Report<'_>, number: usize, failure: &Failure<'_>) {
    let (id, lanes) = (format!("failure-{number}"), lanes_of(report, &failure.nodes));
    let key = format!("failure {}", failure.message);
    let mut attributes = vec![
        ("class", "failure part"),
        ("id", id.as_str()),
        ("data-lanes", &lanes),
        ("data-key", &key),
    ];
    if number < OPEN {
        attributes.push(("open", ""));
    }
    markup.inside("details", &attributes, |markup| {
        markup.inside("summary", &[], |markup| {
            markup.element("span", "error", "\u{2717}");
            markup.text(" ");
            markup.text(&failure.message);
            markup.element("span", "count", &count(failure.nodes.len(), "node"));
        });
        on(markup, report, &failure.nodes);
        place(markup, failure);
        // the detail of a Starlark error repeats the message, which is above already
        let detail: Vec<&str> =
            failure.detail.lines().filter(|line| !line.contains(&*failure.message)).collect();
        if !detail.is_empty() {
            markup.inside("pre", &[("class", "output")], |markup| {
                markup.lines(detail.into_iter(), usize::MAX, |_| "");
            });
        }
        if let Some(tail) = &failure.output {
            let first = failure.nodes.first().copied().unwrap_or_default();
            markup.element("p", "hint", &format!("what it printed on {first}"));
            output(markup, tail);
        }
    });
}

/// Where it failed.
fn place(markup: &mut Markup, failure: &Failure<'_>) {
    if failure.phase.is_none() && failure.action.is_none() && failure.source.is_none() {
        return;
    }
    markup.inside("p", &[("class", "on")], |markup| {
        if let Some(phase) = failure.phase {
            markup.text(&format!("in phase {phase} "));
        }
        if let Some(action) = failure.action {
            markup.element("code", "", action);
        }
        if let Some(source) = failure.source {
            markup.text(" declared at ");
            markup.element("code", "", &source.to_string());
        }
    });
}
