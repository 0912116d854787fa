//! `explain` and `graph` show what a lift does, and change nothing.

use std::fs;

use pallet_tests::{Bed, Project};
use serde_json::Value;

use crate::lift::project;
use crate::quickstart::alone;

/// Some of everything that can be planned, on nodes with real sshd.
const APP: &str = r##"
def settings(request):
    request.set_settings("app", {"host": request.target.name})

def configure(request):
    package(request, "bed-alpha")
    package(request, "bed-beta")
    directory(request, "/srv/app", mode = "0750")
    remote_file(request, "/srv/app/secret", content = "password = " + secret("db") + "\n", mode = "0600", flag_on_change = "app")
    remote_file(request, "/srv/app/hosts", content = str([request.settings("app", target.id) for target in request.targets]) + "\n")
    exec_script(request, "echo ran >> /srv/app/ran", if_flag = "app")
    exec_script(request, "test -n \"$PW\" && touch /srv/app/environment", environment = {"PW": secret("db")}, creates = "/srv/app/environment")
    plan_when(request, "test -e /srv/none", lambda request: remote_file(request, "/srv/when", content = "there\n"))
    plan_when_not(request, "test -e /srv/none", lambda request: remote_file(request, "/srv/when-not", content = "not there\n"))

def restart(request):
    exec_script(request, "echo restarted >> /srv/app/restarted")

app = group_spec("app", phases = {"settings": settings, "configure": configure, "restart": restart})
"##;

const SECRET: &str = "it's-hunter2\"7Hq";

fn app(bed: &Bed, count: usize) -> Project {
    let project = project(bed, count, "root", APP);
    project.edit(
        "pallet.toml",
        "[admin_user]",
        "[secrets]\ndb = { env = \"DB_PASSWORD\" }\n\n\
        [admin_user]",
    );
    project.set("DB_PASSWORD", SECRET)
}

#[track_caller]
fn explained(project: &Project, arguments: &[&str]) -> Vec<Value> {
    let arguments: Vec<_> =
        ["--output", "json", "explain"].iter().chain(arguments).copied().collect();
    let output = project.run(&arguments).exits(0).never_says("hunter2");
    match serde_json::from_str(&output.stdout) {
        Ok(Value::Array(explanations)) => explanations,
        _ => panic!("not one array\n{output}"),
    }
}

/// The actions of an explanation in order: phase, action, subject, certainty.
fn actions(explanation: &Value) -> Vec<[Value; 4]> {
    let phases = explanation["phases"].as_array().unwrap();
    let of_phase = |phase: &Value| {
        let actions = phase["actions"].as_array().unwrap().clone();
        let phase = phase["phase"].clone();
        actions.into_iter().map(move |action| {
            [
                phase.clone(),
                action["action"].clone(),
                action["subject"].clone(),
                action["certainty"].clone(),
            ]
        })
    };
    phases.iter().flat_map(of_phase).collect()
}

/// Whether the conditions that actions stand under hold, in order.
fn conditions(explanation: &Value) -> Vec<Option<bool>> {
    let phases = explanation["phases"].as_array().unwrap().iter();
    let actions = phases.flat_map(|phase| phase["actions"].as_array().unwrap());
    actions
        .filter_map(|action| action["conditions"].get(0))
        .map(|condition| condition["holds"].as_bool())
        .collect()
}

/// The same as [`actions`], from the events of a dry run.
fn planned(project: &Project, node: &str, arguments: &[&str], predicted: bool) -> Vec<[Value; 4]> {
    let arguments: Vec<_> =
        arguments.iter().copied().chain(["--dry-run", "-v", "--output", "json"]).collect();
    let output = project.run(&arguments).exits(0);
    let events = output.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let of_node = |event: &Value| {
        event["node"] == node && ["planned", "action"].iter().any(|kind| event["event"] == *kind)
    };
    let actions: Vec<_> = events.filter(of_node).collect();
    assert!(
        actions.iter().all(|event| event["predicted"].as_bool().unwrap_or_default() == predicted),
        "{output}"
    );
    actions
        .iter()
        .map(|event| ["phase", "action", "subject", "certainty"].map(|key| event[key].clone()))
        .collect()
}

