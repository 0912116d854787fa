//! Pallet compensates for what images lack: sudo, package lists, name servers, a locale.

use pallet_tests::Bed;

use super::{APP, is_configured, project};

/// The bootstrap that Pallet runs on nodes that it created, here on existing nodes.
const BOOTSTRAP: &str = r##"
load("@automated-admin-user", "automated_admin_user")

def bootstrap(request):
    automated_admin_user(request, username = "ops")

app = group_spec("app", count = 1, phases = {"bootstrap": bootstrap})
"##;

#[test]
fn doas_is_as_good_as_sudo() {
    let bed = Bed::of(1);
    bed.ssh(
        1,
        "apt-get -qq install -y opendoas >/dev/null 2>&1; rm /usr/bin/sudo; echo 'permit \
        nopass plain' > /etc/doas.conf",
    )
    .exits(0);
    let project = project(&bed, 1, "plain", APP);
    project.events(&["lift"], 0);
    is_configured(&bed, 1);
    assert_eq!(project.events(&["lift"], 0).changes().values().sum::<usize>(), 0);

    bed.ssh(1, "echo 'permit plain' > /etc/doas.conf").exits(0);
    project
        .run(&["lift"])
        .exits(1)
        .says("cannot become root")
        .says("doas needs a password")
        .says("nopass");
    bed.ssh(1, "echo 'permit nopass operator' > /etc/doas.conf").exits(0);
    project.run(&["lift"]).exits(1).says("doas.conf does not permit the login user");
}

#[test]
fn where_there_is_no_sudo_roots_password_does() {
    let bed = Bed::of(1);
    bed.ssh(1, "rm /usr/bin/sudo; echo root:bed-root | chpasswd --crypt-method SHA512").exits(0);
    let project = project(&bed, 1, "plain", APP);
    let lacking = project.run(&["lift"]).exits(1);
    lacking.says("node1").says("there is neither sudo nor doas").says("log in as root");

    project.write("password", "bed-root\n");
    project.edit(
        "pallet.toml",
        "name = \"plain\"",
        "name = \"plain\"\n\
        sudo_password = { file = \"password\" }",
    );
    project.run(&["lift", "-v", "--output", "json"]).exits(0).never_says("bed-root");
    is_configured(&bed, 1);
    project.write("password", "not-it\n");
    project.run(&["lift"]).exits(1).says("su refused the password").never_says("not-it");
}

#[test]
fn a_root_login_bootstraps_an_image_without_sudo_lists_and_locale() {
    let bed = Bed::of(1);
    bed.ssh(
        1,
        "SUDO_FORCE_REMOVE=yes apt-get -qq purge -y sudo >/dev/null 2>&1; rm -rf \
         /var/lib/apt/lists/* /etc/sudoers.d; ! command -v sudo",
    )
    .exits(0);
    // the session's locale does not exist, and perl complains for every package
    bed.ssh(1, "echo LANG=xx_XX.UTF-8 > /etc/default/locale").exits(0);
    bed.ssh(1, "perl -e 1").exits(0).says("Setting locale failed");

    let project = project(&bed, 1, "root", BOOTSTRAP);
    project.edit(
        "pallet.toml",
        "[services.bed]",
        "[environment]\nlocale = \"de_DE.UTF-8\"\nname_servers = [\"192.0.2.53\"]\n\n\
         [services.bed]",
    );
    let first = project.run(&["converge", "-vv"]).exits(0);
    first.never_says("Setting locale failed").never_says("cannot change locale");
    bed.ssh(1, "su ops -c 'sudo -n id -u'").exits(0).says("0");
    bed.ssh(1, "cat /etc/default/locale /etc/resolv.conf")
        .exits(0)
        .says("LANG=de_DE.UTF-8")
        .says("nameserver 192.0.2.53");
    bed.ssh(1, "perl -e 1; locale -a")
        .exits(0)
        .says("de_DE.utf8")
        .never_says("Setting locale failed");
    assert_eq!(project.events(&["converge"], 0).changes().values().sum::<usize>(), 0);
}

#[test]
fn packages_are_installed_where_the_image_has_no_lists_and_a_strange_locale() {
    let bed = Bed::of(1);
    bed.ssh(1, "rm -rf /var/lib/apt/lists/*; echo LANG=xx_XX.UTF-8 > /etc/default/locale").exits(0);
    let declarations = r##"
def configure(request):
    package(request, "bed-alpha")
    exec_script(request, "perl -e 'print 1'; date -d 2026-03-01 +%B > /srv/month", creates = "/srv/month")

app = group_spec("app", phases = {"configure": configure})
"##;
    let project = project(&bed, 1, "admin", declarations);
    project.run(&["lift", "-vv"]).exits(0).never_says("locale");
    bed.ssh(1, "bed-alpha; cat /srv/month").exits(0).says("bed-alpha").says("March");
    assert_eq!(project.events(&["lift"], 0).changes().values().sum::<usize>(), 0);
}
