//! The nodes that an operation sees and reports: nodes of other groups or of none, nodes that
//! cannot be destroyed; and invalid projects.

use std::path::Path;
use std::time::Duration;

use pallet_tests::{Bed, Events, Project};

use crate::quickstart::{alone, names};

const BALANCED: &str = r#"
def settings(request):
    request.set_settings("app", port = 8080)

def backend(request):
    file(request, "/srv/backend")

def balance(request):
    lines = [node.address + ":" + str(request.settings("app", node)["port"]) for node in request.targets_with_role("backend")]
    remote_file(request, "/srv/backends", content = "\n".join(lines) + "\n")

group_spec("web", roles = ["backend"], phases = {"settings": settings, "configure": backend})
group_spec("balancer", phases = {"configure": balance})
"#;

/// A list of the nodes of a bed, each with its group.
fn listed(bed: &Bed, nodes: &[(&str, &str, usize)]) -> String {
    let mut text = format!(
        "default_service = \"bed\"\n[project]\nname = \"operations\"\n[services.bed]\n\
         provider = \"node-list\"\n\
         [admin_user]\nname = \"root\"\nidentity_files = [{:?}]\n",
        bed.key()
    );
    for (name, group, number) in nodes {
        text.push_str(&format!(
            "[services.bed.nodes.{name}]\ngroup = \"{group}\"\n\
            host = \"{}\"\n",
            bed.address(*number)
        ));
    }
    text
}

#[test]
fn a_part_that_is_lifted_knows_all_nodes() {
    let bed = Bed::of(3);
    let config =
        listed(&bed, &[("web-1", "web", 1), ("web-2", "web", 2), ("balancer-1", "balancer", 3)]);
    let project = Project::on_bed(&bed, &[("pallet.toml", &config), ("pallet.star", BALANCED)]);
    // the backends have never been reached, and cannot be
    bed.kill(1);
    bed.kill(2);
    let first = project.run(&["lift", "balancer", "--output", "json"]).exits(0);
    assert!(first.took < Duration::from_secs(8), "nodes that it is not for cost time\n{first}");
    let backends = format!("{}:8080\n{}:8080\n", bed.address(1), bed.address(2));
    assert_eq!(std::fs::read_to_string(bed.disk(3).join("srv/backends")).unwrap(), backends);
    project.run(&["explain", "balancer-1"]).exits(0).never_says("error");

    // the whole output is consistent, even if some nodes cannot be reached
    let all = Events::of(&project.run(&["lift", "--output", "json"]).exits(1));
    assert_eq!(all.changes().get("balancer-1"), Some(&0));
    bed.start(1);
    bed.start(2);
    assert_eq!(project.events(&["lift"], 0).changes()["balancer-1"], 0);
    assert_eq!(project.events(&["lift", "balancer"], 0).changes()["balancer-1"], 0);
}

const SANDBOX: &str = "[project]\nname = \"operations\"\n[services.here]\nprovider = \"sandbox\"\n";

fn sandbox(config: &str, declarations: &str) -> Project {
    let project = Project::quickstart().timeout(Duration::from_secs(120));
    project.write("pallet.toml", config);
    project.write("pallet.star", declarations);
    project
}

const TWO: &str = "def configure(request):\n    file(request, \"/srv/x\")\n\n\
    group_spec(\"web\", count = 1, phases = {\"configure\": configure, \"bootstrap\": configure})\n\
    group_spec(\"db\", count = 1, phases = {\"configure\": configure, \"bootstrap\": configure})\n";

