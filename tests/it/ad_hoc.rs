//! Ad hoc: `run`, `cp` and `ssh` on nodes with real sshd, and on sandbox nodes.

mod copies;

use std::time::Duration;

use pallet_tests::{Bed, Project};
use serde_json::Value;

use crate::lift::project;

const APP: &str = "app = group_spec(\"app\", phases = {})\n";

#[track_caller]
fn results(project: &Project, code: i32, arguments: &[&str]) -> Vec<Value> {
    let arguments: Vec<_> = ["--output", "json"].iter().chain(arguments).copied().collect();
    let output = project.run(&arguments).exits(code);
    let events = output.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    events.filter(|event| event["event"] == "ran").collect()
}

#[test]
fn equal_results_stand_together_and_a_dead_node_does_not_stop_the_others() {
    let bed = Bed::of(3);
    let project = project(&bed, 3, "root", APP).set("APP_PASSWORD", "hunter2-5Zr8");
    project.edit(
        "pallet.toml",
        "[admin_user]",
        "[secrets]\napp = { env = \"APP_PASSWORD\" }\n\n\
        [admin_user]",
    );
    let all = project.run(&["run", "app", "--", "echo same"]).exits(0);
    assert!(all.stdout.starts_with("node[1:3]: exit 0\n  same\n3 nodes, exit 0 on all"), "{all}");
    let each = project.run(&["run", "node3", "node1", "--", "hostname"]).exits(0);
    assert!(
        each.stdout.starts_with("node1: exit 0\n  node1\nnode3: exit 0\n  node3\n2 nodes"),
        "{each}"
    );
    // no node gives commands to a job of continuous integration
    let command = "echo ::stop-commands::x; echo '##[group]x'";
    project.run(&["run", "node1", "--", command]).exits(0).says("  ::stop-commands::x");
    let project = project.set("GITHUB_ACTIONS", "true");
    let told = project.run(&["run", "node1", "--", command]).exits(0);
    told.says("\\u{3a}:stop-commands::x").never_says("  ::stop").never_says("##[");
    // several words are a program with arguments, one word is a line of shell
    project
        .run(&["run", "node1", "--", "printf", "<%s>", "a b", "$HOME"])
        .exits(0)
        .says("<a b><$HOME>");
    project.run(&["run", "node1", "--", "echo $((40 + 2)) | tr 4 5"]).exits(0).says("52");
    let failed = project
        .run(&["run", "app", "--", "echo out; echo err >&2; test $(hostname) = node2"])
        .exits(1);
    failed.says("node1, node3: exit 1\n  out\n  ! err\n").says("node2: exit 0").says("failed on 2");
    // control characters are escaped, and secrets are hidden
    project
        .run(&["run", "node1", "--", "printf 'a\\033[31mb\\377c'; echo hunter2-5Zr8"])
        .exits(0)
        .says("a\\u{1b}[31mb\u{fffd}c***")
        .never_says("hunter2");
    // also in a long line that arrives in parts, with the secret split between two of them
    let long = "head -c 65530 /dev/zero | tr '\\0' x; echo hunter2-5Zr8";
    project
        .run(&["--output", "json", "run", "node1", "--", long])
        .exits(0)
        .says("***")
        .never_says("hunter")
        .never_says("5Zr8");
    let seen = results(&project, 0, &["run", "node1", "--", "printf 'x\\001'; printf y >&2"]);
    assert_eq!(
        (&seen[0]["stdout"], &seen[0]["stderr"], &seen[0]["exit"]),
        (&"x\u{1}".into(), &"y".into(), &0.into())
    );

    project.run(&["run", "app", "--as", "nobody", "--", "id -un"]).exits(0).says("nobody");
    project
        .run(&["run", "nod1", "--", "true"])
        .exits(2)
        .says("there is no node, group or role nod1; did you mean `node1`?");
    project.run(&["run", "--", "true"]).exits(2);
    project.run(&["run", "--all", "--", "true"]).exits(0).says("3 nodes");
    project.write("script", "#!/bin/sh -e\ncat \"$0\" | head -1\nfalse\necho no\n");
    let script = project.directory().join("script");
    project
        .run(&["run", "node1", "--script", script.to_str().unwrap()])
        .exits(1)
        .says("#!/bin/sh -e")
        .never_says("no\n");
    let timed = project
        .run(&["run", "app", "--timeout", "1", "--", "echo begun; sleep 300"])
        .exits(1)
        .says("timed out after 1 s");
    assert!(timed.took < Duration::from_secs(30), "{timed}");
    bed.ssh(
        1,
        "for i in 1 2 3 4 5 6 7 8 9 10; do pgrep -f '[s]leep 30' >/dev/null || exit 0; \
        command sleep 0.3; done; exit 1",
    )
    .exits(0);

    bed.kill(2);
    let results = results(&project, 1, &["run", "app", "--", "true"]);
    let told: Vec<_> = ["node1", "node2", "node3"]
        .iter()
        .map(|node| results.iter().find(|result| result["node"] == *node).unwrap())
        .collect();
    assert_eq!(
        (&told[0]["exit"], &told[1]["exit"], &told[2]["exit"]),
        (&0.into(), &Value::Null, &0.into())
    );
    assert!(told[1]["error"].as_str().unwrap().contains("connect"), "{results:?}");
}

#[test]
fn the_admin_user_is_root_unless_sudo_is_not_wanted() {
    let bed = Bed::of(1);
    let project = project(&bed, 1, "admin", APP);
    project.run(&["run", "app", "--", "id -un"]).exits(0).says("root");
    project.run(&["run", "app", "--no-sudo", "--", "id -un"]).exits(0).says("admin");
    project.write("note", "hello\n");
    let note = project.directory().join("note");
    project
        .run(&["cp", "--no-sudo", note.to_str().unwrap(), "node1:/srv/"])
        .exits(1)
        .says("cannot write in /srv/");
    project.run(&["cp", note.to_str().unwrap(), "node1:/srv/"]).exits(0);
    bed.ssh(1, "stat -c %U /srv/note").exits(0).says("root");
}

#[test]
fn ctrl_c_ends_the_commands() {
    let bed = Bed::of(2);
    let project = project(&bed, 2, "root", APP);
    let mut running = project.start(&["run", "app", "-v", "--", "echo begun; sleep 300"]);
    running.wait_for("node1: begun");
    running.wait_for("node2: begun");
    running.interrupt();
    let output = running.wait();
    assert_eq!(output.code(), 130, "{output}");
    assert!(output.took < Duration::from_secs(60), "{output}");
    for node in 1..=2 {
        bed.ssh(
            node,
            "for i in 1 2 3 4 5 6 7 8 9 10; do pgrep -f '[s]leep 30' >/dev/null || exit \
            0; command sleep 0.3; done; exit 1",
        )
        .exits(0);
    }
}
