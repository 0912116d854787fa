//! Makes docs/report.png: the page of an operation on 1,000 nodes, as a browser shows it.
//!
//! ```text
//! cargo run -p pallet-tests --example screenshot
//! ```
// a program of its own, which panics with a message where it cannot go on
#![allow(clippy::unwrap_used)]

use std::fs;

use pallet_core::engine::{Event, Kind, NodeError, Totals};
use pallet_tests::{Browser, Project, Recorded, root};

/// The phases, when each begins on the first node, and its changes.
const PHASES: [(&str, f64, &[[&str; 4]]); 3] = [
    ("bootstrap", 1.0, &[["package", "sudo", "install 1.9.13p3", ""]]),
    (
        "configure",
        12.5,
        &[
            ["package", "nginx", "install 1.22.1-9", ""],
            [
                "remote_file",
                "/etc/nginx/nginx.conf",
                "update",
                "-worker_processes 4;\n+worker_processes auto;\n events {",
            ],
        ],
    ),
    ("health", 31.0, &[]),
];

const BROKEN: [&str; 3] = ["web-7", "web-500", "web-501"];

fn main() {
    let project = Project::empty();
    project.write("pallet.toml", "[project]\nname = \"shop\"\n");
    project.write("pallet.star", "");
    let lift = record(&project);
    // the directory of a project that somebody may have
    let (text, here) = (fs::read_to_string(lift.path()).unwrap(), project.directory());
    let text = text.replacen(here.canonicalize().unwrap().to_str().unwrap(), "/srv/shop", 1);
    fs::write(lift.path(), text).unwrap();
    let page = project.directory().join("report.html");
    project.run(&["report", lift.id(), "--out", page.to_str().unwrap()]).exits(0);
    let mut browser = Browser::start();
    browser.show(1000, 840, false);
    browser.open_file(&page);
    fs::write(root().join("docs/report.png"), browser.screenshot()).unwrap();
}

/// A lift that fails on three nodes.
fn record(project: &Project) -> Recorded {
    let names = (1..=2).map(|number| format!("db-{number}"));
    let names: Vec<String> = names.chain((1..=998).map(|number| format!("web-{number}"))).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut lift = Recorded::begin(project, "shop", Kind::Lift, "lift web db", &names);
    for (phase, begins, changes) in PHASES {
        for (number, node) in names.iter().enumerate() {
            let broken = BROKEN.contains(node);
            if broken && phase == "health" {
                continue;
            }
            let at = begins + (number * 37 % 100) as f64 / 25.0;
            lift.phase(at, node, phase);
            for (step, change) in changes.iter().enumerate() {
                let lasted = 2.0 + (number * 53 % 100) as f64 / 20.0;
                if broken && change[0] == "remote_file" {
                    break;
                }
                lift.change(at + lasted * (step + 1) as f64, node, phase, *change);
            }
            let (node, action) = (String::from(*node), "wait_for_http :80".to_owned());
            let phase = phase.to_owned();
            lift.at(at + 2.0, Event::ActionStarted { node, phase, action });
        }
    }
    for node in &names {
        let error = NodeError {
            phase: Some("configure".to_owned()),
            action: Some("remote_file /etc/nginx/nginx.conf".to_owned()),
            detail: "mv: cannot move 'nginx.conf': No space left on device".to_owned(),
            ..NodeError::new("remote_file /etc/nginx/nginx.conf: the disk is full")
        };
        lift.node(40.0, node, if BROKEN.contains(node) { Err(error) } else { Ok(3) });
    }
    let totals = Totals { changed: 997, failed: 3, ..Totals::default() };
    lift.finish(40.0, totals);
    lift
}
