//! The facts of nodes: what Pallet reads, what a project asks for, and choosing nodes by them.

use pallet_tests::Bed;
use serde_json::Value;

use crate::rollout::{project, text};

const NODES: [(&str, &str); 3] = [("web-1", "web"), ("web-2", "web"), ("db-1", "db")];

const DECLARED: &str = r#"
facts = [
    fact("level", "cat /srv/level", type = int, default = 1),
    fact("lines", "printf 'a\nb\n'", type = list),
    fact("there", "test -e /srv/level", type = bool),
]

def configure(request):
    root = [mount for mount in request.target.mounts if mount.path == "/"]
    remote_file(request, "/srv/facts", content = "{} {} {} {} {}\n".format(
        request.facts.level,
        request.facts.lines,
        request.facts.there,
        request.target.cores > 0,
        len(root) <= 1 and request.target.default_route != 0,
    ))
    others = [(one.name, one.facts.level) for one in request.targets if one.group == "web"]
    remote_file(request, "/srv/others", content = str(others) + "\n")

base = server_spec(facts = facts, phases = {"configure": configure})
group_spec("web", extends = [base])
group_spec("db", extends = [base])
"#;

/// The facts of a node, as `facts --output json` prints them.
fn of(project: &pallet_tests::Project, node: &str) -> Value {
    let output = project.run(&["facts", node, "--output", "json"]).exits(0);
    let facts: Value = serde_json::from_str(&output.stdout).unwrap();
    facts[0].clone()
}

#[test]
fn facts_are_what_the_node_says() {
    let bed = Bed::of(3);
    let project = project(&bed, &NODES, DECLARED);
    let facts = of(&project, "web-1");
    let says = |command: &str| bed.ssh(1, command).exits(0).stdout.trim().to_owned();
    assert_eq!(facts["hostname"], says("uname -n"), "{facts:#}");
    assert_eq!(facts["kernel"], says("uname -r"));
    assert_eq!(facts["cores"].to_string(), says("nproc"));
    assert_eq!(
        facts["memory"].to_string(),
        says("awk '/^MemTotal/ {print int($2 / 1024)}' /proc/meminfo")
    );
    assert_eq!(
        facts["swap"].to_string(),
        says("awk '/^SwapTotal/ {print int($2 / 1024)}' /proc/meminfo")
    );
    assert_eq!(facts["machine_id"], says("cat /etc/machine-id 2>/dev/null || true"));
    assert_eq!(facts["boot_time"].to_string(), says("awk '$1 == \"btime\" {print $2}' /proc/stat"));
    let interface = &facts["interfaces"][0];
    let name = interface["name"].as_str().unwrap();
    assert_eq!(interface["mac"], says(&format!("cat /sys/class/net/{name}/address")));
    let addresses = interface["addresses"].to_string();
    assert!(addresses.contains(&bed.address(1)), "{addresses}");
    assert_eq!(facts["os"]["family"], "debian");
    assert_eq!(facts["facts"]["level"], 1);
    assert_eq!(facts["time_zone"], says("readlink /etc/localtime | sed 's|.*zoneinfo/||'"));
    assert_eq!(facts["error"], Value::Null);

    let shown = project.run(&["facts", "web-1"]).exits(0);
    shown.says("  kernel").says("family=debian").says("level=1").never_says("web-2");
}

#[test]
fn a_projects_own_facts_decide_what_is_declared() {
    let bed = Bed::of(3);
    let project = project(&bed, &NODES, DECLARED);
    bed.ssh(2, "echo 7 >/srv/level").exits(0);
    project.run(&["lift"]).exits(0).says("3 changed");
    assert_eq!(text(&bed, 1, "/srv/facts"), "1 [\"a\", \"b\"] False True True\n");
    assert_eq!(text(&bed, 2, "/srv/facts"), "7 [\"a\", \"b\"] True True True\n");
    assert_eq!(text(&bed, 3, "/srv/others"), "[(\"web-1\", 1), (\"web-2\", 7)]\n");
    project.run(&["lift"]).exits(0).says("nothing to change on 3 nodes");
    // a dry run and the apply agree, although what is remembered is wrong
    bed.ssh(1, "echo 5 >/srv/level").exits(0);
    project.run(&["lift", "--dry-run"]).exits(0).says("3 would change");
    project.run(&["lift"]).exits(0).says("3 changed");
    assert_eq!(text(&bed, 2, "/srv/others"), "[(\"web-1\", 5), (\"web-2\", 7)]\n");
    // a node of which the rest is not told is remembered
    project.run(&["lift", "db", "--dry-run"]).exits(0).says("nothing to change on 1 node");
}

#[test]
fn nodes_are_chosen_by_facts() {
    let bed = Bed::of(3);
    let project = project(&bed, &NODES, DECLARED);
    bed.ssh(2, "echo 7 >/srv/level").exits(0);
    let high = ["--where", "facts.level > 3"];
    let lifted = project.run(&[&["lift"], &high[..]].concat()).exits(0);
    lifted.says("1 of 3 nodes: web-2").says("1 changed");
    assert_eq!(text(&bed, 1, "/srv/facts"), "");
    project.run(&[&["nodes"], &high[..]].concat()).exits(0).says("web-2").never_says("db-1");
    let ran = project.run(&[&["run"], &high[..], &["--", "cat /srv/level"]].concat()).exits(0);
    ran.says("7").never_says("web-1");
    project.run(&["check", "--where", "group == 'db'"]).exits(0).says("db: ").never_says("web:");
    project.run(&["check", "web-*"]).exits(0).says("the others were not checked").never_says("db:");
    for (condition, problem) in [
        (
            "os.family == \"redhat\"",
            "no node meets `os.family == \"redhat\"`; os.family is debian (3)",
        ),
        ("cors > 2", "there is no fact `cors`"),
        ("os.family", "--where must be true or false"),
        ("facts.levl == 1", "levl"),
        ("cores >", "syntax error"),
    ] {
        project.run(&["lift", "--where", condition]).exits(2).says(problem);
    }
    for (declared, problem) in [
        ("fact(\"9x\", \"true\")", "must consist of letters, digits and _"),
        ("fact(\"x\", \"\")", "is empty"),
        ("fact(\"x\", \"true\", type = 3)", "`type` must be str, int, float, bool, list or dict"),
        ("fact(\"x\", \"true\", type = int, default = \"a\")", "`default` must be of the type int"),
    ] {
        project.write("pallet.star", format!("group_spec(\"web\", facts = [{declared}])\n"));
        project.run(&["check"]).exits(2).says(problem);
    }
    let missing = "def configure(request):\n    print(request.facts.gpu)\n\
        group_spec(\"web\", phases = {\"configure\": configure})\ngroup_spec(\"db\")\n";
    project.write("pallet.star", missing);
    project.run(&["check"]).exits(2).says("request.facts has no key `gpu`").says("fact(\"gpu\"");
}
