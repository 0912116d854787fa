//! The timeline: a row for each lane, with a bar for each phase.

use super::super::model::{Lane, Report, Span, is_bad};
use super::markup::Markup;
use super::states::{class, state};
use super::words::{count, seconds, short_names, times};

/// The narrowest bar, in percent of the timeline.
const NARROWEST: f64 = 0.4;

/// How many colours phases have.
const COLOURS: usize = 8;

/// The section with the timeline.
pub(super) fn timeline(markup: &mut Markup, report: &Report<'_>) {
    if report.lanes.is_empty() {
        return;
    }
    markup.inside("section", &[("id", "timeline")], |markup| {
        markup.element("h2", "", "Timeline");
        legend(markup, report);
        markup.inside("div", &[("class", "timeline")], |markup| {
            markup.inside("div", &[("class", "axis")], |markup| axis(markup, report.seconds));
            for (number, lane) in report.lanes.iter().enumerate() {
                row(markup, report, number, lane);
            }
        });
    });
}

/// The colour of each phase.
fn legend(markup: &mut Markup, report: &Report<'_>) {
    markup.inside("p", &[("class", "legend")], |markup| {
        for (number, phase) in report.phases.iter().enumerate() {
            swatch(markup, &colour(number), phase);
        }
        if report.lanes.iter().flat_map(|lane| &lane.spans).any(|span| span.failed) {
            swatch(markup, "bad", "failed");
        }
        if report.lanes.iter().any(|lane| lane.nodes.len() > 1) {
            markup.element(
                "span",
                "hint",
                "pale: from the first node's beginning to the last node's end; \
                 dark: the median node",
            );
        }
    });
}

fn swatch(markup: &mut Markup, class: &str, text: &str) {
    markup.inside("span", &[("class", "swatch")], |markup| {
        markup.inside(
            "svg",
            &[("width", "12"), ("height", "12"), ("aria-hidden", "true")],
            |markup| {
                let size = [("width", "12"), ("height", "12"), ("rx", "2"), ("class", class)];
                markup.inside("rect", &size, |_| {});
            },
        );
        markup.text(" ");
        markup.text(text);
    });
}

/// The times at the quarters of the timeline.
fn axis(markup: &mut Markup, whole: f64) {
    let size = [("width", "100%"), ("height", "18"), ("aria-hidden", "true")];
    markup.inside("svg", &size, |markup| {
        for quarter in 0..=4_u32 {
            let share = f64::from(quarter) / 4.0;
            let (anchor, class) = match quarter {
                0 => ("start", "end"),
                4 => ("end", "end"),
                2 => ("middle", "half"),
                _ => ("middle", "quarter"),
            };
            let x = format!("{}%", share * 100.0);
            let place = [("x", x.as_str()), ("y", "13"), ("text-anchor", anchor), ("class", class)];
            markup.inside("text", &place, |markup| markup.text(&seconds(whole * share)));
        }
    });
}

fn row(markup: &mut Markup, report: &Report<'_>, number: usize, lane: &Lane<'_>) {
    let id = number.to_string();
    markup.inside("div", &[("class", "row"), ("data-lane", &id)], |markup| {
        markup.inside("div", &[("class", "name")], |markup| {
            markup.link(&format!("lane-{number}"), &short_names(lane.names()));
            if lane.nodes.len() > 1 {
                markup.element("span", "count", &count(lane.nodes.len(), "node"));
            }
            if let Some(wave) = lane.wave.filter(|_| report.waves.len() > 1) {
                markup.element("span", "count", &format!("wave {wave}"));
            }
        });
        let size = [("width", "100%"), ("height", "22"), ("class", "bars")];
        markup.inside("svg", &size, |markup| {
            for x in ["25%", "50%", "75%"] {
                let line = [("x1", x), ("x2", x), ("y1", "0"), ("y2", "22"), ("class", "tick")];
                markup.inside("line", &line, |_| {});
            }
            for (at, span) in lane.spans.iter().enumerate() {
                bar(markup, report, (number, lane), (at, span));
            }
        });
        let class = format!("state {}", class(lane.state));
        markup.inside("div", &[("class", class.as_str())], |markup| {
            markup.text(&state(lane.state));
        });
    });
}

/// A phase of a lane.
fn bar(
    markup: &mut Markup,
    report: &Report<'_>,
    (number, lane): (usize, &Lane<'_>),
    (at, span): (usize, &Span<'_>),
) {
    let phase = report.phases.iter().position(|phase| *phase == span.phase);
    let colour = colour(phase.unwrap_or_default());
    let bad = span.failed || lane.spans.len() == 1 && is_bad(lane.state);
    let mut class = if bad { "bad".to_owned() } else { colour };
    if span.open {
        class.push_str(" open");
    }
    let part = format!("#lane-{number}-{at}");
    markup.inside("a", &[("href", &part)], |markup| {
        let whole = report.seconds;
        if lane.nodes.len() == 1 {
            rect(markup, whole, (span.from, span.to), (&class, "4", "14"), &told(span, None));
            return;
        }
        let usual = lane.usual.get(at).copied().unwrap_or_default();
        let pale = format!("{class} pale");
        let told = told(span, Some(usual));
        rect(markup, whole, (span.from, span.to), (&pale, "4", "14"), &told);
        rect(markup, whole, usual, (&class, "8", "6"), &told);
    });
}

fn rect(
    markup: &mut Markup,
    whole: f64,
    (from, to): (f64, f64),
    (class, y, height): (&str, &str, &str),
    title: &str,
) {
    let percent = |time: f64| if whole > 0.0 { (100.0 * time / whole).min(100.0) } else { 0.0 };
    let width = (percent(to) - percent(from)).max(NARROWEST);
    let x = format!("{:.2}%", percent(from).min(100.0 - width));
    let width = format!("{width:.2}%");
    let attributes = [
        ("x", x.as_str()),
        ("y", y),
        ("width", &width),
        ("height", height),
        ("rx", "2"),
        ("class", class),
    ];
    markup.inside("rect", &attributes, |markup| markup.element("title", "", title));
}

/// A phase and when it ran.
fn told(span: &Span<'_>, usual: Option<(f64, f64)>) -> String {
    let mut text = format!("{}: {}", span.phase, times(span.from, span.to));
    if let Some((from, to)) = usual {
        text.push_str(&format!("; the median node {}", times(from, to)));
    }
    if span.failed {
        text.push_str("; failed");
    }
    if span.open {
        text.push_str("; running");
    }
    text
}

fn colour(phase: usize) -> String {
    format!("p{}", phase % COLOURS)
}
