//! The guides in `docs/` are correct: their blocks run from top to bottom, each guide in a project
//! of its own.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use expect_test::{Expect, expect};
use pallet_tests::{Process, Project, root, workspace};

use super::author;
use super::document::{Block, Plan, Step, blocks, dry_run_of, dry_run_of_input, is_shown};

/// Runs all blocks of a guide. `open` is what its dry runs leave open on existing nodes; each entry
/// was reviewed.
#[track_caller]
fn follow(guide: &str, open: Expect) {
    open.assert_eq(&follow_in(Project::empty(), guide));
}

/// Runs all blocks of a guide that builds packages.
#[track_caller]
fn follow_with_cargo(guide: &str, open: Expect) {
    let _guard = author::BUILDING.lock();
    open.assert_eq(&follow_in(author::home().set("PALLET", root()), guide));
}

/// Runs a dry run before every command that changes nodes, and compares them. Returns what the dry
/// runs left open.
fn follow_in(mut project: Project, guide: &str) -> String {
    let mut open = BTreeSet::new();
    let text = fs::read_to_string(root().join("docs").join(guide)).unwrap();
    let directory = project.directory();
    project.take_down_at_the_end(&directory);
    let blocks = blocks(&text);
    assert!(
        blocks.iter().any(|block| !matches!(block, Block::File { .. })),
        "{guide} runs nothing"
    );
    // all REPL input is one session
    let mut typed: Vec<&Step> = Vec::new();
    for block in &blocks {
        match block {
            Block::File { path, text } => project.write(path, text),
            Block::Session(steps) => typed.extend(steps),
            Block::Console(steps) => {
                for step in steps {
                    let plan = dry_run_of(&step.command)
                        .map(|line| Plan::of(&run(&project, &directory, &line)));
                    let shown = run(&project, &directory, &step.command);
                    if let Some(plan) = plan {
                        plan.was_true(guide, &step.command, &shown);
                        open.extend(plan.open);
                    }
                    is_shown(guide, &step.output, &shown);
                    lock_like_this_repository(&directory);
                }
            }
        }
    }
    if !typed.is_empty() {
        project.write(".typed", planned_too(&typed));
        let shown = run(&project, &directory, "pallet-cli repl <.typed");
        open.extend(session_was_true(guide, &typed, &shown));
    }
    open.iter().map(|change| format!("{change}\n")).collect()
}

/// Marks the beginning of the plan or the apply of an input.
const PLAN: &str = "=== plan";
const APPLY: &str = "=== apply";

/// The inputs of a session, with a dry run before each one that changes nodes.
pub(crate) fn planned_too(typed: &[&Step]) -> String {
    let with_plan = |step: &&Step| match dry_run_of_input(&step.command) {
        Some(plan) => format!("print({PLAN:?})\n{plan}\nprint({APPLY:?})\n{}\n", step.command),
        None => format!("print({APPLY:?})\n{}\n", step.command),
    };
    typed.iter().map(with_plan).collect()
}

/// Compares the output of a session from [`planned_too`] with its plans and with the document.
/// Returns what the plans left open.
#[track_caller]
pub(crate) fn session_was_true(document: &str, typed: &[&Step], shown: &str) -> BTreeSet<String> {
    let (mut open, mut applied) = (BTreeSet::new(), String::new());
    let mut parts = shown.split(APPLY);
    let mut plan = parts.next().unwrap_or_default();
    for step in typed {
        let Some(part) = parts.next() else {
            panic!(
                "{document}: the session ended before `{}`\n\
            {shown}",
                step.command
            )
        };
        let (did, next) = part.split_once(PLAN).unwrap_or((part, ""));
        if dry_run_of_input(&step.command).is_some() {
            let plan = Plan::of_text(plan);
            plan.was_true(document, &step.command, did);
            open.extend(plan.open);
        }
        applied.push_str(did);
        plan = next;
    }
    let expected: Vec<_> = typed.iter().flat_map(|step| step.output.iter().cloned()).collect();
    is_shown(document, &expected, &applied);
    open
}

