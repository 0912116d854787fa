//! The commands of README.md do what it says.

use std::fs;
use std::process::Command;
use std::time::Duration;

use pallet_tests::{Process, root, workspace};

/// The command that runs the tests: they are running.
const TESTS: &str = "tests/run";

/// One command of a block, with the output that is shown below it.
#[derive(Debug, PartialEq)]
struct Step {
    command: String,
    output: Vec<String>,
}

/// The blocks marked `console`, each a list of steps: lines after `$ ` are commands, `\` continues one, other lines are output.
fn blocks(text: &str) -> Vec<Vec<Step>> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim() != "```console" {
            continue;
        }
        let mut steps: Vec<Step> = Vec::new();
        let mut continued = false;
        for line in lines.by_ref().take_while(|line| line.trim() != "```") {
            match (line.strip_prefix("$ "), steps.last_mut()) {
                (_, Some(step)) if continued => step.command.push_str(&format!("\n{line}")),
                (Some(command), _) => steps.push(Step { command: command.to_owned(), output: Vec::new() }),
                (None, Some(step)) => step.output.push(line.to_owned()),
                (None, None) => panic!("a console block begins with output: {line}"),
            }
            continued = line.ends_with('\\');
        }
        blocks.push(steps);
    }
    blocks
}

/// Asserts that the lines stand in the output, in order; `...` stands for any lines, and so does `...` in a line for any text.
#[track_caller]
fn is_shown(shown: &[String], output: &str) {
    let mut lines = output.lines();
    for line in shown.iter().filter(|line| line.trim() != "..." && !line.trim().is_empty()) {
        assert!(
            lines.any(|actual| matches(line.trim(), actual.trim())),
            "README.md shows this line, and it did not come: {line}\n{output}"
        );
    }
}

fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once("...") {
        None => pattern == text,
        Some((start, rest)) => text
            .strip_prefix(start)
            .is_some_and(|text| (0..=text.len()).filter(|at| text.is_char_boundary(*at)).any(|at| matches(rest, &text[at..]))),
    }
}

#[test]
fn every_command_of_the_readme_works() {
    let readme = fs::read_to_string(root().join("README.md")).expect("a README.md");
    let blocks = blocks(&readme);
    assert!(!blocks.is_empty(), "README.md has no block marked ```console");
    let home = tempfile::tempdir().unwrap();
    let bin = workspace().cli().parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    for step in blocks.iter().flatten() {
        if step.command.trim_start_matches("./").split(' ').next() == Some(TESTS) {
            assert!(root().join(TESTS).is_file(), "README.md names {TESTS}");
            continue;
        }
        let mut command = Command::new("sh");
        command.args(["-e", "-c", &step.command]).current_dir(root()).env("PATH", &path).env("XDG_DATA_HOME", home.path());
        let output = Process::start(command, Duration::from_secs(600)).wait().exits(0);
        is_shown(&step.output, &format!("{}\n{}", output.stdout, output.stderr));
    }
}

#[test]
fn blocks_are_read() {
    let text = "# x\n```console\n$ one \\\n  two\nout\n$ three\n```\n```sh\n$ not this\n```\n";
    let step =
        |command: &str, output: &[&str]| Step { command: command.into(), output: output.iter().map(|line| (*line).to_owned()).collect() };
    assert_eq!(blocks(text), [vec![step("one \\\n  two", &["out"]), step("three", &[])]]);
}

#[test]
fn shown_output_may_leave_out() {
    is_shown(&["begin".into(), "...".into(), "took ... s".into()], "begin\nmiddle\n  took 1.2 s\n");
    assert!(!matches("took ... s", "took 3 m"));
}
