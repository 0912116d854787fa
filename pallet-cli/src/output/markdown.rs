//! A plan as markdown, for a comment on a pull request.
//!
//! What comes from nodes and projects is only in code: in fences, spans and `<code>`. There it is
//! no markup, no link and no mention of a user.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;

use pallet_core::action::Certainty;
use pallet_core::engine::{NodeError, NodeResult, Outcome, PlannedChange, compact};

use super::markup::escaped;
use crate::terminal::{plain_lines, visible};

/// Up to this many names or patterns of nodes are written in one place.
const NAMES: usize = 20;
/// Up to this many warnings are written.
const WARNINGS: usize = 10;
/// Room for the last line, which says what was cut.
const NOTE: usize = 300;

/// A plan.
pub(crate) struct PlanReport<'a> {
    pub(crate) project: &'a str,
    /// `lift` or `converge`.
    pub(crate) verb: &'a str,
    pub(crate) outcome: &'a Outcome,
    pub(crate) changes: &'a [PlannedChange],
    /// Each with its node, if it is about one.
    pub(crate) warnings: &'a [(Option<String>, String)],
}

impl PlanReport<'_> {
    /// The plan, in at most `limit` characters.
    pub(crate) fn markdown(&self, limit: usize) -> String {
        let mut out = Limited { text: self.heading(), left: 0, no_diff: 0, omitted: 0 };
        out.left = limit.saturating_sub(length(&out.text) + NOTE);
        for (error, nodes) in failures(self.outcome) {
            out.push(&failure(error, &nodes, true), &failure(error, &nodes, false));
        }
        for (nodes, what) in
            [(&self.outcome.created, "create"), (&self.outcome.destroyed, "**destroy**")]
        {
            if !nodes.is_empty() {
                let text = format!("- {what} {}\n\n", of_nodes(nodes.iter().map(String::as_str)));
                out.push(&text, &text);
            }
        }
        for alike in alike(self.changes) {
            out.push(&alike.section(true), &alike.section(false));
        }
        for (node, message) in self.warnings.iter().take(WARNINGS) {
            let node = node.as_ref().map(|node| format!("{node}: ")).unwrap_or_default();
            let text = format!("- warning: {}\n", span(&format!("{node}{message}")));
            out.push(&text, &text);
        }
        if self.warnings.len() > WARNINGS {
            let text = format!("- {} more warnings\n", self.warnings.len() - WARNINGS);
            out.push(&text, &text);
        }
        out.finish(limit)
    }

    /// What happens in one line, below a mark by which a later run finds the comment.
    fn heading(&self) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
        let mark: String = self.project.chars().map(plain).collect();
        // two of them would end the comment
        let mark = mark.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
        let outcome = self.outcome;
        let (changed, unchanged, failed) = outcome.counts();
        let mut parts = Vec::new();
        for (number, what) in [
            (failed, "failed"),
            (outcome.destroyed.len(), "would be destroyed"),
            (outcome.created.len(), "would be created"),
            (changed, "would change"),
            (outcome.not_reached(), "not reached"),
            (unchanged, "unchanged"),
        ] {
            if number > 0 {
                parts.push(format!("{number} {what}"));
            }
        }
        let nodes = outcome.nodes.len();
        let counted = if nodes == 1 { "node" } else { "nodes" };
        let what = match (parts.len(), unchanged == nodes) {
            (0, _) => "no nodes, nothing to do".to_owned(),
            (1, true) => format!("nothing to change on {nodes} {counted}"),
            _ => format!("nodes: {}", parts.join(", ")),
        };
        let what = match outcome.drifted() {
            0 => what,
            number => format!("{what}; {number} changed by hand and kept"),
        };
        let what = if outcome.cancelled { format!("stopped; {what}") } else { what };
        format!(
            "<!-- pallet-plan: {mark} -->\n### Pallet: {what}\n\nPlan of a {} of {}. Nothing was \
             changed.\n\n",
            self.verb,
            span(self.project)
        )
    }
}

/// Text that is not longer than it may be.
struct Limited {
    text: String,
    /// How many characters may follow.
    left: usize,
    /// How many sections are without their details.
    no_diff: usize,
    omitted: usize,
}

impl Limited {
    /// Appends a section: in full, or without details, or not at all.
    fn push(&mut self, full: &str, short: &str) {
        let text = match (length(full) <= self.left, length(short) <= self.left) {
            (true, _) => full,
            (false, true) => {
                self.no_diff += 1;
                short
            }
            (false, false) => {
                self.omitted += 1;
                return;
            }
        };
        self.left -= length(text);
        self.text.push_str(text);
    }

    fn finish(mut self, limit: usize) -> String {
        if self.no_diff + self.omitted > 0 {
            let _ = writeln!(
                self.text,
                "\n*Cut to {limit} characters: {} without details, {} not shown. `pallet-cli plan` \
                 shows all.*",
                counted(self.no_diff),
                counted(self.omitted)
            );
        }
        self.text
    }
}

