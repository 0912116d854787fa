//! An explanation, for a person.

use std::fmt::Write;

use pallet_core::action::{CONTROLLER, Certainty, Options};
use pallet_core::engine::{ExplainedAction, ExplainedPhase, Explanation};
use serde_json::Value;

use super::failure::failure;
use super::printer::Printer;
use crate::terminal::{short, visible};

/// Maximum length of an argument's value, in characters; longer ones are cut.
const VALUE: usize = 70;
/// Scripts of up to this many lines are always shown.
const SHORT: usize = 3;

/// The explanation of one node, with its line ends. `scripts`: show all scripts, not only short
/// ones.
pub(crate) fn text(printer: &Printer, explanation: &Explanation, scripts: bool) -> String {
    let mut out = String::new();
    let system = explanation.os.as_ref().map(|os| format!(", {os}")).unwrap_or_default();
    let how = match explanation.predicted {
        true => format!("planned, {}", visible(&explanation.os_reason)),
        false => "as it is".to_owned(),
    };
    let _ = writeln!(out, "{}{system}, {how}", printer.paint(&explanation.node, "1"));
    for phase in &explanation.phases {
        explain_phase(&mut out, printer, phase, scripts);
    }
    if explanation.phases.is_empty() && explanation.error.is_none() {
        let _ = writeln!(out, "\n  these phases declare nothing for it");
    }
    if let Some(error) = &explanation.error {
        failure(&mut out, printer, "the rest cannot be explained:", error);
    }
    out
}

fn explain_phase(out: &mut String, printer: &Printer, phase: &ExplainedPhase, scripts: bool) {
    let count = match phase.actions.len() {
        1 => "1 action".to_owned(),
        count => format!("{count} actions"),
    };
    let _ = writeln!(out, "\n{}: {count}", printer.paint(&format!("phase {}", phase.phase), "1"));
    for action in &phase.actions {
        explain_action(out, printer, action, scripts);
    }
}

fn explain_action(out: &mut String, printer: &Printer, action: &ExplainedAction, scripts: bool) {
    let (mark, later) = match action.certainty {
        Some(Certainty::Will) => (printer.paint("~", "33"), ""),
        Some(Certainty::May) => (printer.paint("?", "36"), " (known after apply)"),
        Some(Certainty::Drifted) => {
            (printer.paint("!", "35"), " (changed since Pallet applied it, kept)")
        }
        None => (" ".to_owned(), ""),
    };
    let name = printer.paint(&format!("{} {}", action.action, visible(&action.subject)), "1");
    let reason =
        action.reason.as_ref().map(|reason| format!(": {}", visible(reason))).unwrap_or_default();
    let _ = writeln!(out, "\n{mark} {name}: {}{reason}{later}", visible(&action.summary));
    let mut row = |label: &str, text: &str| {
        if !text.is_empty() {
            let _ = writeln!(out, "    {} {text}", printer.paint(&format!("{label:<10}"), "2"));
        }
    };
    let place = action
        .source
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_else(|| "outside of the project".to_owned());
    let via = if action.via.is_empty() {
        String::new()
    } else {
        format!(", through {}", action.via.join(", "))
    };
    row("declared", &format!("{place}{via}"));
    match action.place.as_deref() {
        Some(CONTROLLER) => row("runs on", "the machine on which Pallet runs"),
        Some(node) => row("runs on", node),
        None => {}
    }
    row("arguments", &arguments(&action.arguments));
    row("options", &options(&action.options));
    for condition in &action.conditions {
        let then = if condition.unless { "fails" } else { "succeeds" };
        let now = match condition.holds {
            Some(true) => " (it does)",
            Some(false) => " (it does not)",
            None => " (checked on the node)",
        };
        row("only when", &format!("`{}` {then}{now}", visible(&condition.command)));
    }
    let parts: Vec<_> = action.blocks.iter().map(|role| role.as_str()).collect();
    row("on_failure", &parts.join(" > "));
    for (number, observed) in action.observes.iter().enumerate() {
        let found = observed
            .found
            .as_ref()
            .map(|found| format!(": {}", visible(found)))
            .unwrap_or_default();
        row(
            if number == 0 { "observes" } else { "" },
            &format!("{}{found}", cut(&visible(&observed.what), VALUE * 2)),
        );
    }
    for upload in &action.uploads {
        let from = upload
            .file
            .as_ref()
            .map(|file| format!(" from {}", visible(&file.display().to_string())))
            .unwrap_or_default();
        row("uploads", &format!("content with sha256 {}{from}", cut(&upload.digest, 12)));
    }
    row("together", &visible(&action.together_with.join(", ")));
    for (number, line) in action.diff.lines().enumerate() {
        row(if number == 0 { "changes" } else { "" }, &printer.diff_line(line));
    }
    let lines = action.script.lines().count();
    if lines > SHORT && !scripts {
        return row("script", &format!("{lines} lines, shown with --script"));
    }
    for (number, line) in action.script.lines().enumerate() {
        row(if number == 0 { "script" } else { "" }, &short(line));
    }
}

