//! The numbers of the last operation, in the text format of Prometheus.

use std::fmt::Write;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use pallet_core::local::write_public;

use super::trace::Trace;

/// Writes the file. Whoever reads it never sees a part of it.
pub(super) fn write(path: &Path, project: &str, trace: &Trace) -> anyhow::Result<()> {
    let what = || format!("cannot write {}", path.display());
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory).with_context(what)?;
    }
    write_public(path, text(project, trace).as_bytes()).with_context(what)
}

/// The numbers.
fn text(project: &str, trace: &Trace) -> String {
    let totals = trace.totals.unwrap_or_default();
    let labels = format!("project=\"{}\",kind=\"{}\"", escaped(project), trace.kind);
    let mut out = String::new();
    let mut gauge = |name: &str, help: &str, values: &[(&str, f64)]| {
        let name = format!("pallet_last_operation_{name}");
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge");
        for (more, value) in values {
            let _ = writeln!(out, "{name}{{{labels}{more}}} {value}");
        }
    };
    gauge(
        "start_time_seconds",
        "When the last operation began, in seconds since 1970.",
        &[("", unix(trace.time.begin))],
    );
    gauge(
        "end_time_seconds",
        "When the last operation ended, in seconds since 1970.",
        &[("", unix(trace.time.end))],
    );
    gauge("duration_seconds", "How long it took.", &[("", trace.time.seconds())]);
    gauge(
        "success",
        "Whether it succeeded on all nodes: 1 or 0.",
        &[("", f64::from(u8::from(totals.ok)))],
    );
    gauge(
        "cancelled",
        "Whether it was stopped before the end: 1 or 0.",
        &[("", f64::from(u8::from(totals.cancelled)))],
    );
    gauge(
        "nodes",
        "The number of nodes by result.",
        &[
            (",result=\"changed\"", number(totals.changed)),
            (",result=\"unchanged\"", number(totals.unchanged)),
            (",result=\"failed\"", number(totals.failed)),
            (",result=\"not_reached\"", number(totals.not_reached)),
            (",result=\"created\"", number(totals.created)),
            (",result=\"destroyed\"", number(totals.destroyed)),
        ],
    );
    gauge("changes", "How many actions changed something.", &[("", number(trace.changes))]);
    out
}

#[allow(clippy::cast_precision_loss, reason = "numbers of nodes are small")]
fn number(count: usize) -> f64 {
    count as f64
}

fn unix(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// The value of a label.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