fn counted(entries: usize) -> String {
    format!("{entries} {}", if entries == 1 { "entry" } else { "entries" })
}

fn length(text: &str) -> usize {
    text.chars().count()
}

/// The same change of several nodes.
struct Alike<'a> {
    change: &'a PlannedChange,
    nodes: Vec<&'a str>,
}

/// Puts equal changes together, in the order in which they come.
fn alike(changes: &[PlannedChange]) -> Vec<Alike<'_>> {
    let mut found: Vec<Alike<'_>> = Vec::new();
    let mut places = HashMap::new();
    for change in changes {
        let certainty = change.certainty.map(|certainty| certainty as u8);
        let what = (&change.phase, &change.action, &change.subject, &change.summary);
        let how = (&change.diff, certainty, change.undone, change.predicted);
        let place = *places.entry((what, how)).or_insert_with(|| {
            found.push(Alike { change, nodes: Vec::new() });
            found.len() - 1
        });
        found[place].nodes.push(&change.node);
    }
    found
}

impl Alike<'_> {
    /// A collapsed section.
    fn section(&self, with_diff: bool) -> String {
        let change = self.change;
        let mark = match change.certainty {
            Some(Certainty::Drifted) => '!',
            Some(Certainty::May) => '?',
            _ => '~',
        };
        let mut notes = Vec::new();
        match change.certainty {
            Some(Certainty::May) => notes.push("known after apply"),
            Some(Certainty::Drifted) if change.undone => {
                notes.push("changed since Pallet applied it, reverted by a lift");
            }
            Some(Certainty::Drifted) => notes.push("changed by hand, kept"),
            _ => {}
        }
        if change.predicted {
            notes.push("predicted");
        }
        let notes: String = notes.iter().map(|note| format!(" ({note})")).collect();
        let what = format!("{mark} {} {}", change.action, change.subject);
        let mut text = format!(
            "<details><summary>{} on {}: {}{notes}</summary>\n\nPhase {}",
            code(&what),
            html_nodes(&self.nodes),
            code(&change.summary),
            span(&change.phase)
        );
        if let Some(source) = &change.source {
            let _ = write!(text, ", declared at {}", span(&source.to_string()));
        }
        if !change.via.is_empty() {
            let _ = write!(text, ", via {}", span(&change.via.join(", ")));
        }
        text.push_str(".\n\n");
        match (with_diff, change.diff.is_empty()) {
            (_, true) => {}
            (true, false) => text.push_str(&fence("diff", &change.diff)),
            (false, false) => text.push_str("The diff is too long for this comment.\n\n"),
        }
        text.push_str("</details>\n\n");
        text
    }
}

/// The errors, each with the nodes that failed with it.
fn failures(outcome: &Outcome) -> Vec<(&NodeError, Vec<&str>)> {
    let mut found: Vec<(&NodeError, Vec<&str>)> = Vec::new();
    for node in &outcome.nodes {
        let NodeResult::Failed { error, .. } = &node.result else { continue };
        match found.iter_mut().find(|(known, _)| *known == error) {
            Some((_, nodes)) => nodes.push(&node.node),
            None => found.push((error, vec![&node.node])),
        }
    }
    found
}

/// A section with an error.
fn failure(error: &NodeError, nodes: &[&str], with_detail: bool) -> String {
    let mut text = format!("{}\n", error.message);
    let place = [&error.phase, &error.action].into_iter().flatten().cloned();
    let place: Vec<_> = place.chain(error.source.as_ref().map(ToString::to_string)).collect();
    if !place.is_empty() {
        let _ = writeln!(text, "in {}", place.join(", "));
    }
    if with_detail {
        text.push_str(&error.detail);
    }
    format!(
        "<details open><summary><b>failed:</b> {}</summary>\n\n{}</details>\n\n",
        html_nodes(nodes),
        fence("text", &text)
    )
}

/// Names of nodes, with patterns for those that are numbered, in a code span.
fn of_nodes<'a>(nodes: impl Iterator<Item = &'a str>) -> String {
    let nodes: HashSet<_> = nodes.collect();
    let (names, count) = named(&nodes.iter().copied().collect::<Vec<_>>());
    format!("{}{count}", span(&names))
}

fn html_nodes(nodes: &[&str]) -> String {
    let (names, count) = named(nodes);
    format!("{}{count}", code(&names))
}

fn named(nodes: &[&str]) -> (String, String) {
    let words = compact(nodes.iter().copied());
    let more = if words.len() > NAMES { " ..." } else { "" };
    let names = words.iter().take(NAMES).map(String::as_str).collect::<Vec<_>>().join(" ");
    let count = if nodes.len() > 1 { format!(" ({} nodes)", nodes.len()) } else { String::new() };
    (names + more, count)
}

