//! The quickstart on sandbox nodes, from `init` to `down`, as a user does it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pallet_tests::{Events, INTERRUPT, Leftovers, Process, Project, get, workspace};
use serde_json::Value;

use super::document::Plan;

/// Sandbox nodes of concurrent tests would see each other's network devices.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The names of the nodes, with their addresses.
fn addresses(project: &Project) -> BTreeMap<String, String> {
    let text = |node: &Value, key: &str| {
        node[key].as_str().unwrap_or_else(|| panic!("a node without {key}: {node}")).to_owned()
    };
    project.nodes().iter().map(|node| (text(node, "name"), text(node, "address"))).collect()
}

pub(crate) fn names(project: &Project) -> Vec<String> {
    addresses(project).into_keys().collect()
}

/// Asserts that each node serves a page with its own name.
#[track_caller]
fn each_serves_its_name(project: &Project) {
    for (name, address) in addresses(project) {
        let page = get(&format!("{address}:80"), None).unwrap();
        assert!(page.contains(&name), "{name} serves {page:?}");
    }
}

/// The changes of an operation, which must be those of its dry run. Also returns what that left
/// open.
#[track_caller]
fn as_planned(project: &Project, arguments: &[&str]) -> (Events, BTreeSet<String>) {
    let words = |more: &[&'static str]| {
        arguments
            .iter()
            .copied()
            .chain(more.iter().copied())
            .chain(["--output", "json"])
            .collect::<Vec<_>>()
    };
    let plan = Plan::of(&project.run(&words(&["--dry-run"])).exits(0).stdout);
    let done = project.run(&words(&[])).exits(0);
    plan.was_true("the quickstart", &arguments.join(" "), &done.stdout);
    (Events::of(&done), plan.open)
}

#[test]
fn from_init_to_down() {
    let _alone = alone();
    let project = Project::quickstart().timeout(Duration::from_secs(400));
    project.run(&["check"]).exits(0);
    assert_eq!(names(&project), Vec::<String>::new());
    let before = Leftovers::of(&project);

    let (first, _) = as_planned(&project, &["converge"]);
    assert!(first.ok());
    assert_eq!(names(&project), ["web-1", "web-2"]);
    assert!(first.changes().values().all(|changes| *changes > 0), "{:?}", first.changes());
    each_serves_its_name(&project);

    // repeating it changes nothing
    let (again, open) = as_planned(&project, &["converge"]);
    assert_eq!(again.changes().values().sum::<usize>(), 0, "{again:#?}");
    assert_eq!(open, BTreeSet::new());
    project.run(&["converge"]).exits(0).says("nothing to change on 2 nodes");

    // one more
    let addresses_before = addresses(&project);
    let (more, open) = as_planned(&project, &["converge", "web=3"]);
    assert_eq!(open, BTreeSet::new());
    assert_eq!(names(&project), ["web-1", "web-2", "web-3"]);
    let changes = more.changes();
    assert!(
        changes["web-3"] > 0 && changes.get("web-1").is_none_or(|changes| *changes == 0),
        "{changes:?}"
    );
    assert!(
        addresses_before.iter().all(|(name, address)| addresses(&project)[name] == *address),
        "a node changed its address"
    );
    each_serves_its_name(&project);

    // two fewer, only after confirmation
    project.run(&["converge", "web=1"]).exits(2).says("--yes");
    assert_eq!(names(&project).len(), 3);
    project.run(&["converge", "web=1", "--yes"]).exits(0);
    assert_eq!(names(&project), ["web-1"]);
    each_serves_its_name(&project);

    // inline configuration
    let inline = ["lift", "web", "-e", "directory(request, \"/srv/inline\")"];
    let (once, open) = as_planned(&project, &inline);
    assert_eq!(
        (once.changes(), open),
        (BTreeMap::from([("web-1".to_owned(), 1)]), BTreeSet::new())
    );
    assert_eq!(project.events(&inline, 0).changes(), BTreeMap::from([("web-1".to_owned(), 0)]));

    // as in README.md: the node decides only about the package itself
    let (package, open) =
        as_planned(&project, &["lift", "web", "-e", "package(request, \"tree\")"]);
    assert!(package.ok() && open.is_empty(), "{open:?}");

    // Ctrl-C at the question destroys nothing
    let mut terminal = project.terminal(&["down"], "Destroy web-1? Type `yes` to confirm:");
    terminal.press(INTERRUPT);
    terminal.wait_for("stopped");
    assert_eq!(terminal.ends(), 130);
    assert_eq!(names(&project), ["web-1"]);

    project.run(&["down", "--yes"]).exits(0);
    assert_eq!(names(&project), Vec::<String>::new());
    before.is_all(&project);
    // and `down` without nodes
    project.run(&["down", "--yes"]).exits(0);
}

#[test]
fn a_dry_run_of_converge_makes_nothing() {
    let _alone = alone();
    let project = Project::quickstart();
    let before = Leftovers::of(&project);
    project.run(&["converge", "--dry-run"]).exits(0).says("web-1").says("web-2");
    assert_eq!(names(&project), Vec::<String>::new());
    before.is_all(&project);
}

#[test]
fn an_interrupted_converge_is_repaired_by_the_next_one() {
    let _alone = alone();
    let project = Project::quickstart().timeout(Duration::from_secs(400));
    let before = Leftovers::of(&project);
    let running = project.start(&["converge", "--output", "json"]);
    let end = Instant::now() + Duration::from_secs(60);
    while !running.stdout().contains("\"phase\"") {
        assert!(Instant::now() < end, "no phase began: {}", running.stdout());
        std::thread::sleep(Duration::from_millis(20));
    }
    running.interrupt();
    let output = running.wait();
    assert_ne!(output.code(), 0, "{output}");
    assert!(output.took < Duration::from_secs(120), "it does not stop\n{output}");

    project.events(&["converge"], 0);
    each_serves_its_name(&project);
    project.run(&["down", "--yes"]).exits(0);
    before.is_all(&project);
}

#[test]
fn as_a_program() {
    let _alone = alone();
    let directory = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut command = workspace().example_in("quickstart", directory.path());
        command.args(arguments);
        let output = Process::start(command, Duration::from_secs(400)).wait();
        assert_eq!(output.code(), 0, "{output}");
        output.stdout
    };
    let first = run(&[]);
    assert!(first.contains("2 changed, 0 unchanged, 0 failed"), "{first}");
    let pages = first.lines().filter_map(|line| line.split_once(": created, "));
    let pages: Vec<_> =
        pages.map(|(name, address)| (name, get(&format!("{address}:80"), None).unwrap())).collect();
    assert_eq!(
        pages,
        [("web-1", "hello from web-1\n".to_owned()), ("web-2", "hello from web-2\n".to_owned())]
    );
    let second = run(&[]);
    assert!(second.contains("0 changed, 2 unchanged, 0 failed"), "{second}");
    assert!(run(&["down"]).contains("0 failed, 2 destroyed"));
}

#[test]
fn wrong_counts_are_usage_errors() {
    let project = Project::quickstart();
    for count in ["web=-1", "web=two", "web=", "=2", "web=1.5", "web=99999999999999999999"] {
        let output = project.run(&["converge", count]).exits(2);
        assert!(output.stderr.contains(count) || output.stderr.contains("web"), "{output}");
    }
    assert_eq!(names(&project), Vec::<String>::new());
}
