//! Ten nodes: the first lift configures them, the second one has nothing to do, and dry runs are
//! right.

use pallet_tests::{Bed, Init};

use super::{APP, is_configured, project};

#[test]
fn ten_nodes_are_configured_once() {
    let bed = Bed::of(10);
    let project = project(&bed, 10, "root", APP);
    let first = project.events(&["lift"], 0);
    assert_eq!(first.outcomes().len(), 10, "{first:#?}");
    assert!(first.ok() && first.outcomes().values().all(|ok| *ok));
    assert_eq!(first.changes().len(), 10);
    assert!(first.changes().values().all(|changes| *changes == 7), "{:?}", first.changes());
    for node in 1..=10 {
        is_configured(&bed, node);
    }

    let second = project.events(&["lift"], 0);
    assert_eq!(second.outcomes().len(), 10);
    assert_eq!(second.changes().values().sum::<usize>(), 0, "{second:#?}");
    project.run(&["lift"]).exits(0).says("nothing to change on 10 nodes");
}

#[test]
fn a_dry_run_changes_nothing_and_tells_what_a_lift_changes() {
    let bed = Bed::of(2);
    let project = project(&bed, 2, "root", APP);
    let dry = project.events(&["lift", "--dry-run"], 0);
    bed.ssh(1, "test ! -e /srv/app && ! id app").exits(0);
    project
        .run(&["lift", "--dry-run"])
        .exits(0)
        .says("node1: configure: package bed-alpha: install")
        .says("node2: configure: remote_file /srv/app/name");

    let real = project.events(&["lift"], 0);
    assert_eq!(dry.changes(), real.changes());

    // a manual change is found, on that node alone
    bed.ssh(2, "chmod 600 /srv/app/name").exits(0);
    let changes = project.events(&["lift", "--dry-run"], 0).changes();
    assert_eq!((changes["node1"], changes["node2"]), (0, 1), "{changes:?}");
}

#[test]
fn a_service_restarts_only_when_its_configuration_changed() {
    const DEMO: &str = r##"
def configure(request):
    package(request, "bed-demo")
    remote_file(request, "/etc/bed-demo/bed-demo.conf", content = "port = 7778\n", flag_on_change = "configured")
    service(request, "bed-demo", action = "restart", if_flag = "configured")
    service(request, "bed-demo", enabled = True)

app = group_spec("app", phases = {"configure": configure})
"##;
    let bed = Bed::with(1, Init::Systemd);
    let project = project(&bed, 1, "root", DEMO);
    let process = || {
        bed.ssh(1, "systemctl is-enabled bed-demo && systemctl show --property MainPID bed-demo")
            .exits(0)
            .stdout
    };
    project.events(&["lift"], 0);
    let first = process();
    assert!(first.starts_with("enabled") && !first.contains("MainPID=0"), "{first}");

    assert_eq!(project.events(&["lift"], 0).changes()["node1"], 0);
    assert_eq!(process(), first);

    project.edit("pallet.star", "7778", "7779");
    assert_eq!(project.events(&["lift"], 0).changes()["node1"], 2);
    assert_ne!(process(), first);
}
