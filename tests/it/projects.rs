//! The projects in `examples/`, on nodes of the sandbox.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use pallet_tests::{Process, Project, root};

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
        let (path, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if path.is_dir() {
            fs::create_dir_all(&to).unwrap();
            copy(&path, &to);
        } else {
            fs::copy(path, to).unwrap();
        }
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

/// From nothing to a page through the balancer; then a release in waves, while requests go on, of
/// which none is lost.
#[test]
fn shop() {
    let mut project = Project::empty().on_crate_nodes().timeout(Duration::from_secs(900));
    for name in ["DATABASE", "REPLICATION", "CACHE", "BACKUP"] {
        project = project.set(&format!("SHOP_{name}_PASSWORD"), format!("{name}-is-not-a-secret"));
    }
    copy(&root().join("examples/shop"), &project.directory());
    // the image of the tests in place of that of the user
    let config = fs::read_to_string(project.home().join(".config/pallet/config.toml")).unwrap();
    let (_, image) = config.split_once("debian-12 = \"").unwrap();
    let (image, _) = image.split_once('"').unwrap();
    let toml = fs::read_to_string(project.directory().join("pallet.toml")).unwrap();
    assert!(toml.contains("image = \"/srv/bookworm\""));
    project.write("pallet.toml", toml.replace("/srv/bookworm", image));
    project.take_down_at_the_end(&project.directory());
    let build = |release: &str| {
        let mut build = Command::new(project.directory().join("releases/build"));
        build.arg(release);
        Process::start(build, Duration::from_secs(60)).wait().exits(0);
    };
    build("1");
    project.run(&["check"]).exits(0);
    project.run(&["converge", "--yes"]).exits(0);
    let on = |node: &str, script: &str| project.run(&["run", node, "--", script]).exits(0);
    on("balancer", "curl -fsS http://localhost/").says("shop 1 on app-").says("0 orders");
    // all nodes are scraped, the replica follows, a backup can be made, and eve is not there
    let up = "until curl -fsSG localhost:9090/api/v1/query --data-urlencode \
              'query=count(up{job=\"node\"}==1)' | grep '\"7\"'; do sleep 1; done";
    project.run(&["run", "monitor", "--timeout", "60", "--", up]).exits(0);
    let psql = |query: &str| format!("runuser -u postgres -- psql -tAc '{query}' shop");
    on("database", &psql("insert into orders default values"));
    let follows =
        format!("until [ \"$({})\" = 1 ]; do sleep 0.2; done", psql("select count(*) from orders"));
    project.run(&["run", "replica", "--timeout", "60", "--", &follows]).exits(0);
    let backup = "systemctl start postgresql-backup-15-main-nightly backup-database && \
                  sh /usr/local/lib/pallet/restic-repository local snapshots";
    on("database", backup).says("1 snapshots");
    on("cache", "id ann && id bob && ! id eve && ! redis-cli ping 2>&1 | grep PONG");
    // the database is closed to everybody but the app nodes and the replica
    let closed =
        "! timeout 3 bash -c ': </dev/tcp/'\"$(getent hosts database | cut -d' ' -f1)\"'/5432'";
    on(
        "monitor",
        &closed.replace("$(getent hosts database | cut -d' ' -f1)", &address(&project, "database")),
    );
    project.run(&["lift"]).exits(0).says("nothing to change on");

    build("2");
    let ask = format!(
        "while [ ! -e /tmp/stop ]; do \
         curl -s -m 10 -w ' %{{http_code}}\\n' http://{}/ >>/tmp/answers \
         || echo lost >>/tmp/answers; done",
        address(&project, "balancer")
    );
    let asking = project.start(&["run", "monitor", "--timeout", "600", "--", &ask]);
    project
        .run(&["lift", "app", "--env", "release=2"])
        .exits(0)
        .says("wave 2 of 2")
        .says("undrain app-2 in shop");
    on("monitor", "sleep 1; touch /tmp/stop");
    asking.wait().exits(0);
    let answers = on(
        "monitor",
        "paste -d ' ' - - </tmp/answers | sed 's/ on .*orders/ on a node/' | sort | uniq -c",
    );
    let answers = answers.says("shop 1 on a node  200").says("shop 2 on a node  200");
    let lines: Vec<&str> = answers.stdout.lines().filter(|line| line.contains("shop")).collect();
    assert_eq!(lines.len(), 2, "a request was lost: {answers}");
    on("balancer", "curl -fsS http://localhost/").says("shop 2 on app-").says("1 orders");
}

/// The address of a group's only node.
fn address(project: &Project, group: &str) -> String {
    let nodes = project.nodes();
    let node = nodes.iter().find(|node| node["group"] == group).expect("it exists");
    node["address"].as_str().or(node["ip"].as_str()).expect("it has one").to_owned()
}
