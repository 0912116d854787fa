//! The result of a command on nodes, for a person. Nodes with equal results are grouped.

use std::fmt::Write;

use pallet_core::engine::RunOutcome;

use super::error_lines::ErrorLines;
use super::fold::names;
use super::printer::Printer;
use crate::terminal::visible;

/// The results, each with its nodes, and a summary line; `outputs`: also the output.
pub(crate) fn run_result(
    printer: &Printer,
    outcome: &RunOutcome,
    outputs: bool,
    seconds: f64,
) -> String {
    let mut out = String::new();
    let groups = outcome.grouped();
    let errors = ErrorLines::of(printer, &groups, |result| result.error.as_ref());
    for (nodes, result) in &groups {
        match &result.error {
            Some(error) => {
                let Some(line) = errors.line(error) else { continue };
                out.push_str(&line);
            }
            None => {
                let (names, code) =
                    (printer.paint(&names(nodes), "1"), result.exit.unwrap_or_default());
                let _ = writeln!(
                    out,
                    "{names}: {}",
                    printer.paint(&format!("exit {code}"), if code == 0 { "32" } else { "31;1" })
                );
            }
        }
        if outputs {
            for line in result.stdout.lines() {
                let _ = writeln!(out, "  {}", visible(line));
            }
            for line in result.stderr.lines() {
                let _ = writeln!(out, "{}", printer.paint(&format!("  ! {}", visible(line)), "31"));
            }
        }
        if result.left_out > 0 {
            let _ = writeln!(out, "  ({} bytes more are not shown)", result.left_out);
        }
    }
    out.push_str(&errors.rest());
    let failed = outcome.nodes.iter().filter(|node| node.exit != Some(0)).count();
    let stopped = if outcome.cancelled { ", stopped" } else { "" };
    let (text, code) = match (outcome.nodes.len(), failed) {
        (0, _) => ("no nodes".to_owned(), "33;1"),
        (1, 0) => ("1 node, exit 0".to_owned(), "32;1"),
        (count, 0) => (format!("{count} nodes, exit 0 on all"), "32;1"),
        (1, _) => ("1 node, failed".to_owned(), "31;1"),
        (count, failed) => (format!("{count} nodes, failed on {failed}"), "31;1"),
    };
    let _ = writeln!(out, "{} ({seconds:.1} s)", printer.paint(&format!("{text}{stopped}"), code));
    out
}

/// A line of output, printed while the command runs.
pub(crate) fn live_line(node: &str, line: &str) -> String {
    format!("{node}: {}", visible(line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::PrintOptions;
    use crate::process::ProcessEnv;
    use pallet_core::engine::RunResult;

    fn plain() -> Printer {
        Printer::new(
            PrintOptions::default(),
            &ProcessEnv { terminal: false, ..ProcessEnv::current() },
        )
    }

    #[test]
    fn equal_results_stand_together() {
        let result = |node: &str, exit, stdout: &str, stderr: &str| RunResult {
            node: node.to_owned(),
            exit,
            error: exit
                .is_none()
                .then(|| "cannot connect to 192.0.2.1:22: it does not answer".to_owned()),
            stdout: stdout.to_owned(),
            stderr: stderr.to_owned(),
            ..RunResult::default()
        };
        let mut nodes = vec![
            result("db-1", Some(0), "up\n", ""),
            result("web-1", Some(2), "", "no\x1b[31m\n"),
            result("web-2", None, "", ""),
        ];
        nodes.extend(
            ["web-3", "web-4", "web-5", "web-7"].map(|node| result(node, Some(0), "up\n", "")),
        );
        let text = run_result(&plain(), &RunOutcome { nodes, cancelled: false }, true, 1.25);
        expect_test::expect![[r#"
            db-1, web-[3:5], web-7: exit 0
              up
            web-1: exit 2
              ! no\u{1b}[31m
            web-2: cannot connect to 192.0.2.1:22: it does not answer
            7 nodes, failed on 2 (1.2 s)
        "#]]
        .assert_eq(&text);
    }
}
