//! The results of a command as JUnit XML: a test suite for each node, with a test case for each
//! action.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;
use std::time::SystemTime;

use pallet_core::engine::{
    Event, Kind, NodeError, NodeResult, PlannedChange, Record, RunResult, natural,
};

use super::markup::escaped;
use crate::terminal::{plain_lines, visible};

/// The longest output that is kept of one test case, in bytes.
const OUTPUT: usize = 64 << 10;

/// The test suites of a command.
#[derive(Debug, Default)]
pub(crate) struct Junit {
    suites: BTreeMap<String, Suite>,
    /// What the operation is, for nodes on which nothing is done.
    kind: Option<Kind>,
    /// Drift is a failure, because it is what the command looks for.
    drift_fails: bool,
}

#[derive(Debug, Default)]
struct Suite {
    cases: Vec<Case>,
    /// When the action began that is running.
    began: Option<SystemTime>,
    /// What that action printed.
    output: String,
}

/// A test case.
#[derive(Debug, Default)]
pub(crate) struct Case {
    /// The group of cases within the suite: a phase.
    pub(crate) class: String,
    pub(crate) name: String,
    /// The file of the project that declared it.
    pub(crate) file: Option<String>,
    pub(crate) seconds: f64,
    pub(crate) verdict: Verdict,
    /// What it printed, or what it would change.
    pub(crate) output: String,
}

/// How a test case ended.
#[derive(Debug, Default)]
pub(crate) enum Verdict {
    #[default]
    Passed,
    /// Its kind, the message in one line, and details.
    Failed(&'static str, String, String),
    /// Something other than the test case went wrong.
    Error(String),
    /// Why it was not tried.
    Skipped(String),
}

impl Junit {
    /// No suite yet. `drift_fails`: drift is what the command looks for.
    pub(crate) fn new(drift_fails: bool) -> Self {
        Junit { drift_fails, ..Junit::default() }
    }

    /// Adds a test case to a suite.
    pub(crate) fn add(&mut self, suite: &str, case: Case) {
        self.suite(suite).cases.push(case);
    }

    /// Adds what an event of an operation tells.
    pub(crate) fn record(&mut self, record: &Record) {
        match &record.event {
            Event::Started { kind, nodes, .. } => {
                self.kind = Some(*kind);
                for node in nodes {
                    self.suite(node);
                }
            }
            Event::ActionStarted { node, .. } => {
                let suite = self.suite(node);
                (suite.began, suite.output) = (Some(record.time), String::new());
            }
            Event::Output { node, line, .. } => append(&mut self.suite(node).output, line),
            Event::Action { change, .. } => {
                let suite = self.suite(&change.node);
                let seconds = suite.seconds(record.time);
                let output = std::mem::take(&mut suite.output);
                suite.cases.push(Case { seconds, ..case(change, &output) });
            }
            Event::Planned(change) => self.add(&change.node, case(change, "")),
            Event::Drift(change) => {
                let mut case = case(change, "");
                if self.drift_fails {
                    let what = format!("drift: {}", change.summary);
                    case.verdict = Verdict::Failed("drift", what, std::mem::take(&mut case.output));
                }
                self.add(&change.node, case);
            }
            Event::NotCreated { node, error, .. } => {
                let verdict = Verdict::Failed("not created", error.clone(), String::new());
                self.add(
                    node,
                    Case { name: "create the node".to_owned(), verdict, ..Case::default() },
                );
            }
            Event::Created { node, .. } => {
                self.add(node, Case { name: "create the node".to_owned(), ..Case::default() });
            }
            Event::Destroyed { node, .. } => {
                self.add(node, Case { name: "destroy the node".to_owned(), ..Case::default() });
            }
            Event::Ran(result) => self.add(&result.node, ran(result)),
            Event::NodeFinished { node, result, .. } => self.finished(node, result, record.time),
            _ => {}
        }
    }

