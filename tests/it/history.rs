//! The journal of operations, and `history`, on nodes with real sshd.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use pallet_tests::{Bed, Project};
use serde_json::Value;

use crate::lift::project;

const APP: &str = r#"
def configure(request):
    remote_file(request, "/etc/motd", content = request.environment.motd + "\n")
    exec_script(request, "echo the password is " + secret("app") + "; echo said so")

app = group_spec("app", phases = {"configure": configure})
"#;

const SECRET: &str = "hunter2-5Zr8";

/// A project of nodes of a bed, with a secret.
fn app(bed: &Bed, count: usize) -> Project {
    let project = project(bed, count, "root", APP).set("APP_PASSWORD", SECRET);
    let more = "[project]\nname = \"shop\"\n\n[environment]\nmotd = \"one\"\n\n[secrets]\n\
        app = { env = \"APP_PASSWORD\" }\n\n[admin_user]";
    project.edit("pallet.toml", "[admin_user]", more);
    project
}

/// The journals of a project, oldest first.
fn journals(project: &Project) -> Vec<PathBuf> {
    let directory = project.home().join(".local/state/pallet/shop/operations");
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn json(project: &Project, arguments: &[&str]) -> Value {
    let arguments: Vec<_> = ["history", "--output", "json"].iter().chain(arguments).collect();
    let arguments: Vec<_> = arguments.into_iter().copied().collect();
    serde_json::from_str(&project.run(&arguments).exits(0).stdout).unwrap()
}

#[test]
fn operations_are_listed_shown_and_compared() {
    let bed = Bed::of(2);
    let project = app(&bed, 2);
    project.run(&["history"]).exits(0).says("no operations yet");
    assert_eq!(json(&project, &[]), Value::Array(Vec::new()));
    project.run(&["history", "show"]).exits(2).says("project shop has no operation");
    project.run(&["lift", "--dry-run"]).exits(0);
    project.run(&["lift", "--drift-only"]).exits(0);
    project.run(&["lift", "--no-journal", "--phase", "settings"]).exits(0);
    assert_eq!(journals(&project), Vec::<PathBuf>::new());

    project.run(&["lift", "--env", "motd=first"]).exits(0);
    project.run(&["run", "node1", "--", &format!("echo {SECRET}; echo fine")]).exits(0);
    project.write("note", "hello\n");
    let note = project.directory().join("note");
    project.run(&["cp", note.to_str().unwrap(), "node2:/srv/note"]).exits(0);
    bed.kill(2);
    project.run(&["lift"]).exits(1);
    bed.start(2);

    let files = journals(&project);
    assert_eq!(files.len(), 4);
    for file in &files {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let text = std::fs::read_to_string(file).unwrap();
        assert!(!text.contains("hunter2") && !text.contains("5Zr8"), "{text}");
    }
    let ids: Vec<_> =
        files.iter().map(|file| file.file_stem().unwrap().to_str().unwrap()).collect();
    let short = |number: usize| &ids[number][24..];

    let listed = project.run(&["history"]).exits(0);
    let lines: Vec<_> = listed.stdout.lines().collect();
    assert_eq!(lines.len(), 5, "{listed}");
    assert!(lines[0].starts_with("ID            TIME                  USER"), "{listed}");
    assert!(lines[1].starts_with(short(3)), "{listed}");
    assert!(lines[1].contains("failed: 1 changed, 1 failed"), "{listed}");
    assert!(lines[2].contains("cp") && lines[2].contains("succeeded: 1 changed"), "{listed}");
    assert!(lines[3].contains("echo ***; echo fine"), "{listed}");
    assert!(lines[4].contains("tester@") && lines[4].contains("lift --env motd=…"), "{listed}");
    assert!(lines[4].contains("succeeded: 2 changed"), "{listed}");

    // the latest; the end of an ID is enough
    let shown = project.run(&["history", "show"]).exits(0);
    let shown = shown.says(ids[3]).says("shop in ").says("node1: configure: remote_file /etc/motd");
    let shown =
        shown.says("node2 failed: ").says("cannot connect").says("nodes: 1 changed, 1 failed");
    assert_eq!(project.run(&["history", "show", short(3)]).exits(0).stdout, shown.stdout);
    let node = project.run(&["history", "show", short(0), "--node", "node1"]).exits(0);
    let node = node.says("node1: connected").says(" | the password is ***").says("+first");
    node.says("said so").never_says("node2");
    let help = "has nothing about node node3; did you mean";
    project.run(&["history", "show", short(0), "--node", "node3"]).exits(2).says(help);
    project.run(&["history", "show", short(1)]).exits(0).says("node1: exit 0\n  ***\n  fine\n");
    project.run(&["history", "show", short(2)]).exits(0).says("-> /srv/note");

    let differ = project.run(&["history", "diff", short(0), short(3)]).exits(0);
    differ.says("node2\n- configure: remote_file /etc/motd").says("- changed\n+ failed: ");
    project.run(&["history", "diff", short(0), ids[0]]).exits(2).says("name two");
    project.run(&["history", "show", "0000"]).exits(2).says("there is no operation 0000 in ");
    project.run(&["history", "show", &ids[0][..5]]).exits(2).says("means several operations");

    let all = json(&project, &[]);
    assert_eq!((&all[0]["ending"], &all[3]["ending"]), (&"failed".into(), &"succeeded".into()));
    assert_eq!((&all[3]["totals"]["changed"], &all[3]["operation"]), (&2.into(), &ids[0].into()));
    let one = json(&project, &["show", short(0)]);
    let header = &one["header"];
    assert_eq!((&header["asked"]["verb"], &header["journal"]), (&"lift".into(), &1.into()));
    assert_eq!(header["asked"]["parallel"], 50);
    for input in ["pallet.toml", "pallet.star", "environment"] {
        assert!(header["inputs"][input].as_str().unwrap().starts_with("sha256:"), "{header}");
    }
    assert!(header["inputs"]["plugin node-list"].is_string(), "{header}");
    assert_eq!(one["records"][0]["event"], "started");
    let of_node = json(&project, &["show", short(0), "--node", "node2"]);
    let records = of_node["records"].as_array().unwrap();
    assert!(!records.is_empty() && records.iter().all(|record| record["node"] == "node2"));
    let differ = json(&project, &["diff", short(0), short(3)]);
    assert_eq!(differ["nodes"]["node2"]["only_first"][0]["subject"], "/etc/motd");
    // values of the environment are nowhere
    let text = std::fs::read_to_string(&files[0]).unwrap();
    assert!(!text.lines().next().unwrap().contains("first"), "{text}");
}

#[test]
fn sessions_write_too_and_other_directories_are_apart() {
    let bed = Bed::of(1);
    let project = app(&bed, 1);
    project.write("deploy.star", "lift(app,\n    phase = \"configure\")\nrun(app, \"true\")\n");
    let script = project.directory().join("deploy.star");
    let script = script.to_str().unwrap();
    project.run(&["run", script]).exits(0);
    project.run(&["run", script, "--no-journal"]).exits(0);
    assert_eq!(journals(&project).len(), 2);
    let listed = project.run(&["history"]).exits(0);
    listed.says("deploy.star 'lift(app, phase = \"configure\")'");
    project
        .start_with_input(&["repl"], "lift(dry_run = True)\nrun(app, \"true\")\nnodes()\n")
        .wait()
        .exits(0);
    assert_eq!(journals(&project).len(), 3);

    let copy = project.home().join("copy");
    std::fs::create_dir(&copy).unwrap();
    for file in ["pallet.toml", "pallet.star"] {
        std::fs::copy(project.directory().join(file), copy.join(file)).unwrap();
    }
    project.run_in(&copy, &["history"]).exits(0).says("no operations yet");
    let all = project.run_in(&copy, &["history", "--all"]).exits(0);
    assert_eq!(all.stdout.lines().count(), 4, "{all}");
    project.run_in(&copy, &["history", "show"]).exits(2).says("no operation");
    project.run_in(&copy, &["history", "--all", "show"]).exits(0).says("'run(app, \"true\")'");
}

#[test]
fn journals_that_are_broken_or_old_are_told_and_removed() {
    let bed = Bed::of(1);
    let project = app(&bed, 1);
    project.edit("pallet.toml", "[secrets]", "[history]\noperations = 3\n\n[secrets]");
    for _ in 0..4 {
        project.run(&["run", "app", "--", "true"]).exits(0);
    }
    let files = journals(&project);
    assert_eq!(files.len(), 3);
    let text = std::fs::read_to_string(&files[0]).unwrap();
    std::fs::write(&files[0], text.replacen("\"journal\":1", "\"journal\":2", 1)).unwrap();
    let text = std::fs::read_to_string(&files[1]).unwrap();
    std::fs::write(&files[1], &text[..text.len() - 10]).unwrap();
    let text = std::fs::read_to_string(&files[2]).unwrap();
    std::fs::write(&files[2], text.replacen('\n', "\n{\n", 1)).unwrap();
    let listed = project.run(&["history"]).exits(0);
    listed.says("cannot be read: ").says("written by a newer Pallet").says("unfinished");
    let ids: Vec<_> =
        files.iter().map(|file| file.file_stem().unwrap().to_str().unwrap()).collect();
    let shown = project.run(&["history", "show", ids[1]]).exits(0);
    shown.says("is incomplete and left out").says("there is no record of the end");
    project.run(&["history", "show", ids[2]]).exits(2).says("is broken in line 2");
    let all = json(&project, &[]);
    assert!(all[2]["error"].as_str().unwrap().contains("newer Pallet"), "{all}");
}

#[test]
fn without_a_journal_nothing_is_changed() {
    let bed = Bed::of(1);
    let app = app(&bed, 1);
    app.write("state", "");
    let state = app.directory().join("state");
    let project = app.set("XDG_STATE_HOME", &state);
    let error = "cannot write the journal";
    project.run(&["lift"]).exits(1).says(error).says("--no-journal");
    project.run(&["run", "app", "--", "touch /srv/ran"]).exits(1).says(error);
    bed.ssh(1, "test ! -e /srv/ran && ! grep -q one /etc/motd").exits(0);
    project.run(&["lift", "--dry-run"]).exits(0);
    project.run(&["history"]).exits(2).says("cannot read the directory").says("state/pallet/shop");
    project.run(&["lift", "--no-journal"]).exits(0);

    // a file system that is mounted read-only
    std::fs::remove_file(&state).unwrap();
    std::fs::create_dir(&state).unwrap();
    let mounted = format!("mount -t tmpfs -o ro tmpfs {} && exec \"$@\"", state.display());
    let inside = ["unshare", "--mount", "sh", "-c", &mounted, "sh"].map(str::to_owned);
    let project = project.prefixed(bed.prefix().into_iter().chain(inside).collect());
    project.run(&["run", "app", "--", "touch /srv/ran"]).exits(1).says("Read-only file system");
    bed.ssh(1, "test ! -e /srv/ran").exits(0);
}