/// Arguments as in a call.
fn arguments(arguments: &Value) -> String {
    let Value::Object(arguments) = arguments else { return String::new() };
    let words = arguments.iter().map(|(name, value)| format!("{name} = {}", argument(value)));
    words.collect::<Vec<_>>().join(", ")
}

fn argument(value: &Value) -> String {
    let text = match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        other => other.to_string(),
    };
    cut(&visible(&text), VALUE)
}

fn options(options: &Options) -> String {
    match serde_json::to_value(options) {
        Ok(options) => arguments(&options),
        Err(_) => String::new(),
    }
}

/// Cuts a text to a maximum length.
fn cut(text: &str, length: usize) -> String {
    match text.char_indices().nth(length) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}...", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::PrintOptions;
    use crate::process::ProcessEnv;
    use pallet_core::action::SourceLocation;
    use pallet_core::engine::{ExplainedCondition, ExplainedUpload, NodeError, Observed};
    use pallet_core::model::Os;
    use serde_json::json;

    fn action(name: &str, subject: &str) -> ExplainedAction {
        ExplainedAction {
            action: name.to_owned(),
            subject: subject.to_owned(),
            arguments: json!({}),
            options: Options::default(),
            conditions: Vec::new(),
            blocks: Vec::new(),
            source: Some(SourceLocation { file: "pallet.star".to_owned(), line: 7, column: 5 }),
            via: Vec::new(),
            place: None,
            observes: Vec::new(),
            certainty: None,
            summary: "nothing to do".to_owned(),
            reason: None,
            diff: String::new(),
            script: String::new(),
            together_with: Vec::new(),
            uploads: Vec::new(),
        }
    }

    #[test]
    fn what_a_person_reads() {
        let observed = |what: &str, found: Option<&str>| Observed {
            what: what.to_owned(),
            found: found.map(str::to_owned),
        };
        let file = ExplainedAction {
            arguments: json!({
                "path": "/etc/a", "content": "x".repeat(100), "overwrite_changes": true,
            }),
            options: Options::new().flag_on_change("a"),
            conditions: vec![ExplainedCondition {
                command: "test -e /etc/b".to_owned(),
                unless: true,
                holds: None,
            }],
            via: vec!["nginx.site".to_owned(), "other.write".to_owned()],
            observes: vec![
                observed("file /etc", Some("a directory, mode 0755")),
                observed("file /etc/a", None),
            ],
            certainty: Some(Certainty::May),
            summary: "ensure file".to_owned(),
            diff: "- old\x1b[31m\n+ new\n".to_owned(),
            script: "one\ntwo\nthree\nfour\n".to_owned(),
            uploads: vec![ExplainedUpload {
                digest: "0123456789abcdef".to_owned(),
                file: Some("/project/a".into()),
            }],
            ..action("remote_file", "/etc/a")
        };
        let package = ExplainedAction {
            certainty: Some(Certainty::Will),
            summary: "install".to_owned(),
            script: "package_transaction apt --install nginx curl\n".to_owned(),
            together_with: vec!["package curl".to_owned()],
            source: None,
            ..action("package", "nginx")
        };
        let done = ExplainedAction {
            reason: Some("it is so already".to_owned()),
            ..action("directory", "/srv")
        };
        let explanation = Explanation {
            node: "web-1".to_owned(),
            group: "web".to_owned(),
            os: Some(Os::named("debian 12", "x86_64")),
            os_reason: "as requested".to_owned(),
            predicted: true,
            phases: vec![ExplainedPhase {
                phase: "configure".to_owned(),
                actions: vec![file, package, done],
                script: String::new(),
            }],
            error: Some(NodeError {
                phase: Some("restart".to_owned()),
                ..NodeError::new("not today")
            }),
        };
        let printer = Printer::new(
            PrintOptions::default(),
            &ProcessEnv { terminal: false, ..ProcessEnv::current() },
        );
        expect_test::expect![[r#"
            web-1, debian 12 (x86_64), planned, as requested

            phase configure: 3 actions

            ? remote_file /etc/a: ensure file (known after apply)
                declared   pallet.star:7:5, through nginx.site, other.write
                arguments  path = "/etc/a", content = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..., overwrite_changes = True
                options    flag_on_change = "a"
                only when  `test -e /etc/b` fails (checked on the node)
                observes   file /etc: a directory, mode 0755
                           file /etc/a
                uploads    content with sha256 0123456789ab... from /project/a
                changes    - old\u{1b}[31m
                           + new
                script     4 lines, shown with --script

            ~ package nginx: install
                declared   outside of the project
                together   package curl
                script     package_transaction apt --install nginx curl

              directory /srv: nothing to do: it is so already
                declared   pallet.star:7:5

            the rest cannot be explained: not today
              in phase restart
        "#]]
        .assert_eq(&text(&printer, &explanation, false));
    }
}
