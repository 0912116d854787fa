//! The projects in `examples/`, on nodes of the sandbox.

use std::fs;
use std::path::Path;

use pallet_tests::{Project, root};

/// A copy of an example, on the sandbox. Its nodes are destroyed with it.
fn example(name: &str) -> Project {
    let mut project = Project::empty()
        .set("PALLET_SERVICE", "sandbox")
        .set("REPLICATION_PASSWORD", "not-a-secret");
    copy(&root().join("examples").join(name), &project.directory());
    project.take_down_at_the_end(&project.directory());
    project
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// Converges twice: the dry run is true, and the second time nothing changes.
fn converges(project: &Project) {
    project.run(&["check"]).exits(0).says("the project is valid");
    project.run(&["converge", "--dry-run", "--detailed-exitcode"]).exits(6);
    project.run(&["converge"]).exits(0);
    project.run(&["converge"]).exits(0).says("nothing to change on");
}

#[test]
fn one_machine() {
    let project = example("one-machine");
    converges(&project);
    let looks = "sshd -t && id -nG ann && cat /etc/cron.d/pallet-backup";
    let shown = project.run(&["run", "server", "--", looks]).exits(0);
    shown.says("operators").says("/var/backups/etc");
}

#[test]
fn web_pair() {
    let project = example("web-pair");
    converges(&project);
    let changed = project.run(&["lift", "--env", "greeting=hi"]).exits(0);
    changed.says("drain web-1 in hello").says("wave 2 of 2: web-2").says("undrain web-2 in hello");
    let ask = "for i in 1 2 3 4; do curl -s http://localhost/; done";
    project.run(&["run", "balancer", "--", ask]).exits(0).says("hi from web-1\n  hi from web-2");
}

#[test]
fn database() {
    let project = example("database");
    converges(&project);
    let psql = |node: &str, query: &str| {
        let line = format!("runuser -u postgres -- psql -tAc '{query}'");
        project.run(&["run", node, "--", &line]).exits(0)
    };
    psql("replica", "select pg_is_in_recovery()").says("  t\n");
    psql("primary", "create table sample as select 7");
    let arrived = "until psql -tAc 'select * from sample'; do sleep 0.1; done";
    let arrived = format!("runuser -u postgres -- sh -c \"{arrived}\" 2>/dev/null");
    project.run(&["run", "replica", "--timeout", "60", "--", &arrived]).exits(0).says("  7\n");
    project.run(&["down", "--yes"]).exits(2).says("primary").says("protect");
    project.run(&["down", "--yes", "--unprotect", "primary"]).exits(0);
}

#[test]
fn fleet() {
    let project = example("fleet").unset("PALLET_SERVICE");
    let differ = project.run(&["diff-stages", "dev", "prod"]).exits(0);
    differ.says("environment.log_level").says("worker-3");
    project.run(&["check", "--stage", "prod"]).exits(0);
    let project = project.set("PALLET_STAGE", "try");
    converges(&project);
    let shown = project.run(&["run", "worker-1", "--", "cat /etc/worker.conf"]).exits(0);
    shown.says("log_level = debug").says("rack = none");
    project.run(&["down", "--yes"]).exits(0).says("4 destroyed");
}

#[test]
fn multi_cloud() {
    let project = example("multi-cloud");
    converges(&project);
    let shown = project.run(&["run", "web-1", "--", "cat /srv/app/index.html"]).exits(0);
    shown.says("database: database-1");
}

#[test]
fn every_example_is_listed() {
    let listed = fs::read_to_string(root().join("examples/README.md")).unwrap();
    for entry in fs::read_dir(root().join("examples")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let is_listed = listed.contains(&format!("]({name})"));
        assert!(!entry.file_type().unwrap().is_dir() || is_listed, "{name}");
    }
}