/// One line in `<code>`, where markdown is not read.
fn code(text: &str) -> String {
    format!("<code>{}</code>", escaped(&visible(text)))
}

/// One line in a code span.
fn span(text: &str) -> String {
    let text = visible(text);
    let marks = "`".repeat(longest_run(&text) + 1);
    let ends = |end: char| text.starts_with(end) || text.ends_with(end);
    // one space at each end does not count
    let space = if text.is_empty() || ends('`') || ends(' ') { " " } else { "" };
    format!("{marks}{space}{text}{space}{marks}")
}

/// Lines in a fence.
fn fence(language: &str, text: &str) -> String {
    let text = plain_lines(text);
    let marks = "`".repeat(longest_run(&text).max(2) + 1);
    format!("{marks}{language}\n{}\n{marks}\n\n", text.trim_end_matches('\n'))
}

/// The length of the longest run of backticks.
fn longest_run(text: &str) -> usize {
    text.split(|character| character != '`').map(str::len).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use pallet_core::engine::NodeOutcome;

    use super::*;

    fn change(node: &str, subject: &str, diff: &str) -> PlannedChange {
        PlannedChange {
            node: node.to_owned(),
            phase: "configure".to_owned(),
            number: 1,
            action: "remote_file".to_owned(),
            subject: subject.to_owned(),
            certainty: Some(Certainty::Will),
            summary: "content".to_owned(),
            diff: diff.to_owned(),
            source: None,
            via: Vec::new(),
            undone: false,
            predicted: false,
            on_behalf_of: None,
        }
    }

    fn plan(changes: &[PlannedChange], nodes: &[NodeOutcome], limit: usize) -> String {
        let outcome = Outcome { nodes: nodes.to_vec(), ..Outcome::default() };
        let warnings = [(None, "look at `this` @root\n# no heading".to_owned())];
        let report = PlanReport {
            project: "a-->b",
            verb: "lift",
            outcome: &outcome,
            changes,
            warnings: &warnings,
        };
        report.markdown(limit)
    }

    fn outcome(node: &str, result: NodeResult) -> NodeOutcome {
        NodeOutcome { node: node.to_owned(), group: "web".to_owned(), drifted: 0, result }
    }

    #[test]
    fn equal_changes_are_one_section() {
        let changes: Vec<_> =
            (1..=48).map(|number| change(&format!("web-{number}"), "/etc/motd", "+hi\n")).collect();
        let nodes: Vec<_> = changes
            .iter()
            .map(|change| outcome(&change.node, NodeResult::Changed { changes: 1 }))
            .collect();
        let text = plan(&changes, &nodes, 65_536);
        assert!(
            text.starts_with("<!-- pallet-plan: a-b -->\n### Pallet: nodes: 48 would change\n")
        );
        assert_eq!(text.matches("<details>").count(), 1, "{text}");
        let summary = "<summary><code>~ remote_file /etc/motd</code> on <code>web-[1:48]</code> \
            (48 nodes): <code>content</code></summary>";
        assert!(text.contains(summary), "{text}");
        assert!(text.contains("\n```diff\n+hi\n```\n"), "{text}");
        assert!(text.contains("- warning: ``look at `this` @root\\n# no heading``\n"), "{text}");
    }

    #[test]
    fn text_of_nodes_is_no_markup() {
        let error = NodeError {
            detail: "````\n</details>@everyone".to_owned(),
            ..NodeError::new("<img src=x>")
        };
        let nodes = [outcome("web-1", NodeResult::Failed { changes: 0, error })];
        let diff = "+```\n+</details><script>\n";
        let text = plan(&[change("web-1", "/<b>\n\n@root", diff)], &nodes, 65_536);
        assert!(text.contains("<code>~ remote_file /&lt;b&gt;\\n\\n@root</code>"), "{text}");
        assert!(text.contains("````diff\n+```\n+</details><script>\n````\n"), "{text}");
        let failed = "\n`````text\n<img src=x>\n````\n</details>@everyone\n`````\n";
        assert!(text.contains(failed), "{text}");
    }

    #[test]
    fn a_long_plan_is_cut_and_says_so() {
        let long = "+line\n".repeat(500);
        let changes: Vec<_> =
            (0..60).map(|number| change("web-1", &format!("/srv/{number}"), &long)).collect();
        let text = plan(&changes, &[], 8_000);
        assert!(length(&text) <= 8_000, "{}", length(&text));
        assert!(text.contains("/srv/0</code>") && text.contains("too long for this comment"));
        assert!(!text.contains("/srv/59<"), "{text}");
        assert!(text.trim_end().ends_with("shows all.*"), "{text}");
        assert!(text.contains("*Cut to 8000 characters: "), "{text}");
    }
}
