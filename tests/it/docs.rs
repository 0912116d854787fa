//! What the guides in `docs/` show does what they say, from top to bottom, each in a project of its own.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use pallet_tests::{Process, Project, root, workspace};

use super::document::{Block, Step, blocks, is_shown};

/// Runs all blocks of a guide.
fn follow(guide: &str) {
    let text = fs::read_to_string(root().join("docs").join(guide)).unwrap();
    let mut project = Project::empty();
    let directory = project.directory();
    project.take_down_at_the_end(&directory);
    let blocks = blocks(&text);
    assert!(blocks.iter().any(|block| !matches!(block, Block::File { .. })), "{guide} runs nothing");
    // what is typed into the REPL is one session
    let mut typed: Vec<&Step> = Vec::new();
    for block in &blocks {
        match block {
            Block::File { path, text } => project.write(path, text),
            Block::Session(steps) => typed.extend(steps),
            Block::Console(steps) => {
                for step in steps {
                    let shown = run(&project, &directory, &step.command);
                    is_shown(guide, &step.output, &shown);
                }
            }
        }
    }
    if !typed.is_empty() {
        let script: String = typed.iter().map(|step| format!("{}\n", step.command)).collect();
        project.write(".typed", script);
        let shown = run(&project, &directory, "pallet-cli repl <.typed");
        let expected: Vec<_> = typed.iter().flat_map(|step| step.output.iter().cloned()).collect();
        is_shown(guide, &expected, &shown);
    }
}

/// What a command line prints, which must succeed.
fn run(project: &Project, directory: &Path, line: &str) -> String {
    let mut command = Command::new("sh");
    let programs = workspace().cli().parent().unwrap().display().to_string();
    let path = format!("{programs}:{}", std::env::var("PATH").unwrap_or_default());
    command.args(["-e", "-c", line]).current_dir(directory).env("PATH", path).env("HOME", project.home());
    let output = Process::start(command, Duration::from_secs(600)).wait().exits(0);
    format!("{}\n{}", output.stdout, output.stderr)
}

#[test]
fn the_tutorial() {
    follow("tutorial.md");
}

#[test]
fn for_ansible_users() {
    follow("for-ansible-users.md");
}