    fn finished(&mut self, node: &str, result: &NodeResult, time: SystemTime) {
        let kind = self.kind.map(|kind| kind.to_string()).unwrap_or_default();
        let suite = self.suite(node);
        match result {
            NodeResult::Failed { error, .. } => {
                let seconds = suite.seconds(time);
                let output = std::mem::take(&mut suite.output);
                suite.cases.push(Case { seconds, output, ..failed(error, &kind) });
            }
            NodeResult::NotReached { reason } => {
                let verdict = Verdict::Skipped(reason.clone());
                suite.cases.push(Case { name: kind, verdict, ..Case::default() });
            }
            _ if suite.cases.is_empty() => {
                suite.cases.push(Case { name: kind, ..Case::default() });
            }
            _ => {}
        }
    }

    fn suite(&mut self, name: &str) -> &mut Suite {
        self.suites.entry(name.to_owned()).or_default()
    }

    /// The document.
    pub(crate) fn xml(&self) -> String {
        let mut suites: Vec<_> = self.suites.iter().collect();
        suites.sort_by_cached_key(|(name, _)| natural(name));
        let all = || suites.iter().flat_map(|(_, suite)| &suite.cases);
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        let _ = writeln!(out, "<testsuites name=\"pallet\"{}>", counts(all()));
        for (name, suite) in &suites {
            let counts = counts(suite.cases.iter());
            let _ = writeln!(out, "  <testsuite name=\"{}\"{counts}>", attribute(name));
            let mut taken = HashSet::new();
            for case in &suite.cases {
                let class = match case.class.as_str() {
                    "" => (*name).clone(),
                    class => format!("{name}.{class}"),
                };
                write_case(&mut out, case, &class, &mut taken);
            }
            out.push_str("  </testsuite>\n");
        }
        out.push_str("</testsuites>\n");
        out
    }
}

impl Suite {
    /// The duration of the running action, which ends now.
    fn seconds(&mut self, now: SystemTime) -> f64 {
        let took = self.began.take().and_then(|began| now.duration_since(began).ok());
        took.unwrap_or_default().as_secs_f64()
    }
}

/// The case of an action that is done, or would be.
fn case(change: &PlannedChange, printed: &str) -> Case {
    let mut output = String::new();
    if change.certainty.is_some() {
        append(&mut output, &change.summary);
        change.diff.lines().for_each(|line| append(&mut output, line));
    }
    printed.lines().for_each(|line| append(&mut output, line));
    Case {
        class: change.phase.clone(),
        name: format!("{} {}", change.action, change.subject).trim_end().to_owned(),
        file: change.source.as_ref().map(|source| source.file.clone()),
        output,
        ..Case::default()
    }
}

/// The case of the action that failed, or of the node if it was none.
fn failed(error: &NodeError, kind: &str) -> Case {
    let mut detail = error.source.iter().fold(String::new(), |_, at| format!("declared at {at}\n"));
    detail.push_str(&error.detail);
    Case {
        class: error.phase.clone().unwrap_or_default(),
        name: error.action.clone().unwrap_or_else(|| kind.to_owned()),
        file: error.source.as_ref().map(|source| source.file.clone()),
        verdict: Verdict::Failed("failed", error.message.clone(), detail),
        ..Case::default()
    }
}

/// The case of a command on a node.
fn ran(result: &RunResult) -> Case {
    let mut output = String::new();
    result.stdout.lines().chain(result.stderr.lines()).for_each(|line| append(&mut output, line));
    let why = match (result.exit, &result.error) {
        (Some(0), _) => None,
        (Some(code), _) => Some(format!("exit {code}")),
        (None, error) => Some(error.clone().unwrap_or_else(|| "it did not end".to_owned())),
    };
    let verdict = why.map(|why| Verdict::Failed("failed", why, result.stderr.clone()));
    Case {
        name: "run".to_owned(),
        seconds: result.seconds,
        verdict: verdict.unwrap_or_default(),
        output,
        ..Case::default()
    }
}

/// Appends a line, unless the text is long already.
fn append(text: &mut String, line: &str) {
    const CUT: &str = "(the rest is not shown)\n";
    if text.len() + line.len() < OUTPUT {
        text.push_str(line);
        text.push('\n');
    } else if !text.ends_with(CUT) {
        text.push_str(CUT);
    }
}

/// The attributes that count test cases.
fn counts<'a>(cases: impl Iterator<Item = &'a Case>) -> String {
    let (mut tests, mut failures, mut errors, mut skipped, mut seconds) = (0, 0, 0, 0, 0.0);
    for case in cases {
        tests += 1;
        seconds += case.seconds;
        match case.verdict {
            Verdict::Passed => {}
            Verdict::Failed(..) => failures += 1,
            Verdict::Error(_) => errors += 1,
            Verdict::Skipped(_) => skipped += 1,
        }
    }
    format!(
        " tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\" \
         time=\"{seconds:.3}\""
    )
}

