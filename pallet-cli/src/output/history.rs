//! Past operations, for a person: a list, one operation, and how two differ.

use std::fmt::Write;

use humantime::format_rfc3339_seconds;
use pallet_core::engine::{
    ComparedChange, Comparison, Ending, Event, JournalError, JournalFile, JournalSummary, Journals,
    Kind, Record, Totals, natural,
};
use pallet_core::script::quote;

use super::copy_result::copy_result;
use super::printer::Printer;
use super::progress::Progress;
use super::run_result::run_result;
use super::summary::summary;
use super::table::table;
use crate::terminal::visible;

/// The length of a short ID: its end, which is random.
const SHORT: usize = 12;

/// When an operation began: RFC 3339, UTC, to the second.
pub(crate) fn time(operation: &str) -> String {
    let began = Journals::began(operation);
    began.map(|began| format_rfc3339_seconds(began).to_string()).unwrap_or_default()
}

/// The table of operations.
pub(crate) fn list(entries: &[(Result<JournalSummary, JournalError>, String)]) -> String {
    let rows = entries.iter().map(|(read, operation)| {
        let (who, what, ended) = match read {
            Ok(JournalSummary { header, ending, finished }) => (
                format!("{}@{}", header.user, header.host),
                command(&header.command),
                ended(*ending, finished.as_ref().map(|(totals, seconds)| (totals, *seconds))),
            ),
            Err(error) => (String::new(), String::new(), format!("cannot be read: {error}")),
        };
        let texts = [who, what, ended].map(|text| visible(&text).into_owned());
        [short_id(operation).to_owned(), time(operation)].into_iter().chain(texts).collect()
    });
    table(&["ID", "TIME", "USER", "COMMAND", "RESULT"], rows)
}

/// The heading of an operation: all of its header that concerns a person.
pub(crate) fn heading(printer: &Printer, journal: &JournalFile, ending: Ending) -> String {
    let header = &journal.header;
    let title = format!("{}: {}", header.operation, command(&header.command));
    let resumes = header.resumes.iter().map(|earlier| ("resumes", earlier.clone()));
    let rows = [
        ("time", time(&header.operation)),
        (
            "user",
            format!(
                "{} on {}, process {}, pallet {}",
                header.user, header.host, header.process, header.pallet
            ),
        ),
        ("project", format!("{} in {}", header.project, header.directory)),
        ("service", header.service.clone()),
    ];
    let mut out = format!("{}\n", printer.paint(&visible(&title), "1"));
    let result = ("result", ended(ending, journal.finished()));
    for (name, text) in rows.into_iter().chain(resumes).chain([result]) {
        let _ = writeln!(out, "  {name:<9}{}", visible(&text));
    }
    out.push('\n');
    out
}

/// Prints what an operation did, in the words in which it was reported while it ran.
pub(crate) fn operation(printer: &Printer, journal: &JournalFile) {
    let progress = Progress::replaying(printer.clone());
    for record in &journal.records {
        match &record.event {
            // the results contain it
            Event::Output { .. } if journal.kind() == Some(Kind::Run) => {}
            _ => replay(printer, &progress, record),
        }
    }
    progress.abandon();
    results(printer, journal);
}

/// Prints everything about one node, with its output.
pub(crate) fn node(printer: &Printer, journal: &JournalFile, node: &str) {
    let about = journal.records.iter().filter(|record| {
        matches!(record.event, Event::Started { .. } | Event::Finished { .. })
            || record.node().as_deref() == Some(node)
    });
    let journal = JournalFile { records: about.cloned().collect(), ..journal.clone() };
    // unchanged actions, diffs and output
    let mut verbose = printer.clone();
    verbose.verbose = verbose.verbose.max(2);
    verbose.per_node = true;
    operation(&verbose, &journal);
}

/// Prints a record as it was reported.
fn replay(printer: &Printer, progress: &Progress, record: &Record) {
    match &record.event {
        // the results tell the same, and more
        Event::Finished { .. } => {}
        // a part of this command's result, and no warning about it
        Event::Warning { .. } => printer.line(&record.event.to_string()),
        Event::Connected { .. }
        | Event::PhaseStarted { .. }
        | Event::PhaseFinished { .. }
        | Event::NodeDone { .. }
            if printer.verbose > 1 =>
        {
            printer.line(&record.event.to_string());
        }
        _ => progress.record(record),
    }
}

/// Prints the results of the nodes: failures with their errors, what commands printed, counts.
fn results(printer: &Printer, journal: &JournalFile) {
    let finished = journal.finished().map(|(_, seconds)| seconds);
    let seconds = finished.unwrap_or_default();
    let text = match journal.kind() {
        Some(Kind::Run) => run_result(printer, &journal.run_outcome(), true, seconds),
        Some(Kind::Copy) => copy_result(printer, &journal.copy_outcome(), seconds),
        _ => summary(printer, &journal.outcome(), false, seconds),
    };
    if finished.is_some() {
        return printer.text(&text);
    }
    // the last line counts nodes, but those that are missing may have been reached
    let text = text.trim_end();
    printer.text(text.rfind('\n').and_then(|end| text.get(..=end)).unwrap_or_default());
    printer.line("there is no record of the end");
}

