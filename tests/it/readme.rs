//! README.md shows the actual quickstart, its commands work, and so does the session of
//! docs/repl.md on that project.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use pallet_tests::{Process, Project, root, workspace};

use super::docs::{planned_too, session_was_true};
use super::document::{Block, Step, blocks, is_shown};
use super::quickstart::alone;

/// The command that runs the tests: they are already running.
const TESTS: &str = "tests/run";

#[test]
fn every_command_of_the_readme_works() {
    let readme = fs::read_to_string(root().join("README.md")).expect("a README.md");
    let steps = blocks(&readme)
        .into_iter()
        .filter_map(|block| if let Block::Console(steps) = block { Some(steps) } else { None });
    let steps: Vec<_> = steps.flatten().collect();
    assert!(!steps.is_empty(), "README.md has no block marked ```console");
    // A plain build has fewer features than that of the workspace, and must not replace the
    // executable that other tests start.
    let target = workspace().cli().ancestors().nth(2).unwrap();
    let built = target.join("readme");
    // nodes of the commands belong to this home, and are removed with it
    let mut project = Project::empty();
    project.take_down_at_the_end(&root().join("pallet-cli/quickstart"));
    for step in steps {
        if step.command.trim_start_matches("./").split(' ').next() == Some(TESTS) {
            assert!(root().join(TESTS).is_file(), "README.md names {TESTS}");
            continue;
        }
        let mut command = Command::new("sh");
        let line = step.command.replace("target/debug", &built.join("debug").display().to_string());
        command
            .args(["-e", "-c", &line])
            .current_dir(root())
            .env("HOME", project.home())
            .env("CARGO_TARGET_DIR", &built)
            .env("CARGO_BUILD_BUILD_DIR", target);
        for (name, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
            let usual = Path::new(&std::env::var_os("HOME").unwrap()).join(folder);
            command.env(name, std::env::var_os(name).unwrap_or(usual.into()));
        }
        let output = Process::start(command, Duration::from_secs(600)).wait().exits(0);
        is_shown("README.md", &step.output, &format!("{}\n{}", output.stdout, output.stderr));
    }
}

/// The example is the quickstart's own file, without comments.
#[test]
fn the_example_of_the_readme_is_the_quickstart() {
    let readme = fs::read_to_string(root().join("README.md")).expect("a README.md");
    let shown = readme.split("```python\n").nth(1).and_then(|rest| rest.split("```").next());
    let code = |text: &str| -> Vec<String> {
        let lines = text.lines().map(str::trim_end);
        lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
    };
    let quickstart = root().join("pallet-cli/quickstart/pallet.star");
    let quickstart = fs::read_to_string(quickstart).expect("the quickstart");
    assert_eq!(code(shown.expect("an example")), code(&quickstart));
}

/// On the quickstart, whose groups it uses. The plans are right, and leave nothing open on existing
/// nodes.
#[test]
fn the_session_of_the_guide_works() {
    let _alone = alone();
    let guide = fs::read_to_string(root().join("docs/repl.md")).expect("docs/repl.md");
    let blocks = blocks(&guide);
    let typed: Vec<&Step> = blocks
        .iter()
        .flat_map(|block| if let Block::Session(steps) = block { steps.as_slice() } else { &[] })
        .collect();
    assert!(!typed.is_empty(), "docs/repl.md has no block marked ```pycon");
    let project = Project::quickstart().timeout(Duration::from_secs(600));
    let session = project.start_with_input(&["repl"], &planned_too(&typed)).wait().exits(0);
    let open = session_was_true("docs/repl.md", &typed, &session.stdout);
    assert!(open.is_empty(), "{open:?}\n{session}");
}
