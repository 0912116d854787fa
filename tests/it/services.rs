//! Services: what they offer, adding one, combining several, and leases against concurrent
//! converges.

use std::time::Duration;

use pallet_tests::Project;
use rustix::process::Signal;
use serde_json::Value;

use crate::quickstart::{alone, names};

const CONFIG: &str = "default_service = \"lab\"\n\n# what nodes are made of\n[services.lab]\n\
    provider = \"sandbox\"\n";

fn project(config: &str, declarations: &str) -> Project {
    let project = Project::quickstart().timeout(Duration::from_secs(120));
    project.write("pallet.toml", format!("{config}\n[project]\nname = \"services\"\n"));
    project.write("pallet.star", declarations);
    project
}

#[test]
fn what_a_service_offers_is_listed_and_judged() {
    let huge = "group_spec(\"web\", count = 1, node_spec = node_spec(hardware = \
        {\"min_cores\": 4000}))\n\
        group_spec(\"bsd\", count = 1, node_spec = node_spec(image = {\"os_family\": \"plan9\"}))\n\
        group_spec(\"app\", count = 1)";
    let project = project(CONFIG, huge);
    project.run(&["images"]).exits(0).says("machine");
    project.run(&["hardware"]).exits(0).says("CORES");
    project.run(&["locations"]).exits(0).says("this machine");
    project.run(&["hardware", "--group", "app"]).exits(0).says("chosen");
    project.run(&["hardware", "--group", "web"]).exits(1).says("min_cores is 4000");
    project.run(&["images", "--group", "bsd"]).exits(1).says("not plan9");
    let images = project.run(&["images", "--output", "json"]).exits(0);
    let images: Value = serde_json::from_str(&images.stdout).unwrap();
    assert_eq!(images[0]["id"], "machine");

    let dry = project.run(&["converge", "--dry-run", "--explain"]).exits(1);
    dry.says("no hardware satisfies the node-spec; the nearest of 1: machine (cores are")
        .says("plan9")
        .says("app-1: create the node");
}

#[test]
fn a_service_is_added_once_it_answers() {
    let project = project(CONFIG, "group_spec(\"web\", count = 0)");
    let file = project.directory().join("pallet.toml");
    let before = std::fs::read_to_string(&file).unwrap();
    project.run(&["add-service", "second", "sandbx"]).exits(2).says("did you mean `sandbox`?");
    project
        .run(&["add-service", "second", "sandbox", "netwrk=1"])
        .exits(2)
        .says("did you mean `network`?");
    project
        .run(&["add-service", "second", "sandbox", "image=/nowhere"])
        .exits(2)
        .says("/nowhere is not a directory");
    project.run(&["add-service", "lab", "sandbox"]).exits(2).says("service lab already exists");
    project.run(&["add-service", "Not Good", "sandbox"]).exits(2).says("cannot name a service");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), before, "nothing was written");

    project
        .run(&["add-service", "second", "sandbox", "network=10.98.0.0/16", "--default"])
        .exits(0)
        .says("service second works");
    let after = std::fs::read_to_string(&file).unwrap();
    assert!(
        after.contains("# what nodes are made of") && after.contains("network = \"10.98.0.0/16\""),
        "{after}"
    );
    assert!(after.contains("default_service = \"second\""), "{after}");
    project.run(&["check"]).exits(0);
}

const HYBRID: &str = "default_service = \"all\"\n[services.all]\nprovider = \"hybrid\"\n\
    groups = { web = \"lab\" }\ndefault = \"other\"\n\
    [services.lab]\nprovider = \"sandbox\"\n\
    [services.other]\nprovider = \"sandbox\"\n[services.loop]\nprovider = \"hybrid\"\n\
    groups = {}\ndefault = \"loop\"\n";

#[test]
fn several_services_are_one() {
    let _alone = alone();
    let configure = "def configure(request):\n    directory(request, \"/srv/\" + \
        request.target.group)\n\n\
        group_spec(\"web\", count = 1, phases = {\"configure\": configure})\n\
        group_spec(\"db\", count = 1, phases = {\"configure\": configure})\n";
    let project = project(HYBRID, configure);
    project.run(&["nodes", "--service", "loop"]).exits(2).says("leads back to itself");
    project.run(&["images"]).exits(0).says("lab/machine").says("other/machine");
    project.events(&["converge"], 0);
    assert_eq!(names(&project), ["db-1", "web-1"]);
    assert_eq!(project.events(&["converge"], 0).changes().values().sum::<usize>(), 0);
    let of = |service: &str| {
        project.run(&["nodes", "--service", service]).exits(0).stdout.lines().count() - 1
    };
    assert_eq!((of("lab"), of("other")), (1, 1), "each group is where it belongs");
    project.run(&["down", "--yes"]).exits(0);
    assert_eq!(names(&project), Vec::<String>::new());
}

#[test]
fn a_second_converge_is_refused_and_a_killed_one_is_taken_over() {
    let _alone = alone();
    let slow = "def configure(request):\n    exec_script(request, \"echo at work; sleep \
        ${SLOW:-60}\", creates = \"/srv/done\")\n\n\
        group_spec(\"web\", count = 2, phases = {\"configure\": configure})\n";
    let project = project(CONFIG, slow);
    let mut first = project.start(&["converge", "-vv"]);
    first.wait_for("at work");
    let second = project.run(&["converge"]).exits(2);
    second.says("another converge or down is changing this project's nodes").says("process");
    project.run(&["down", "--yes"]).exits(2).says("another converge");
    project.run(&["converge", "--dry-run"]).exits(0);
    first.signal(Signal::KILL);
    let _ = first.wait();

    // its lease is not waited for, and its nodes are neither lost nor created twice
    project.edit("pallet.star", "sleep ${SLOW:-60}", "touch /srv/done");
    let events = project.events(&["converge"], 0);
    assert!(events.ok());
    assert_eq!(names(&project), ["web-1", "web-2"]);
    project.run(&["down", "--yes"]).exits(0);
}