/// How two operations differ: lines of the first with `-`, of the second with `+`.
pub(crate) fn comparison(printer: &Printer, comparison: &Comparison) -> String {
    let mut out = String::new();
    let mut nodes: Vec<_> = comparison.nodes.iter().collect();
    nodes.sort_by_cached_key(|(name, _)| natural(name));
    for (name, node) in nodes {
        let _ = writeln!(out, "{}", printer.paint(name, "1"));
        let sides = [
            ("-", &node.only_first, &node.first_result),
            ("+", &node.only_second, &node.second_result),
        ];
        for (mark, changes, result) in sides {
            let changes = changes.iter().map(described);
            for line in changes.chain(result.iter().cloned()) {
                let _ = writeln!(out, "{}", printer.diff_line(&format!("{mark} {line}")));
            }
        }
    }
    if out.is_empty() {
        out.push_str("no differences\n");
    }
    out
}

fn described(change: &ComparedChange) -> String {
    let ComparedChange { phase, action, subject, summary } = change;
    format!("{phase}: {action} {subject}: {summary}")
}

/// How an operation ended: `failed: 2 changed, 1 failed (3.1 s)`.
fn ended(ending: Ending, finished: Option<(&Totals, f64)>) -> String {
    let Some((totals, seconds)) = finished else { return ending.to_string() };
    match counted(totals) {
        None => format!("{ending} ({seconds:.1} s)"),
        Some(counts) => format!("{ending}: {counts} ({seconds:.1} s)"),
    }
}

/// The numbers of nodes: `2 changed, 1 failed`; `None` if all are 0.
pub(crate) fn counted(totals: &Totals) -> Option<String> {
    let counts = [
        (totals.created, "created"),
        (totals.destroyed, "destroyed"),
        (totals.changed, "changed"),
        (totals.unchanged, "unchanged"),
        (totals.failed, "failed"),
        (totals.not_reached, "not reached"),
    ];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    let counts: Vec<_> = counts.map(|(count, what)| format!("{count} {what}")).collect();
    (!counts.is_empty()).then(|| counts.join(", "))
}

/// The short form of an operation's ID: its end, which is random.
pub(crate) fn short_id(operation: &str) -> &str {
    operation.len().checked_sub(SHORT).and_then(|at| operation.get(at..)).unwrap_or(operation)
}

/// The words of a command, quoted where a shell needs that.
pub(crate) fn command(words: &[String]) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=:@%+,…".contains(c);
    let word = |word: &String| match !word.is_empty() && word.chars().all(plain) {
        true => word.clone(),
        false => quote(word),
    };
    words.iter().map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_is_a_row() {
        let header = |words: &[&str]| pallet_core::engine::JournalHeader {
            command: words.iter().map(|word| (*word).to_owned()).collect(),
            user: "ops".to_owned(),
            host: "build7".to_owned(),
            ..Default::default()
        };
        let totals = Totals { changed: 2, failed: 1, ..Totals::default() };
        let entries = [
            (
                Ok(JournalSummary {
                    header: header(&["run", "web", "--", "df -h | tail -1\u{1b}[31m"]),
                    ending: Ending::Failed,
                    finished: Some((totals, 3.12)),
                }),
                "019ad0c8-5a00-7000-8000-7f3a9c01d2e4".to_owned(),
            ),
            (
                Ok(JournalSummary {
                    header: header(&["lift", "--env", "motd=…"]),
                    ending: Ending::Running,
                    finished: None,
                }),
                "019ad0c8-5a01-7000-8000-c52b04e81a6f".to_owned(),
            ),
            (
                Err(JournalError::Newer { path: "x.jsonl".into(), version: 2 }),
                "019ad0c8-5a02-7000-8000-000000000001".to_owned(),
            ),
        ];
        expect_test::expect![[r#"
            ID            TIME                  USER        COMMAND                                 RESULT
            7f3a9c01d2e4  2025-11-29T18:03:02Z  ops@build7  run web -- 'df -h | tail -1\u{1b}[31m'  failed: 2 changed, 1 failed (3.1 s)
            c52b04e81a6f  2025-11-29T18:03:02Z  ops@build7  lift --env motd=…                       running
            000000000001  2025-11-29T18:03:02Z                                                      cannot be read: x.jsonl was written by a newer Pallet (format 2; this one knows 1); update Pallet to read it
        "#]].assert_eq(&list(&entries));
    }
}
