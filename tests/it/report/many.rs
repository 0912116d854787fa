//! Pages of operations on many nodes, and of some that did not get to their end.

use std::io::Write;

use pallet_core::engine::{Event, Kind, NodeError, RunResult, Totals};
use pallet_tests::{Browser, Project, Recorded};

use super::{looked_at, page};

/// A project for journals that are written here.
pub(super) fn shop() -> Project {
    let project = Project::empty();
    project.write("pallet.toml", "[project]\nname = \"shop\"\n");
    project.write("pallet.star", "");
    project
}

/// A lift of 1,000 nodes with 20 changes each; some diffs have the node's name, others its number.
fn lift_of_a_thousand(project: &Project, own_diffs: bool) {
    let names: Vec<String> = (1..=1000).map(|number| format!("web-{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut lift = Recorded::begin(project, "shop", Kind::Lift, "lift web", &names);
    for phase in ["settings", "configure"] {
        for (number, node) in names.iter().enumerate() {
            let at = number as f64 / 100.0 + if phase == "settings" { 1.0 } else { 5.0 };
            lift.phase(at, node, phase);
            for change in 0..if phase == "settings" { 5 } else { 15 } {
                let own = if own_diffs { number } else { 0 };
                let (path, diff) = (
                    format!("/srv/app/{phase}-{change}"),
                    format!("-old {change}\n+I am {node}, {own}\n+and the same {change}"),
                );
                let at = at + f64::from(change) / 10.0;
                lift.change(at, node, phase, ["remote_file", &path, "update", &diff]);
            }
        }
    }
    for node in &names {
        let error = NodeError {
            phase: Some("configure".to_owned()),
            action: Some("exec_script make".to_owned()),
            detail: format!("make: nothing for {node}"),
            ..NodeError::new(format!("exec_script make on {node} exited with 2"))
        };
        let fails = ["web-7", "web-500", "web-501"].contains(node);
        lift.node(20.0, node, if fails { Err(error) } else { Ok(20) });
    }
    lift.finish(20.0, Totals { changed: 997, failed: 3, ..Totals::default() });
}

#[test]
fn a_thousand_nodes_are_few_lanes() {
    let project = shop();
    lift_of_a_thousand(&project, false);
    let path = page(&project, &[]);
    let size = path.metadata().unwrap().len();
    assert!(size < 500_000, "{size} bytes");
    let mut browser = Browser::start();
    browser.show(1280, 900, false);
    browser.open_file(&path);
    let text = looked_at(&mut browser);
    for told in [
        "web-[1:6], web-[8:499], web-[502:1000]997 nodes",
        "web-7, web-[500:501]3 nodes",
        "exec_script make on NODE exited with 2",
        "+I am NODE, 0",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
    let count = |browser: &mut Browser, what: &str| {
        browser.evaluate(&format!("document.querySelectorAll('{what}').length"))
    };
    assert_eq!(count(&mut browser, ".row"), 2);
    assert_eq!(count(&mut browser, ".lane"), 2);
    assert_eq!(count(&mut browser, ".lane tr"), 1002);
    assert_eq!(count(&mut browser, "#changes .part"), 20);
    // it fits every window, and no text covers another
    let wide = "document.documentElement.scrollWidth - innerWidth";
    let overlaps = "(() => { const boxes = [...document.querySelectorAll('.axis text, .row .name, \
        .row .state, .row .bars')].map((one) => one.getBoundingClientRect()); \
        return boxes.filter((a, i) => boxes.some((b, j) => i < j && a.left < b.right - 1 && \
        b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1)).length; })()";
    for (width, dark) in [(1280, false), (500, true), (360, false)] {
        browser.show(width, 900, dark);
        assert_eq!(browser.evaluate(wide), 0, "{width}");
        assert_eq!(browser.evaluate(overlaps), 0, "{width}");
    }
}

#[test]
fn a_thousand_nodes_that_differ_are_still_a_page() {
    let project = shop();
    lift_of_a_thousand(&project, true);
    let path = page(&project, &[]);
    let size = path.metadata().unwrap().len();
    assert!(size < 5_000_000, "{size} bytes");
    let mut browser = Browser::start();
    browser.open_file(&path);
    let text = looked_at(&mut browser);
    assert!(text.contains("the diff of 990 other nodes is left out: "), "{text}");
}

#[test]
fn a_thousand_different_outputs_are_still_a_page() {
    let project = shop();
    let names: Vec<String> = (1..=1000).map(|number| format!("web-{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut run = Recorded::begin(&project, "shop", Kind::Run, "run web -- dmesg", &names);
    for (number, node) in names.iter().enumerate() {
        let line = |line| format!("[{number:8}.{line:06}] usb 1-1: new high-speed device\n");
        let stdout = (0..300).map(line).collect();
        let (node, exit) = ((*node).to_owned(), Some(0));
        run.at(1.0, Event::Ran(RunResult { node, exit, stdout, ..RunResult::default() }));
    }
    run.finish(2.0, Totals { ok: true, unchanged: 1000, ..Totals::default() });
    let path = page(&project, &[]);
    let size = path.metadata().unwrap().len();
    assert!(size < 5_000_000, "{size} bytes");
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains("295 more lines left out") && text.contains("800 other results"));
}

#[test]
fn what_did_not_end_says_so() {
    let project = shop();
    let mut browser = Browser::start();
    let mut lift = Recorded::begin(&project, "shop", Kind::Lift, "lift", &["web-1", "web-2"]);
    lift.phase(1.0, "web-1", "configure");
    browser.open_file(&page(&project, &[]));
    let text = looked_at(&mut browser);
    assert!(text.contains("It runs. This is what it did so far."), "{text}");

    // what a newer Pallet wrote is skipped, and so is a line that was being written
    let newer = format!(
        "{{\"operation\":\"{}\",\"sequence\":9,\"time\":\"2026-01-01T00:00:00Z\",\
         \"event\":\"teleported\",\"node\":\"web-9\"}}\n{{\"operation\":",
        lift.id()
    );
    let mut file = std::fs::OpenOptions::new().append(true).open(lift.path()).unwrap();
    file.write_all(newer.as_bytes()).unwrap();
    let text = std::fs::read_to_string(lift.path()).unwrap();
    let (own, dead) = (format!("\"process\":{}", std::process::id()), "\"process\":4194304");
    std::fs::write(lift.path(), text.replacen(&own, dead, 1)).unwrap();
    let out = project.directory().join("page.html");
    let killed = project.run(&["report", "--out", out.to_str().unwrap()]).exits(0);
    killed.says("is incomplete and left out");
    browser.open_file(&out);
    let text = looked_at(&mut browser);
    assert!(text.contains("There is no record of the end"), "{text}");
    assert!(!text.contains("web-9"), "{text}");

    let mut lift = Recorded::begin(&project, "shop", Kind::Lift, "lift", &["web-1"]);
    lift.finish(2.0, Totals { cancelled: true, ..Totals::default() });
    browser.open_file(&page(&project, &[lift.id()]));
    let text = looked_at(&mut browser);
    assert!(text.contains("It was stopped before its end."), "{text}");

    // if markup got into a page after all, its policy would stop it
    let inject = "const script = document.createElement('script'); \
        script.textContent = 'document.title = \"owned\"'; document.body.append(script); \
        document.body.insertAdjacentHTML('beforeend', '<img src=http://127.0.0.1:9/x>')";
    browser.evaluate(&format!("(() => {{ {inject} }})()"));
    assert_eq!(browser.evaluate("document.title"), "lift: interrupted");
    browser.wait_until("document.images[0].complete");
    assert!(browser.problems().len() >= 2, "both are told");
}
