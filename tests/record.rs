//! Makes docs/session.svg: types docs/session.txt at a terminal, in the quickstart's project, and
//! draws what can be seen then.
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
    let mut terminal = Terminal::start(&shell, SHELL, Duration::from_secs(300));
    for line in session.lines() {
        let (prompt, input) = line.split_once(' ').unwrap();
        assert_eq!(prompt, terminal.prompt(), "{line:?} is not for the prompt that is there");
        if input == "pallet-cli repl" {
            terminal.ask_with(REPL);
        }
        terminal.enter(input);
    }
    let picture = anstyle_svg::Term::new()
        .palette(anstyle_svg::WIN10_CONSOLE)
        .min_width_px(900)
        .render_svg(&terminal.styled());
    fs::write(docs.join("session.svg"), picture).unwrap();
}
