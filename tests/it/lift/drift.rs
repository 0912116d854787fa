//! Drift is reported, and not reverted unless the user asks for it.

use pallet_tests::Bed;

use super::project;

const APP: &str = r##"
def configure(request):
    directory(request, "/srv/app", mode = "0750")
    remote_file(request, "/srv/app/conf", content = "port = 1\n")
    exec_script(request, "true")

group_spec("app", phases = {"configure": configure})
"##;

#[test]
fn drift_is_reported_with_an_exit_code_of_its_own() {
    let bed = Bed::of(2);
    let project = project(&bed, 2, "root", APP);
    // nothing has been applied yet, so there is no drift
    project.run(&["lift", "--drift-only"]).exits(0).says("no drift on 2 nodes");
    project.run(&["lift"]).exits(0);
    project.run(&["lift", "--drift-only"]).exits(0);

    bed.ssh(2, "chmod 700 /srv/app").exits(0);
    let drift = project.events(&["lift", "--drift-only"], 3);
    let told: Vec<_> = drift.of_kind("drift").map(|event| (event.node(), event.action())).collect();
    assert_eq!(told, [(Some("node2"), Some("directory"))], "{drift:#?}");
    project.run(&["lift", "--drift-only"]).exits(3).says("1 changed since Pallet applied it");
    bed.ssh(2, "stat -c %a /srv/app").exits(0).says("700");

    // a changed declaration is not drift
    project.edit("pallet.star", "0750", "0755");
    project.run(&["lift", "--drift-only"]).exits(0);
    project.run(&["lift"]).exits(0);
    project.run(&["lift", "--drift-only"]).exits(0);
    bed.ssh(1, "rm -r /srv/app").exits(0);
    project
        .run(&["lift", "--drift-only"])
        .exits(3)
        .says("node1: configure: remote_file /srv/app/conf");
    let wrong = project.run(&["lift", "--drift-only", "--dry-run"]);
    wrong.exits(2).says("cannot be used with");
}
