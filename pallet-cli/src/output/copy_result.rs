//! The result of a copy, for a person.

use std::fmt::Write;

use pallet_core::engine::CopyOutcome;

use super::error_lines::ErrorLines;
use super::fold::names;
use super::printer::Printer;
use crate::terminal::visible;

/// The copied files with nodes of equal results grouped, and a summary line.
pub(crate) fn copy_result(printer: &Printer, outcome: &CopyOutcome, seconds: f64) -> String {
    let mut out = String::new();
    let groups = outcome.grouped();
    let errors = ErrorLines::of(printer, &groups, |result| result.error.as_ref());
    for (nodes, result) in &groups {
        for copied in &result.copied {
            let names = printer.paint(&names(nodes), "1");
            let files =
                if copied.files == 1 { String::new() } else { format!("{} files, ", copied.files) };
            let _ = writeln!(
                out,
                "{names}: {} -> {} ({files}{})",
                visible(&copied.from),
                visible(&copied.to),
                size(copied.bytes)
            );
        }
        out.extend(result.error.as_ref().and_then(|error| errors.line(error)));
    }
    out.push_str(&errors.rest());
    let failed = outcome.nodes.iter().filter(|node| node.error.is_some()).count();
    let (text, code) = match (outcome.cancelled, failed) {
        (true, _) => ("stopped".to_owned(), "31;1"),
        (false, 0) => ("all copied".to_owned(), "32;1"),
        (false, failed) => {
            (format!("failed with {failed} of {}", count(outcome.nodes.len())), "31;1")
        }
    };
    let _ = writeln!(out, "{} ({seconds:.1} s)", printer.paint(&text, code));
    out
}

fn count(nodes: usize) -> String {
    if nodes == 1 { "1 node".to_owned() } else { format!("{nodes} nodes") }
}

/// A human-readable size.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut size = bytes as f64 / 1000.0;
    let mut unit = 0;
    while size >= 999.95 && unit + 1 < UNITS.len() {
        (size, unit) = (size / 1000.0, unit + 1);
    }
    format!("{size:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_short() {
        let sizes = [0, 999, 1000, 50_000_000, 999_999_999].map(size);
        assert_eq!(sizes, ["0 B", "999 B", "1.0 kB", "50.0 MB", "1.0 GB"]);
    }
}
