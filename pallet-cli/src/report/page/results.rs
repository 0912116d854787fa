//! What a command printed, and what was copied, with nodes of equal results together.

use super::super::model::{Copies, Ran, Report};
use super::changes::{left_out, more_lines};
use super::markup::Markup;
use super::words::{count, lanes_of, on};

/// How many results are shown, and how many lines of each.
const SHOWN: usize = 200;
const LINES: usize = 500;

/// How many results are open at first.
const OPEN: usize = 10;

/// The section with results.
pub(super) fn results(markup: &mut Markup, report: &Report<'_>) {
    let all = report.ran.len() + report.copies.len();
    if all == 0 {
        return;
    }
    markup.inside("section", &[("id", "results")], |markup| {
        markup.element("h2", "", "Results");
        for (number, ran) in report.ran.iter().take(SHOWN).enumerate() {
            one(markup, report, number, ran);
        }
        for copies in report.copies.iter().take(SHOWN) {
            copied(markup, report, copies);
        }
        if let Some(more @ 1..) = all.checked_sub(SHOWN) {
            left_out(markup, report, &format!("{} are left out", count(more, "other result")));
        }
    });
}

fn one(markup: &mut Markup, report: &Report<'_>, number: usize, ran: &Ran<'_>) {
    let (title, good) = match (ran.result.exit, &ran.error) {
        (Some(code), _) => (format!("exit {code}"), code == 0),
        (None, Some(error)) => (error.to_string(), false),
        (None, None) => ("it did not end by itself".to_owned(), false),
    };
    let (key, lanes) = (format!("result {number}"), lanes_of(report, &ran.nodes));
    let class = if good { "part" } else { "failure part" };
    let mut attributes = vec![("class", class), ("data-lanes", &*lanes), ("data-key", &key)];
    if number < OPEN {
        attributes.push(("open", ""));
    }
    markup.inside("details", &attributes, |markup| {
        markup.inside("summary", &[], |markup| {
            markup.element("span", if good { "good" } else { "error" }, &title);
            markup.element("span", "count", &count(ran.nodes.len(), "node"));
        });
        on(markup, report, &ran.nodes);
        for (class, text) in [("output", &ran.stdout), ("output error", &ran.stderr)] {
            printed(markup, class, text);
        }
        if ran.result.left_out > 0 {
            markup.element(
                "p",
                "hint",
                &format!("{} bytes more are not kept", ran.result.left_out),
            );
        }
    });
}

fn printed(markup: &mut Markup, class: &'static str, text: &str) {
    if text.is_empty() {
        return;
    }
    let mut more = 0;
    markup.inside("pre", &[("class", class)], |markup| {
        more = markup.lines(text.lines(), LINES, |_| "");
    });
    more_lines(markup, more);
}

fn copied(markup: &mut Markup, report: &Report<'_>, copies: &Copies<'_>) {
    let lanes = lanes_of(report, &copies.nodes);
    markup.inside("div", &[("class", "part"), ("data-lanes", &lanes)], |markup| {
        on(markup, report, &copies.nodes);
        markup.inside("ul", &[("class", "plan")], |markup| {
            for copied in &copies.result.copied {
                markup.inside("li", &[], |markup| {
                    markup.element("code", "", &format!("{} \u{2192} {}", copied.from, copied.to));
                    let files = count(usize::try_from(copied.files).unwrap_or(usize::MAX), "file");
                    markup.element("span", "count", &format!("{files}, {} bytes", copied.bytes));
                });
            }
        });
    });
}