fn write_case(out: &mut String, case: &Case, class: &str, taken: &mut HashSet<String>) {
    // reports tell cases apart by their names
    let mut name = case.name.clone();
    let mut number = 1;
    while !taken.insert(format!("{class}\n{name}")) {
        number += 1;
        name = format!("{} ({number})", case.name);
    }
    let file = case.file.as_ref().map(|file| format!(" file=\"{}\"", attribute(file)));
    let _ = write!(
        out,
        "    <testcase classname=\"{}\" name=\"{}\"{} time=\"{:.3}\"",
        attribute(class),
        attribute(&name),
        file.unwrap_or_default(),
        case.seconds
    );
    let mut inner = String::new();
    let _ = match &case.verdict {
        Verdict::Passed => Ok(()),
        Verdict::Failed(kind, message, detail) => writeln!(
            inner,
            "      <failure type=\"{kind}\" message=\"{}\">{}</failure>",
            attribute(message),
            text(detail)
        ),
        Verdict::Error(message) => {
            writeln!(inner, "      <error type=\"error\" message=\"{}\"/>", attribute(message))
        }
        Verdict::Skipped(why) => {
            writeln!(inner, "      <skipped message=\"{}\"/>", attribute(why))
        }
    };
    if !case.output.is_empty() {
        let _ = writeln!(inner, "      <system-out>{}</system-out>", text(&case.output));
    }
    match inner.is_empty() {
        true => out.push_str("/>\n"),
        false => {
            let _ = write!(out, ">\n{inner}    </testcase>\n");
        }
    }
}

/// The value of an attribute: one line.
fn attribute(value: &str) -> String {
    xml(&visible(value))
}

/// Text of several lines.
fn text(value: &str) -> String {
    xml(&plain_lines(value))
}

/// Text as XML. Characters that XML cannot have are escaped already, but for two.
fn xml(text: &str) -> String {
    escaped(text).replace('\u{fffe}', "\\u{fffe}").replace('\u{ffff}', "\\u{ffff}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_nodes_is_text() {
        let mut junit = Junit::default();
        let case = || Case {
            name: "a \"<b>\" & \u{ffff}".to_owned(),
            verdict: Verdict::Failed("failed", "\x1b[31m]]>\n".to_owned(), "<&\0\n".to_owned()),
            output: "</system-out>\n".to_owned(),
            ..Case::default()
        };
        junit.add("web-1", case());
        junit.add("web-1", case());
        let xml = junit.xml();
        for part in [
            "tests=\"2\" failures=\"2\" errors=\"0\" skipped=\"0\"",
            "name=\"a &quot;&lt;b&gt;&quot; &amp; \\u{ffff}\" time=",
            "name=\"a &quot;&lt;b&gt;&quot; &amp; \\u{ffff} (2)\" time=",
            "message=\"\\u{1b}[31m]]&gt;\\n\">&lt;&amp;\\u{0}\n</failure>",
            "<system-out>&lt;/system-out&gt;\n</system-out>",
        ] {
            assert!(xml.contains(part), "{part}\n{xml}");
        }
    }

    #[test]
    fn what_a_case_prints_is_bounded() {
        let mut output = String::new();
        (0..10_000).for_each(|_| append(&mut output, "twenty characters ..."));
        assert!(output.len() < OUTPUT + 100 && output.ends_with("(the rest is not shown)\n"));
    }
}