/// Gives new packages the versions that this repository uses, because tests have no network.
fn lock_like_this_repository(directory: &Path) {
    let packages = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    for package in packages
        .filter(|path| path.join("Cargo.toml").exists() && !path.join("Cargo.lock").exists())
    {
        fs::copy(root().join("Cargo.lock"), package.join("Cargo.lock")).unwrap();
    }
}

/// The output of a command line, which must succeed.
fn run(project: &Project, directory: &Path, line: &str) -> String {
    let programs = workspace().cli().parent().unwrap().display().to_string();
    let path = format!("PATH={programs}:{}", std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new("env");
    // stdout and stderr in the order in which a user sees them
    let line = format!("exec 2>&1\n{line}");
    command
        .args([&path, "sh", "-e", "-c", &line])
        .current_dir(directory)
        .env_clear()
        .envs(project.variables());
    Process::start(command, Duration::from_secs(900)).wait().exits(0).stdout
}

/// Only the nginx package knows its files, and whether it starts its service.
fn what_nginx_decides() -> Expect {
    expect![[r#"
        directory /etc/nginx/pallet
        directory /usr/local/lib/pallet
        exec_checked_script check nginx's configuration
        exec_checked_script wait for nginx's new configuration
        file /etc/nginx/pallet/hello.headers
        file /etc/nginx/sites-enabled/default
        remote_file /etc/nginx/sites-available/hello
        remote_file /usr/local/lib/pallet/nginx-servers
        service nginx
        symbolic_link /etc/nginx/sites-enabled/hello
    "#]]
}

#[test]
fn the_tutorial() {
    // of a proxy, also which servers are drained
    let open = expect![[r#"
        directory /etc/nginx/pallet
        directory /usr/local/lib/pallet
        exec_checked_script check nginx's configuration
        exec_checked_script wait for nginx's new configuration
        exec_checked_script write /etc/nginx/pallet/hello.active
        file /etc/nginx/pallet/hello.headers
        file /etc/nginx/sites-enabled/default
        remote_file /etc/nginx/pallet/hello.servers
        remote_file /etc/nginx/sites-available/hello
        remote_file /usr/local/lib/pallet/nginx-servers
        service nginx
        symbolic_link /etc/nginx/sites-enabled/hello
    "#]];
    follow("tutorial.md", open);
}

#[test]
fn the_demo() {
    follow("demo.md", what_nginx_decides());
}

#[test]
fn for_ansible_users() {
    follow("for-ansible-users.md", expect![""]);
}

#[test]
fn rollouts() {
    follow(
        "rollouts.md",
        expect![[r#"
        exec_checked_script drain web-2 in app
        exec_checked_script drain web-3 in app
        exec_checked_script drain web-4 in app
        exec_checked_script undrain web-1 in app
        exec_checked_script undrain web-2 in app
        exec_checked_script undrain web-3 in app
        exec_checked_script undrain web-4 in app
    "#]],
    );
}

#[test]
fn settings() {
    follow("settings.md", expect![""]);
}

#[test]
fn writing_a_crate() {
    follow_with_cargo("writing-a-crate.md", expect![""]);
}

#[test]
fn crates_in_starlark() {
    follow("starlark-crates.md", expect![""]);
}

#[test]
fn writing_a_provider() {
    follow_with_cargo("writing-a-provider.md", expect![""]);
}

#[test]
fn the_recorded_session_is_what_was_typed() {
    let docs = root().join("docs");
    let [typed, picture] =
        ["session.txt", "session.svg"].map(|name| fs::read_to_string(docs.join(name)).unwrap());
    // the words of the picture, without its drawing instructions
    let mut inside = false;
    let text = picture.chars().filter(|character| {
        inside = (inside || *character == '<') && *character != '>';
        !inside && *character != '>'
    });
    let text = text
        .collect::<String>()
        .replace("&gt;", ">")
        .replace("&lt;", "<")
        .replace("&quot;", "\"")
        .replace("&amp;", "&");
    for line in typed.lines() {
        assert!(
            text.contains(line),
            "docs/session.svg was not made again since docs/session.txt has `{line}`:\n{text}"
        );
    }
}
