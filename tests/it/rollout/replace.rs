//! Nodes made anew, and nodes that must not be destroyed.

use std::time::Duration;

use pallet_tests::Project;

use crate::quickstart::{alone, names};

fn sandbox(declarations: &str) -> Project {
    let project = Project::quickstart().timeout(Duration::from_secs(180));
    let config = "[project]\nname = \"replace\"\n[services.here]\nprovider = \"sandbox\"\n";
    project.write("pallet.toml", config);
    project.write("pallet.star", declarations);
    project
}

const SURGE: &str = r#"
def configure(request):
    file(request, "/srv/x")

def show(request):
    names = [node.name for node in request.targets_in_group("web")]
    remote_file(request, "/srv/known", content = " ".join(names) + "\n")

group_spec("web", count = 2, phases = {"bootstrap": configure, "configure": configure},
    rollout = rollout(surge = 1), node_spec = node_spec(hardware = {"min_cores": 1}))
group_spec("lb", count = 1, phases = {"bootstrap": configure, "configure": show})
"#;

fn known(project: &Project) -> String {
    project.run(&["run", "lb", "--", "cat", "/srv/known"]).exits(0).stdout
}

#[test]
fn new_nodes_come_before_old_ones_go() {
    let _alone = alone();
    let project = sandbox(SURGE);
    project.run(&["converge"]).exits(0);
    assert_eq!(names(&project), ["lb-1", "web-1", "web-2"]);
    project
        .run(&["converge", "--replace", "web-1"])
        .exits(2)
        .says("this destroys web-1; use --yes");
    project.run(&["converge", "--replace", "web-9"]).exits(2).says("there is no node web-9");
    project
        .run(&["converge", "--replace", "web-1", "--dry-run"])
        .exits(0)
        .says("web-3: create the node")
        .says("web-1: destroy the node");
    let events = project.events(&["converge", "--replace", "web-1", "--yes"], 0);
    assert_eq!(events.coming_and_going(), ["created web-3", "destroyed web-1"]);
    assert_eq!(names(&project), ["lb-1", "web-2", "web-3"]);
    assert!(known(&project).contains("web-2 web-3\n"), "the old node is forgotten");

    // the node-spec changes: reported in every plan, replaced only when told to
    project.edit("pallet.star", "\"min_cores\": 1", "\"min_cores\": 2");
    for arguments in [&["lift"][..], &["converge", "--dry-run"], &["converge"]] {
        project
            .run(arguments)
            .exits(0)
            .says(
                "web-2, web-3: made from another hardware than the node-spec of group web now has",
            )
            .says("--replace-outdated");
    }
    assert_eq!(names(&project), ["lb-1", "web-2", "web-3"]);
    project.run(&["converge", "--replace-outdated", "--yes"]).exits(0).never_says("made from");
    assert_eq!(names(&project), ["lb-1", "web-1", "web-2"]);
    project.run(&["converge"]).exits(0).never_says("made from").says("nothing to change");
}

const PROTECTED: &str = r#"
def configure(request):
    file(request, "/srv/x")

group_spec("db", count = 2, phases = {"bootstrap": configure}, protect = True)
group_spec("web", count = 2, phases = {"bootstrap": configure}, min_count = 1)
"#;

#[test]
fn protected_nodes_stay_until_somebody_says_otherwise() {
    let _alone = alone();
    let project = sandbox(PROTECTED);
    project.run(&["converge"]).exits(0);
    let all = ["db-1", "db-2", "web-1", "web-2"];
    let protected = "group db is protected, and this destroys db-2";
    project.run(&["converge", "db=1", "--yes"]).exits(2).says(protected).says("--unprotect db");
    project
        .run(&["converge", "--replace", "db-1", "--yes"])
        .exits(2)
        .says("group db is protected, and this destroys db-1");
    project.run(&["down", "--yes"]).exits(2).says("this destroys db-1, db-2");
    project.run(&["converge", "web=0", "--yes"]).exits(2).says("must keep at least 1 nodes");
    project.run(&["converge", "db=1", "--unprotect", "bd"]).exits(2).says("did you mean `db`?");
    assert_eq!(names(&project), all);
    project.run(&["converge", "db=1", "--yes", "--unprotect", "db"]).exits(0);
    project.run(&["converge", "web=1", "--yes"]).exits(0);
    assert_eq!(names(&project), ["db-1", "web-1"]);
    // also if the group is gone, or nothing can be loaded
    let declarations = project.directory().join("pallet.star");
    let text = std::fs::read_to_string(&declarations).unwrap();
    for other in [text.replace("\"db\"", "\"data\""), "group_spec(".to_owned()] {
        std::fs::write(&declarations, other).unwrap();
        project.run(&["down", "--yes"]).exits(2).says("this destroys db-1").says("--unprotect db");
    }
    std::fs::write(&declarations, text).unwrap();
    project.run(&["down", "--yes", "--unprotect", "db"]).exits(0);
    assert_eq!(names(&project), Vec::<String>::new());
    project.edit(
        "pallet.star",
        "count = 2, phases = {\"bootstrap\": configure}, min_count = 1",
        "count = 1, min_count = 2",
    );
    project.run(&["check"]).exits(2).says("group web: its count 1 is below its min_count 2");
}

const FAILING: &str = r#"
def configure(request):
    on_node(request, "lb-1", lambda lb: directory(lb, "/srv/known"))
    exec_script(request, "test -e /srv/good || [ %s != %s ]" % (request.target.name, request.environment.get("bad", "none")))

def drain(request):
    on_node(request, "lb-1", lambda lb: exec_script(lb, "echo drain %s >>/srv/log" % request.target.name))

def undrain(request):
    on_node(request, "lb-1", lambda lb: exec_script(lb, "echo undrain %s >>/srv/log" % request.target.name))

group_spec("web", count = 2, phases = {
    "bootstrap": lambda request: None, "configure": configure, "drain": drain, "undrain": undrain,
})
group_spec("lb", count = 1, phases = {"bootstrap": lambda request: None})
"#;

#[test]
fn a_resumed_replacement_first_mends_what_it_made() {
    let _alone = alone();
    let project = sandbox(FAILING);
    // what runs on a node that does not exist yet is planned too
    let dry_run = project.run(&["converge", "--dry-run"]).exits(0);
    dry_run.says("directory /srv/known").says("3 would be created");
    project.run(&["converge", "--yes"]).exits(0);
    let replace = ["converge", "--replace", "web-1", "--replace", "web-2", "--env", "bad=web-1"];
    project
        .run(&[&replace[..], &["--dry-run"]].concat())
        .exits(0)
        .says("lb-1: drain: exec_script echo drain web-1")
        .says("web-1: destroy the node");
    let output = project.run(&[&replace[..], &["--yes"]].concat()).exits(1);
    let output = output.says("web-1: destroyed").never_says("web-2: destroyed");
    output.says("web-2: it was not replaced").says("converge --resume");
    let resume = ["converge", "--resume", "--yes", "--env", "bad=web-1"];
    let output = project.run(&resume).exits(1);
    output.never_says("destroyed").says("web-1 failed");
    project.run(&["run", "web-1", "--", "touch", "/srv/good"]).exits(0);
    let events = project.events(&resume, 0);
    assert_eq!(events.coming_and_going(), ["destroyed web-2", "created web-2"]);
}
