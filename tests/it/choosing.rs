//! Choosing nodes and actions: names, patterns, limits, tags.

use pallet_tests::{Bed, Project};

use crate::rollout::{project, text};

const NODES: [(&str, &str); 4] =
    [("web-1", "web"), ("web-2", "web"), ("web-10", "web"), ("db-1", "db")];

const DECLARED: &str = r#"
def configure(request):
    exec_script(request, "echo done >>/srv/done")
    if request.target.name in request.environment.get("broken", []):
        exec_script(request, "exit 7")

front = server_spec(roles = ["front"], phases = {"configure": configure})
group_spec("web", extends = [front])
group_spec("db", phases = {"configure": configure})
"#;

/// On which nodes it ran since the last time.
fn done(bed: &Bed) -> Vec<&'static str> {
    let ran = |number: usize| text(bed, number, "/srv/done").lines().count() > 0;
    let done = (1..).zip(NODES).filter(|(number, _)| ran(*number)).map(|(_, (name, _))| name);
    let done: Vec<_> = done.collect();
    (1..=4).for_each(|node| drop(bed.ssh(node, "rm -f /srv/done").exits(0)));
    done
}

#[test]
fn every_command_takes_the_same_words() {
    let bed = Bed::of(4);
    let project = project(&bed, &NODES, DECLARED);
    project.write("nodes.txt", "# half of them\nweb-10\ndb-1  # and this\n");
    let file = format!("@{}", project.directory().join("nodes.txt").display());
    for (words, expected) in [
        (vec!["lift", "web-1"], vec!["web-1"]),
        (vec!["lift", "web-*"], vec!["web-1", "web-2", "web-10"]),
        (vec!["lift", "web-[1:9]", "db"], vec!["web-1", "web-2", "db-1"]),
        (vec!["lift", "!web-2"], vec!["web-1", "web-10", "db-1"]),
        (vec!["lift", "front", "!web-2"], vec!["web-1", "web-10"]),
        (vec!["lift", &file], vec!["web-10", "db-1"]),
        (vec!["lift", "web", "--limit", "*-1,web-2"], vec!["web-1", "web-2"]),
        (vec!["lift", "-l", "db"], vec!["db-1"]),
        (vec!["lift", "web-1,db"], vec!["web-1", "db-1"]),
    ] {
        project.run(&words).exits(0);
        assert_eq!(done(&bed), expected, "{words:?}");
    }
    // it is said which nodes are meant
    let shown = project.run(&["lift", "web-*", "--dry-run"]).exits(0);
    shown.says("3 of 4 nodes: web-[1:2], web-10").never_says("db-1");
    project.run(&["run", "web-[1:2]", "--", "echo x >/srv/done"]).exits(0).says("2 of 4 nodes");
    assert_eq!(done(&bed), ["web-1", "web-2"]);
    project.write("here", "x\n");
    let here = project.directory().join("here").display().to_string();
    project.run(&["cp", &here, "web-[1:10]:/srv/done", "-l", "!web-10"]).exits(0);
    assert_eq!(done(&bed), ["web-1", "web-2"]);
    project.run(&["nodes", "*-1"]).exits(0).says("db-1").never_says("web-2");
    project.run(&["explain", "web-1", "!db"]).exits(0).says("web-1").never_says("db-1");
    project.run(&["run", "--sample", "2", "--", "echo x >/srv/done"]).exits(0);
    assert_eq!(done(&bed).len(), 2);

    for (words, problem) in [
        (vec!["lift", "wbe"], "there is no node, group or role wbe; did you mean `web`?"),
        (vec!["lift", "wbe-*"], "no node, group or role matches wbe-*"),
        (vec!["lift", "web", "!wbe"], "there is no node, group or role wbe"),
        (vec!["lift", "web-[9:1]"], "the first number of a range is larger than the last"),
        (vec!["lift", "web", "-l", "db"], "of 3 nodes that are meant, none is within the limit"),
        (vec!["lift", "@none.txt"], "cannot read the names of nodes in none.txt"),
        (vec!["lift", "@"], "@ is followed by the name of a file"),
        (vec!["lift", "--where", "cores >"], "error: syntax error: "),
        (vec!["lift", "--sample", "0"], "0 is not in 1.."),
    ] {
        project.run(&words).exits(2).says(problem);
    }
    assert_eq!(done(&bed), Vec::<&str>::new());

    // a condition cannot be known of a node that does not answer: it fails, the others do not
    project.edit("pallet.toml", &bed.address(2), "127.0.0.9");
    let silent = project.run(&["lift", "--where", "cores > 0"]).exits(1);
    silent.says("web-2 failed: cannot tell whether it is meant: cannot connect to 127.0.0.9");
    assert_eq!(done(&bed), ["web-1", "web-10", "db-1"]);
    let silent = project.run(&["run", "--where", "cores > 0", "--", "echo x >/srv/done"]).exits(1);
    silent.says("cannot tell whether it is meant: cannot connect to 127.0.0.9");
    assert_eq!(done(&bed), ["web-1", "web-10", "db-1"]);
    project.run(&["cp", &here, "web:/srv/done", "--where", "cores > 0"]).exits(1);
    assert_eq!(done(&bed), ["web-1", "web-10"]);
    // it is neither a sample, nor destroyed, nor listed
    let sample = project.run(&["lift", "--where", "cores > 0", "--sample", "3"]).exits(0);
    sample.says("warning: web-2: cannot tell whether it is meant");
    assert_eq!(done(&bed), ["web-1", "web-10", "db-1"]);
    for command in ["down", "nodes", "check"] {
        let silent = project.run(&[command, "--where", "cores > 0"]).exits(2);
        silent.says("cannot tell whether node web-2 is meant").says("leave it out with '!web-2'");
    }
    project.run(&["nodes", "!web-2", "--where", "cores > 0"]).exits(0);
}

