//! The commands of README.md do what it says.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use pallet_tests::{Process, Project, root};

/// The command that runs the tests: they are running.
const TESTS: &str = "tests/run";

/// One command of a block, with the output that is shown below it.
#[derive(Debug, PartialEq)]
struct Step {
    command: String,
    output: Vec<String>,
}

/// The blocks marked `console`, each a list of steps. `\` continues a command. In a block with `$ `, that begins a command and other lines
/// are output; in a block without, every line is a command.
fn blocks(text: &str) -> Vec<Vec<Step>> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim() != "```console" {
            continue;
        }
        let block: Vec<_> = lines.by_ref().take_while(|line| line.trim() != "```").collect();
        let transcript = block.iter().any(|line| line.starts_with("$ "));
        let mut steps: Vec<Step> = Vec::new();
        let mut continued = false;
        for line in block {
            match (if transcript { line.strip_prefix("$ ") } else { Some(line) }, steps.last_mut()) {
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
    // nodes that a command makes are this home's, and go at its end
    let mut project = Project::empty();
    project.take_down_at_the_end(&root().join("pallet-cli/quickstart"));
    for step in blocks.iter().flatten() {
        if step.command.trim_start_matches("./").split(' ').next() == Some(TESTS) {
            assert!(root().join(TESTS).is_file(), "README.md names {TESTS}");
            continue;
        }
        let mut command = Command::new("sh");
        command.args(["-e", "-c", &step.command]).current_dir(root()).env("HOME", project.home());
        for (name, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
            let usual = Path::new(&std::env::var_os("HOME").unwrap()).join(folder);
            command.env(name, std::env::var_os(name).unwrap_or(usual.into()));
        }
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
    assert_eq!(blocks("```console\none \\\n  two\nthree\n```\n"), [vec![step("one \\\n  two", &[]), step("three", &[])]]);
}

#[test]
fn shown_output_may_leave_out() {
    is_shown(&["begin".into(), "...".into(), "took ... s".into()], "begin\nmiddle\n  took 1.2 s\n");
    assert!(!matches("took ... s", "took 3 m"));
}
