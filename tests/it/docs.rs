//! What the guides in `docs/` show does what they say, from top to bottom, each in a project of its own.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use pallet_tests::{Process, Project, root, workspace};

use super::author;
use super::document::{Block, Step, blocks, is_shown};

/// Runs all blocks of a guide.
fn follow(guide: &str) {
    follow_in(Project::empty(), guide);
}

/// Runs all blocks of a guide that builds packages.
fn follow_with_cargo(guide: &str) {
    let _guard = author::BUILDING.lock();
    follow_in(author::home().set("PALLET", root()), guide);
}

fn follow_in(mut project: Project, guide: &str) {
    let text = fs::read_to_string(root().join("docs").join(guide)).unwrap();
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
                    lock_like_this_repository(&directory);
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

/// New packages get the versions that were downloaded for this repository: tests have no network.
fn lock_like_this_repository(directory: &Path) {
    let packages = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    for package in packages.filter(|path| path.join("Cargo.toml").exists() && !path.join("Cargo.lock").exists()) {
        fs::copy(root().join("Cargo.lock"), package.join("Cargo.lock")).unwrap();
    }
}

/// What a command line prints, which must succeed.
fn run(project: &Project, directory: &Path, line: &str) -> String {
    let programs = workspace().cli().parent().unwrap().display().to_string();
    let path = format!("PATH={programs}:{}", std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new("env");
    // in the order in which a person sees it
    let line = format!("exec 2>&1\n{line}");
    command.args([&path, "sh", "-e", "-c", &line]).current_dir(directory).env_clear().envs(project.variables());
    Process::start(command, Duration::from_secs(900)).wait().exits(0).stdout
}

#[test]
fn the_tutorial() {
    follow("tutorial.md");
}

#[test]
fn the_demo() {
    follow("demo.md");
}

#[test]
fn for_ansible_users() {
    follow("for-ansible-users.md");
}

#[test]
fn writing_a_crate() {
    follow_with_cargo("writing-a-crate.md");
}

#[test]
fn writing_a_provider() {
    follow_with_cargo("writing-a-provider.md");
}

#[test]
fn the_recorded_session_is_what_was_typed() {
    let docs = root().join("docs");
    let [typed, picture] = ["session.txt", "session.svg"].map(|name| fs::read_to_string(docs.join(name)).unwrap());
    // the words of the picture, without what draws them
    let mut inside = false;
    let text = picture.chars().filter(|character| {
        inside = (inside || *character == '<') && *character != '>';
        !inside && *character != '>'
    });
    let text = text.collect::<String>().replace("&gt;", ">").replace("&lt;", "<").replace("&quot;", "\"").replace("&amp;", "&");
    for line in typed.lines() {
        assert!(text.contains(line), "docs/session.svg was not made again since docs/session.txt has `{line}`:\n{text}");
    }
}