#[test]
fn a_node_is_explained_as_a_dry_run_plans_it_and_nothing_is_written() {
    let bed = Bed::of(2);
    let project = app(&bed, 2);
    let listing = "find / -xdev \\( -path /proc -o -path /sys -o -path /run -o -path /tmp -o -path \
        /var/log \\) -prune -o -type f -printf '%p %i %T@ %C@\\n' 2>/dev/null | sort";
    let before = bed.ssh(1, listing).exits(0).stdout;
    let first = explained(&project, &["node1"]);
    assert_eq!(first.len(), 1);
    assert_eq!(bed.ssh(1, listing).exits(0).stdout, before);
    assert_eq!(actions(&first[0]), planned(&project, "node1", &["lift"], false));
    assert_eq!(actions(&first[0]).len(), 9);
    assert_eq!(
        (first[0]["predicted"].as_bool(), first[0]["node"].as_str()),
        (Some(false), Some("node1"))
    );

    // both sides of the condition are shown; what packages change can affect it
    assert_eq!(conditions(&first[0]), [None, None]);
    let configure = first[0]["phases"].as_array().unwrap().last().unwrap();
    let secret = &configure["actions"][3];
    assert_eq!(secret["arguments"]["content"], "password = ⟦secret:db⟧\n");
    assert_eq!(secret["source"]["line"], 9, "{secret}");
    let packages = &configure["actions"][0];
    assert_eq!(packages["together_with"][0], "package bed-beta", "{packages}");
    assert_eq!(packages["observes"][0]["what"], "package bed-alpha", "{packages}");

    // the text has the same content
    let text = project.run(&["explain", "node1", "--script"]).exits(0).never_says("hunter2");
    text.says("pallet.star:9")
        .says("⟦secret:db⟧")
        .says("only when  `test -e /srv/none` succeeds (checked on the node)")
        .says("observes");

    // when everything is done there is nothing to do, and the reason is shown
    project.run(&["lift"]).exits(0);
    let after = explained(&project, &["node1"]);
    assert_eq!(actions(&after[0]), planned(&project, "node1", &["lift"], false));
    assert!(actions(&after[0]).iter().all(|[.., certainty]| certainty.is_null()), "{after:?}");
    assert_eq!(conditions(&after[0]), [Some(false), Some(true)]);
    let text = project.run(&["explain", "node1"]).exits(0).never_says("hunter2");
    let text = text.says("nothing before it sets the flag app").says("it is so already");
    text.says("only when  `test -e /srv/none` succeeds (it does not)")
        .says("only when  `test -e /srv/none` fails (it does)");
    // not even the digest of a file with a secret is shown
    let found = after[0]["phases"][0]["actions"][3]["observes"][1]["found"].as_str().unwrap();
    assert!(found.starts_with("a file") && !found.contains("sha256"), "{found}");
}

#[test]
fn the_script_that_is_shown_does_what_a_lift_does() {
    let bed = Bed::of(1);
    // without secrets, so that the complete script is shown
    let project = project(&bed, 1, "root", &APP.replace("secret(\"db\")", "\"known\""));
    let explanation = explained(&project, &["node1"]).remove(0);
    let script = explanation["phases"][0]["script"].as_str().unwrap();
    project.write("shown.sh", script);
    let path = project.directory().join("shown.sh");
    project.run(&["run", "node1", "--script", path.to_str().unwrap()]).exits(0);
    bed.ssh(
        1,
        "grep -q known /srv/app/secret && test -e /srv/when-not -a ! -e /srv/when && ls \
        /usr/share/bed-alpha /usr/share/bed-beta",
    )
    .exits(0);
    project.run(&["lift", "--dry-run"]).exits(0).says("nothing to change");
}

#[test]
fn phases_and_code_are_explained_and_what_is_wrong_is_said() {
    let bed = Bed::of(1);
    let project = app(&bed, 1);
    let restart = explained(&project, &["app", "--phase", "restart", "--os", "rocky 9"]);
    assert_eq!(actions(&restart[0]).len(), 1);
    let inline = explained(&project, &["app", "-e", "package(request, 'tree')", "--os", "alpine"]);
    assert_eq!(
        inline[0]["phases"][0]["actions"][0]["script"],
        "package_transaction apk --install tree\n"
    );
    project
        .run(&["explain", "ap"])
        .exits(2)
        .says("there is no node, group or role ap; did you mean `app`?");
    project
        .run(&["explain", "app", "--os", "plan9"])
        .exits(2)
        .says("\"plan9\" is not known")
        .says("alpine");
    project.run(&["explain", "node1", "--os", "rocky 9"]).exits(2).says("name its group instead");
    // a node that cannot be reached is an error of its own
    bed.kill(1);
    project.run(&["explain", "node1"]).exits(1).says("the rest cannot be explained");
}

#[test]
fn a_group_is_explained_as_a_converge_would_make_it() {
    let _alone = alone();
    let project = Project::quickstart();
    let before = project.run(&["nodes"]).exits(0).stdout;
    let explanation = explained(&project, &["web"]).remove(0);
    assert_eq!(explanation["predicted"], true);
    assert_eq!(actions(&explanation), planned(&project, "web-1", &["converge"], true));
    let mut actions = explanation["phases"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|phase| phase["actions"].as_array().unwrap());
    let nginx = actions.find(|action| action["via"][0] == "nginx.install").unwrap();
    assert_eq!(
        (nginx["action"].as_str(), nginx["source"]["file"].as_str()),
        (Some("package"), Some("pallet.star"))
    );
    assert_eq!(project.run(&["nodes"]).exits(0).stdout, before);

    let picture = project.directory().join("graph.svg");
    project.run(&["graph", "--out", picture.to_str().unwrap()]).exits(0);
    let svg = fs::read_to_string(&picture).unwrap();
    assert!(svg.contains(">web x 2</text>") && svg.contains(">nginx.site</text>"), "{svg}");
    let dot = project.run(&["graph", "--format", "dot"]).exits(0).stdout;
    assert_eq!(dot, project.run(&["graph", "--format", "dot"]).exits(0).stdout);
    let site = dot
        .lines()
        .find(|line| line.contains("label=\"nginx.site\""))
        .and_then(|line| line.split_whitespace().next())
        .unwrap();
    assert!(dot.contains(&format!("g0:p1 -> {site};")), "configure calls it\n{dot}");
    project.run(&["graph", "wbe"]).exits(2).says("did you mean `web`?");
}