#[test]
fn fault_24_nodes_whose_group_is_gone_are_named_until_they_go() {
    let _alone = alone();
    let project = sandbox(SANDBOX, TWO);
    project.events(&["converge"], 0);
    let gone = "group_spec(\"db\", count = 1, phases = \
        {\"configure\": configure, \"bootstrap\": configure})\n";
    project.edit("pallet.star", gone, "");
    for arguments in [
        ["lift"].as_slice(),
        &["lift", "web", "--dry-run"],
        &["converge", "--dry-run"],
        &["converge"],
        &["check"],
    ] {
        project.run(arguments).exits(0).says("db-1").says("group db").says("--remove-undeclared");
    }
    project.run(&["nodes"]).exits(0).says("db (not declared)");
    let declared: Vec<_> =
        project.nodes().iter().map(|node| node["declared"].as_bool().unwrap()).collect();
    assert_eq!(declared, [false, true]);
    assert_eq!(names(&project), ["db-1", "web-1"], "nobody said that it should go");
    project.run(&["converge", "db=0"]).exits(2).says("this destroys db-1; use --yes");
    project.run(&["converge", "db=0", "--yes"]).exits(0).says("db-1: destroyed");
    assert_eq!(names(&project), ["web-1"]);
    project.run(&["converge", "bd=0"]).exits(2).says("there is no group bd");

    project.write("pallet.star", "group_spec(\"other\", count = 0)\n");
    project.run(&["converge", "--remove-undeclared"]).exits(0).says("web-1: destroyed");
    assert_eq!(names(&project), Vec::<String>::new());
}

#[test]
fn down_of_several_services_tells_what_became_of_each_node() {
    let _alone = alone();
    let config = "default_service = \"all\"\n[project]\nname = \"operations\"\n[services.all]\n\
        provider = \"hybrid\"\n\
        groups = { web = \"here\" }\ndefault = \"list\"\n[services.here]\nprovider = \"sandbox\"\n\
        [services.list.nodes.db-1]\ngroup = \"db\"\nhost = \"192.0.2.1\"\n[services.list]\n\
        provider = \"node-list\"\n";
    let project = sandbox(config, TWO);
    project.run(&["converge", "web"]).exits(0);
    project
        .run(&["down"])
        .exits(2)
        .says("db-1 stays: its provider only lists it")
        .says("this destroys web-1; use --yes");
    let down = project.events(&["down", "--yes"], 1);
    let of = |kind: &str| -> Vec<String> {
        down.of_kind(kind).filter_map(|event| event.node()).map(str::to_owned).collect()
    };
    assert_eq!(
        (of("destroying"), of("destroyed")),
        (vec!["web-1".to_owned()], vec!["web-1".to_owned()])
    );
    assert_eq!(of("node_finished"), ["db-1"]);
    assert_eq!(names(&project), ["db-1"]);
    project.run(&["down", "--yes"]).exits(1).says("db-1").says("never destroys machines");
}

#[test]
fn a_broken_pallet_star_keeps_nobody_from_the_nodes() {
    let _alone = alone();
    let project = sandbox(SANDBOX, TWO);
    project.run(&["converge", "web"]).exits(0);
    project.write("pallet.star", "load(\"@nosuch\", \"nosuch\")\ngroup_spec(\"web\", cuont = 1\n");
    project.run(&["lift"]).exits(2);
    project
        .run(&["nodes"])
        .exits(0)
        .says("web-1")
        .says("pallet.star cannot be loaded")
        .says("pallet.star:3");
    project
        .run(&["run", "web", "--", "hostname"])
        .exits(0)
        .says("web-1")
        .never_says("cannot be used");
    project.run(&["run", "--all", "--", "hostname"]).exits(0).says("web-1");
    project.write("file", "content");
    let file = project.directory().join("file");
    project.run(&["cp", file.to_str().unwrap(), "web-1:/srv/copied"]).exits(0);
    project.run(&["ssh", "web-1", "--", "cat", "/srv/copied"]).exits(0).says("content");
    std::fs::remove_file(project.directory().join("pallet.star")).unwrap();
    project.run(&["down", "--yes"]).exits(0).says("web-1: destroyed");
    assert_eq!(names(&project), Vec::<String>::new());
}

const WRONG: &str = r#"
def configure(request):
    remote_file(request, "/etc/missing", local_file = "no/such")
    remote_file(request, "/etc/template", template = "broken.j2", values = {"name": 1})
    remote_file(request, "etc/relative", content = "")
    remote_file(request, "/etc/mode", content = "", mode = "999")
    remote_file(request, "/etc/nothing")
    remote_file(request, "/etc/two", content = "", local_file = "pallet.star")
    exec_script(request, "echo " + secret("unset"))

def restart(request):
    exec_script(request, request.environment.databse)

