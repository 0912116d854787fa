//! Makes the pictures of a terminal, in the quickstart's project: docs/session.svg, where
//! docs/session.txt was typed, and docs/live.svg, while nodes are configured.
//!
//! ```text
//! cargo run -p pallet-tests --example record      # as root
//! ```
// a program of its own, which panics with a message where it cannot go on
#![allow(clippy::unwrap_used)]

use std::fs;
use std::process::Command;
use std::time::Duration;

use pallet_tests::{Project, Terminal, root, workspace};

const SHELL: &str = "$";
const REPL: &str = ">>>";

fn main() {
    let docs = root().join("docs");
    let session = fs::read_to_string(docs.join("session.txt")).unwrap();
    let project = Project::quickstart();
    project.edit("pallet.toml", "name = \"project\"", "name = \"shop\"");
    let mut terminal = shell(&project);
    for line in session.lines() {
        let (prompt, input) = line.split_once(' ').unwrap();
        assert_eq!(prompt, terminal.prompt(), "{line:?} is not for the prompt that is there");
        if input == "pallet-cli repl" {
            terminal.ask_with(REPL);
        }
        terminal.enter(input);
    }
    fs::write(docs.join("session.svg"), picture(&terminal, REPL)).unwrap();

    let mut terminal = shell(&project);
    terminal.press("pallet-cli converge web=24\r");
    terminal.wait_for("bootstrap  20/20");
    fs::write(docs.join("live.svg"), picture(&terminal, " left")).unwrap();
    terminal.wait_for_line(SHELL);
}

fn shell(project: &Project) -> Terminal {
    let programs = workspace().cli().parent().unwrap().display().to_string();
    let path = format!("{programs}:{}", std::env::var("PATH").unwrap_or_default());
    let mut shell = Command::new("bash");
    shell
        .args(["--norc", "--noprofile"])
        .env_clear()
        .envs(project.variables())
        .env("PATH", path)
        .env("PS1", "$ ")
        .env("USER", "ops");
    shell
        .env("BASH_SILENCE_DEPRECATION_WARNING", "1")
        .env("HISTFILE", "/dev/null")
        .current_dir(project.directory());
    Terminal::start(&shell, SHELL, Duration::from_secs(300))
}

/// The screen once its last line contains `text`.
fn picture(terminal: &Terminal, text: &str) -> String {
    anstyle_svg::Term::new()
        .palette(anstyle_svg::WIN10_CONSOLE)
        .min_width_px(900)
        .render_svg(&terminal.styled(text))
}
