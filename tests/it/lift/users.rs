//! Login users: an admin with sudo, one whose sudo requires a password, one without sudo.

use pallet_tests::Bed;

use super::{APP, is_configured, project};

#[test]
fn sudo_without_a_password() {
    let bed = Bed::of(2);
    let project = project(&bed, 2, "admin", APP);
    project.events(&["lift"], 0);
    is_configured(&bed, 1);
    is_configured(&bed, 2);
    assert_eq!(project.events(&["lift"], 0).changes().values().sum::<usize>(), 0);
}

#[test]
fn sudo_with_a_password_that_nobody_sees() {
    let bed = Bed::of(1);
    let project = project(&bed, 1, "operator", APP);
    project.write("password", "bed-secret\n");
    project.edit(
        "pallet.toml",
        "name = \"operator\"",
        "name = \"operator\"\n\
        sudo_password = { file = \"password\" }",
    );
    let output = project.run(&["lift", "-v", "--output", "json"]).exits(0).never_says("bed-secret");
    assert!(!output.stdout.is_empty());
    is_configured(&bed, 1);
    bed.ssh(1, "grep -rl bed-secret /var/log /tmp /home /root /run 2>/dev/null").exits(1);
}

#[test]
fn a_wrong_sudo_password() {
    let bed = Bed::of(1);
    let project = project(&bed, 1, "operator", APP);
    project.write("password", "not-it\n");
    project.edit(
        "pallet.toml",
        "name = \"operator\"",
        "name = \"operator\"\n\
        sudo_password = { file = \"password\" }",
    );
    project
        .run(&["lift"])
        .exits(1)
        .says("node1")
        .says("sudo")
        .says("password")
        .never_says("not-it");
}

#[test]
fn no_sudo_at_all() {
    let bed = Bed::of(1);
    let project = project(&bed, 1, "plain", APP);
    project.run(&["lift"]).exits(1).says("node1").says("cannot become root").says("sudo");
    bed.ssh(1, "test ! -e /srv/app").exits(0);
}