def alone(request):
    fail("not for " + request.target.name)

group_spec("web", count = 2, phases = {"configure": configure, "restart": restart}, default_phases = ["confgure"])
group_spec("db", count = 1, phases = {"restart": alone})
"#;

#[test]
fn check_finds_all_that_is_wrong() {
    let config = "default_service = \"here\"\n[project]\nname = \"operations\"\n[services.here]\n\
        provider = \"sandbox\"\n\
        [services.list]\nprovider = \"node-list\"\n[services.list.nodes.web-1]\n\
        host = \"192.0.2.1\"\ngroup = \"wbe\"\n\
        [environment]\ndatabase = \"x\"\n[secrets]\nunset = { env = \"PALLET_NO_SUCH\" }\n";
    let project = Project::empty();
    project.write("pallet.toml", config);
    project.write("pallet.star", WRONG);
    project.write("broken.j2", "one\n{{ nmae }}\n");
    let mut checked = project.run(&["check"]).exits(2);
    for (what, place) in [
        ("no/such", "pallet.star:3:"),
        ("broken.j2:2", "pallet.star:4:"),
        ("etc/relative", "pallet.star:5:"),
        ("999", "pallet.star:6:"),
        ("exactly one of content", "pallet.star:7:"),
        ("exactly one of content", "pallet.star:8:"),
        ("the environment has no key `databse`", "pallet.star:12:"),
        ("not for db-1", "pallet.star:15:"),
        ("did you mean `configure`?", "pallet.star:17:"),
        ("node `web-1` belongs to group `wbe`", "pallet.toml:10:"),
        ("PALLET_NO_SUCH", "pallet.toml:14:"),
    ] {
        checked = checked.says(what).says(place);
    }
    checked
        .says("did you mean `database`?")
        .says("did you mean `web`?")
        .never_says("the project is valid");
    // after that, everything is valid
    project.write("pallet.star", TWO);
    project.edit("pallet.toml", "\"wbe\"", "\"web\"");
    project.edit("pallet.toml", "PALLET_NO_SUCH", "HOME");
    project.run(&["check"]).exits(0).says("the project is valid");
}

#[test]
fn a_dry_run_that_cannot_plan_a_new_node_fails() {
    let project = Project::empty();
    project.write("pallet.toml", SANDBOX);
    project.write(
        "pallet.star",
        WRONG
            .replace("default_phases = [\"confgure\"]", "roles = []")
            .replace("secret(\"unset\")", "\"\""),
    );
    project.run(&["converge", "web", "--dry-run"]).exits(1).says("web-1").says("no/such");
}

#[test]
fn more_nodes_than_a_project_may_have_are_an_error_at_once() {
    let project = Project::empty();
    project.write("pallet.toml", SANDBOX);
    project.write("pallet.star", "group_spec(\"web\", count = 1000000000)\n");
    let refused = project.run(&["converge", "--dry-run"]).exits(2);
    let refused = refused
        .says("group `web` has 1000000000 nodes, but a project may have 10000")
        .says("max_nodes")
        .says("pallet.star:1:1");
    assert!(refused.took < Duration::from_secs(5), "{refused}");
    project.write("pallet.star", "group_spec(\"web\", count = 1)\n");
    project
        .run(&["converge", "web=20000", "--dry-run"])
        .exits(2)
        .says("the limit is 10000")
        .says("max_nodes");
    project.edit("pallet.toml", "\"operations\"", "\"operations\"\nmax_nodes = 20000");
    // planning each of them again would never end
    project.run(&["converge", "web=20000", "--dry-run", "--output", "json"]).exits(0);
    assert!(!Path::new("/var/lib/pallet/operations").exists());
}

#[test]
fn names_of_groups_tell_their_nodes_apart() {
    let project = Project::empty();
    project.write("pallet.toml", SANDBOX);
    project.write(
        "pallet.star",
        "group_spec(\"web\", count = 1)\n\
        group_spec(\"web-1\", count = 1)\n",
    );
    project
        .run(&["check"])
        .exits(2)
        .says("`web-1` is a group, and also the name of node 1 of group `web`")
        .says("pallet.star:2:1");
}
