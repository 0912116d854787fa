//! Which lines of a key stay, are changed, or are removed.

use super::super::check::{NodeBuilder, check, node};
use super::*;
use crate::observe::{Attributes, FileState, UserState};
use expect_test::expect;

const KEY: &str = "ssh-ed25519 AAAAC3Nz+/a= ann@home";
const FILE: &str = "/home/app/.ssh/authorized_keys";

fn with_user() -> NodeBuilder {
    let user = UserState {
        home: Some("/home/app".into()),
        group: Some("app".into()),
        ..UserState::default()
    };
    let mut node = node().user("app", user);
    let attributes = |mode| Attributes {
        owner: Some("app".into()),
        group: Some("app".into()),
        mode: Some(mode),
    };
    node.0.set_file("/home/app/.ssh", FileState::Directory(attributes(0o700)));
    node
}

fn with_keys(text: &str) -> NodeBuilder {
    let mut node = with_user();
    let attributes =
        Attributes { owner: Some("app".into()), group: Some("app".into()), mode: Some(0o600) };
    let digest = Some(crate::model::digest(text.as_bytes()));
    node.0.set_file(FILE, FileState::File { digest, text: Some(text.into()), attributes });
    node
}

#[test]
fn adds_what_is_missing() {
    check(
        AuthorizedKey::new("app", KEY),
        with_user().without_file("/home/app/.ssh").without_file(FILE),
        expect![[r#"
        will create directory, create file
        + directory app:app 0700
        + file app:app 0600
        @@ -0,0 +1 @@
        +ssh-ed25519 AAAAC3Nz+/a= ann@home
        ---
        ensure_directory /home/app/.ssh app app 0700
        require_directory /home/app/.ssh
        ensure_keys /home/app/.ssh/authorized_keys create app app 0600 present 'ssh-ed25519 AAAAC3Nz+/a= ann@home'
    "#]],
    );
    check(
        AuthorizedKey::new("app", KEY),
        with_keys("ssh-rsa AAAAB x\n"),
        expect![[r#"
        will change content
        @@ -1 +1,2 @@
         ssh-rsa AAAAB x
        +ssh-ed25519 AAAAC3Nz+/a= ann@home
        ---
        require_directory /home/app/.ssh
        ensure_keys /home/app/.ssh/authorized_keys create app app 0600 present 'ssh-ed25519 AAAAC3Nz+/a= ann@home'
    "#]],
    );
    check(
        AuthorizedKey::new("app", KEY).options("no-pty"),
        with_keys("ssh-ed25519 AAAAC3Nz+/a=\n"),
        expect![[r#"
        will change content
        @@ -1 +1 @@
        -ssh-ed25519 AAAAC3Nz+/a=
        +no-pty ssh-ed25519 AAAAC3Nz+/a= ann@home
        ---
        require_directory /home/app/.ssh
        ensure_keys /home/app/.ssh/authorized_keys create app app 0600 present 'no-pty ssh-ed25519 AAAAC3Nz+/a= ann@home'
    "#]],
    );
    check(
        AuthorizedKey::new("app", KEY).exclusive(),
        with_keys("ssh-rsa AAAAB x\n"),
        expect![[r#"
        will change content
        @@ -1 +1 @@
        -ssh-rsa AAAAB x
        +ssh-ed25519 AAAAC3Nz+/a= ann@home
        ---
        require_directory /home/app/.ssh
        ensure_keys /home/app/.ssh/authorized_keys create app app 0600 only 'ssh-ed25519 AAAAC3Nz+/a= ann@home'
    "#]],
    );
}

#[test]
fn leaves_what_is_right() {
    check(
        AuthorizedKey::new("app", KEY),
        with_keys("x\nssh-ed25519 AAAAC3Nz+/a= other comment\n"),
        expect!["nothing to do"],
    );
    check(
        AuthorizedKey::new("app", KEY).exclusive(),
        with_keys("ssh-ed25519 AAAAC3Nz+/a=\n"),
        expect!["nothing to do"],
    );
    check(
        AuthorizedKey::new("app", KEY).absent(),
        with_keys("ssh-ed25519 AAAAC3Nz+/aa=\n"),
        expect!["nothing to do"],
    );
    check(
        AuthorizedKey::new("app", KEY).absent(),
        node().without_user("app"),
        expect!["nothing to do"],
    );
}

#[test]
fn takes_keys_away() {
    check(
        AuthorizedKey::new("app", KEY).absent(),
        with_keys("from=\"x y\" ssh-ed25519  AAAAC3Nz+/a=\n"),
        expect![[r#"
        will change content
        @@ -1 +0,0 @@
        -from="x y" ssh-ed25519  AAAAC3Nz+/a=
        ---
        require_directory /home/app/.ssh
        ensure_keys /home/app/.ssh/authorized_keys leave app app 0600 absent 'ssh-ed25519 AAAAC3Nz+/a= ann@home'
    "#]],
    );
}

#[test]
fn decides_on_the_node_what_is_not_known() {
    check(
        AuthorizedKey::new("app", KEY),
        node(),
        expect![[r#"
        may edit the keys
        + file app:? 0600
        +ssh-ed25519 AAAAC3Nz+/a= ann@home
        ---
        home_of app
        file=$home/.ssh/authorized_keys
        ensure_directory "$home/.ssh" app "$primary" 0700
        ensure_keys "$file" create app "$primary" 0600 present 'ssh-ed25519 AAAAC3Nz+/a= ann@home'
    "#]],
    );
    check(
        AuthorizedKey::new("app", KEY).absent(),
        node(),
        expect![[r#"
        may edit the keys
        ---
        home_of app
        file=$home/.ssh/authorized_keys
        require_directory "$home/.ssh"
        ensure_keys "$file" leave app "$primary" 0600 absent 'ssh-ed25519 AAAAC3Nz+/a= ann@home'
    "#]],
    );
    check(
        AuthorizedKey::new("app", KEY).path("/etc/ssh/keys/app"),
        node(),
        expect![[r#"
        may edit the keys
        + file app:? 0600
        +ssh-ed25519 AAAAC3Nz+/a= ann@home
        ---
        home_of app
        file=/etc/ssh/keys/app
        ensure_keys "$file" create app "$primary" 0600 present 'ssh-ed25519 AAAAC3Nz+/a= ann@home'
    "#]],
    );
}

#[test]
fn refuses_what_cannot_be() {
    for key in [AuthorizedKey::new("app", KEY), AuthorizedKey::new("app", KEY).absent()] {
        let linked = with_keys("").link("/home/app/.ssh", "/root/.ssh").file(FILE, "x\n", 0o600);
        check(
            key,
            linked,
            expect![
                "error: /home/app/.ssh is a link to /root/.ssh, not a \
            directory; put a directory in its place"
            ],
        );
    }
    let file = || with_user().file("/home/app/.ssh", "", 0o600).without_file(FILE);
    check(
        AuthorizedKey::new("app", KEY),
        file(),
        expect!["error: /home/app/.ssh is a file, not a directory; put a directory in its place"],
    );
    check(AuthorizedKey::new("app", KEY).absent(), file(), expect!["nothing to do"]);
    check(
        AuthorizedKey::new("app", KEY),
        node().without_user("app"),
        expect![[r#"error: there is no user app; declare user("app") before it"#]],
    );
    check(
        AuthorizedKey::new("app", "no-pty ssh-rsa AAAA"),
        node(),
        expect![
            "error: authorized_key: the key of app does not begin with a type such as ssh-ed25519; \
             options have a parameter of their own; give a line such as that of id_ed25519.pub"
        ],
    );
    check(
        AuthorizedKey::new("app", "ssh-rsa x"),
        node(),
        expect![
            "error: authorized_key: the key of app is not a type such as ssh-ed25519 and a key in \
             base64; give a line such as that of id_ed25519.pub"
        ],
    );
    check(
        AuthorizedKey::new("app", KEY).absent().exclusive(),
        node(),
        expect!["error: authorized_key: exclusive is for a key that is present; omit it"],
    );
}
