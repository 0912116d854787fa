//! Waves, nodes that were created and destroyed, warnings and messages.

use super::super::model::Report;
use super::changes::left_out;
use super::markup::Markup;
use super::words::{count, lanes_of, names, on, seconds, times};
use crate::terminal::short;

/// How many notes are shown.
const SHOWN: usize = 200;

/// The section with waves.
pub(super) fn waves(markup: &mut Markup, report: &Report<'_>) {
    if report.waves.len() < 2 {
        return;
    }
    markup.inside("section", &[("id", "waves")], |markup| {
        markup.element("h2", "", "Waves");
        markup.inside("table", &[], |markup| {
            for wave in &report.waves {
                markup.inside("tr", &[], |markup| {
                    let title = format!("wave {} of {}", wave.wave, wave.waves);
                    markup.element("th", "", &title);
                    markup.inside("td", &[], |markup| {
                        names(markup, report, &wave.nodes);
                        markup.element("span", "count", &count(wave.nodes.len(), "node"));
                    });
                    let time = match wave.to {
                        Some(to) => times(wave.from, to),
                        None => format!("from {}", seconds(wave.from)),
                    };
                    markup.element("td", "", &time);
                    markup.inside("td", &[("class", "error")], |markup| {
                        if !wave.failed.is_empty() {
                            markup.text(&format!("{} failed", wave.failed.len()));
                        }
                    });
                });
            }
        });
    });
}

/// The section with nodes that were created, started and destroyed.
pub(super) fn machines(markup: &mut Markup, report: &Report<'_>) {
    if report.machines.is_empty() {
        return;
    }
    markup.inside("section", &[("id", "machines")], |markup| {
        markup.element("h2", "", "Created and destroyed");
        for machines in &report.machines {
            let sign = if machines.what == "destroyed" { "-" } else { "+" };
            let lanes = lanes_of(report, &machines.nodes);
            markup.inside("div", &[("class", "part"), ("data-lanes", &lanes)], |markup| {
                markup.inside("p", &[], |markup| {
                    markup.element("span", if sign == "-" { "removed" } else { "added" }, sign);
                    markup.text(&format!(" {} ", machines.what));
                    names(markup, report, &machines.nodes);
                    markup.element("span", "count", &count(machines.nodes.len(), "node"));
                    markup.text(&format!(" of group {}", machines.group));
                    if !machines.made_of.is_empty() {
                        markup.text(&format!(": {}", machines.made_of.join(", ")));
                    }
                });
                if !machines.why.is_empty() {
                    markup.inside("ul", &[("class", "plan")], |markup| {
                        for line in machines.why {
                            markup.element("li", "", &short(line));
                        }
                    });
                }
            });
        }
    });
}

/// The section with warnings and messages.
pub(super) fn notes(markup: &mut Markup, report: &Report<'_>) {
    if report.notes.is_empty() {
        return;
    }
    markup.inside("section", &[("id", "notes")], |markup| {
        markup.element("h2", "", "Warnings and messages");
        for note in report.notes.iter().take(SHOWN) {
            let lanes = lanes_of(report, &note.nodes);
            markup.inside("div", &[("class", "part"), ("data-lanes", &lanes)], |markup| {
                markup.inside("p", &[], |markup| {
                    let class = if note.level == "warning" { "drift" } else { "hint" };
                    markup.element("span", class, note.level);
                    markup.text(": ");
                    markup.text(&note.message);
                    if note.nodes.len() > 1 {
                        markup.element("span", "count", &count(note.nodes.len(), "node"));
                    }
                });
                on(markup, report, &note.nodes);
            });
        }
        if let Some(more @ 1..) = report.notes.len().checked_sub(SHOWN) {
            left_out(markup, report, &format!("{} are left out", count(more, "other note")));
        }
    });
}