#[test]
fn those_that_failed_are_chosen_again() {
    let bed = Bed::of(4);
    let project = project(&bed, &NODES, DECLARED);
    project.run(&["lift", "--failed"]).exits(2).says("there is no operation of this project");
    let (broken, other) = ("broken=[\"web-2\", \"db-1\"]", "a.b=1.10");
    project.run(&["lift", "--env", broken, "--env", other]).exits(1);
    // what was refused is no operation to go on with, and values have no order
    project.run(&["lift", "--tags", "confg"]).exits(2).says("there is no tag confg");
    let again = project.run(&["lift", "--resume", "--env", other, "--env", broken]).exits(1);
    again.says("web-2 failed").never_says("confg");
    // who looks into what failed can try again
    project.run(&["run", "web-2", "--", "true"]).exits(0);
    done(&bed);
    let again = project.run(&["lift", "--failed"]).exits(0);
    again.says("2 of 4 nodes: db-1, web-2");
    assert_eq!(done(&bed), ["web-2", "db-1"]);
    project.run(&["lift", "--failed"]).exits(2).says("--failed: no node failed in `lift --failed`");
    bed.ssh(1, "touch /srv/bad").exits(0);
    project.run(&["run", "web", "--", "test ! -e /srv/bad"]).exits(1);
    project.run(&["run", "--failed", "--", "echo x >/srv/done"]).exits(0);
    assert_eq!(done(&bed), ["web-1"]);
}

const TAGGED: &str = r#"
load("@nginx", "nginx")

def configure(request):
    file(request, "/srv/plain")
    file(request, "/srv/own", tags = ["own"])
    with_action_options(request, lambda request: file(request, "/srv/scope"), tags = ["scope"])

group_spec("web", phases = {"configure": configure})
group_spec("db")
"#;

/// The files that there are.
fn files(bed: &Bed) -> Vec<String> {
    let all = "cd /srv && for file in *; do [ ! -f $file ] || { echo $file; rm $file; }; done";
    let listed = bed.ssh(1, all).exits(0).stdout;
    listed.lines().map(str::to_owned).collect()
}

#[test]
fn tags_choose_actions() {
    let bed = Bed::of(1);
    let project: Project = project(&bed, &NODES[..1], TAGGED);
    for (words, expected) in [
        (vec![], vec!["own", "plain", "scope"]),
        (vec!["--tags", "own"], vec!["own"]),
        (vec!["--tags", "own,scope"], vec!["own", "scope"]),
        (vec!["--only", "scope"], vec!["scope"]),
        (vec!["--skip-tags", "own"], vec!["plain", "scope"]),
        (vec!["--tags", "own,scope", "--skip-tags", "scope"], vec!["own"]),
    ] {
        let output = project.run(&[&["lift", "web"], &words[..]].concat()).exits(0);
        assert_eq!(files(&bed), expected, "{words:?}\n{output}");
    }
    let output = project.run(&["lift", "--tags", "own", "--dry-run"]).exits(0);
    output.says("2 actions left out by --tags or --skip-tags");
    project.run(&["lift", "--tags", "won"]).exits(2).says("there is no tag won").says("`own`");
    project.edit(
        "pallet.star",
        "file(request, \"/srv/own\"",
        "int(\"a\")\n    file(request, \"/srv/own\"",
    );
    let failed = project.run(&["lift", "web", "--tags", "own"]).exits(1);
    failed.says("web-1 failed: ").never_says("no tag");
    assert_eq!(files(&bed), Vec::<String>::new());
}
