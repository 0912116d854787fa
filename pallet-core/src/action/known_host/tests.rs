//! Which lines of a host stay, are changed, or are removed.

use super::super::check::{NodeBuilder, check, node};
use super::*;
use crate::observe::{FileState, UserState};
use expect_test::expect;

const KEY: &str = "ssh-ed25519 AAAAC3Nz+/a= root@git";
const OLD: &str = "ssh-ed25519 AAAAold=";
const HASHED: &str = "|1|rAWFMH8wx0owe8mUQ67ueXztJoM=|CZP5bi/eBQcGlMBpBgllJMYxrMU=";

fn git() -> KnownHost {
    KnownHost::new("git.example.com", KEY)
}

fn with(text: &str) -> NodeBuilder {
    node().file(SYSTEM, text, 0o644)
}

#[test]
fn adds_what_is_missing() {
    check(
        git(),
        node().without_file(SYSTEM),
        expect![[r#"
        will create file
        + file root:root 0644
        @@ -0,0 +1 @@
        +git.example.com ssh-ed25519 AAAAC3Nz+/a= root@git
        ---
        ensure_known_host /etc/ssh/ssh_known_hosts create '' '' '' present git.example.com 'ssh-ed25519 AAAAC3Nz+/a= root@git'
    "#]],
    );
    check(
        git().port(2222),
        with("git.example.com ssh-rsa AAAAB3\n"),
        expect![[r#"
        will change content
        @@ -1 +1,2 @@
         git.example.com ssh-rsa AAAAB3
        +[git.example.com]:2222 ssh-ed25519 AAAAC3Nz+/a= root@git
        ---
        ensure_known_host /etc/ssh/ssh_known_hosts create '' '' '' present '[git.example.com]:2222' 'ssh-ed25519 AAAAC3Nz+/a= root@git'
    "#]],
    );
}

#[test]
fn replaces_another_key_of_the_same_type() {
    check(
        git(),
        with(&format!(
            "git.example.com,10.0.0.5 {OLD}\n{HASHED} {OLD} x\n*.example.com \
             {OLD}\ngit.example.com ssh-rsa AAAAB3\n"
        )),
        expect![[r#"
            will change content
            @@ -1,4 +1,4 @@
            -git.example.com,10.0.0.5 ssh-ed25519 AAAAold=
            -|1|rAWFMH8wx0owe8mUQ67ueXztJoM=|CZP5bi/eBQcGlMBpBgllJMYxrMU= ssh-ed25519 AAAAold= x
            +10.0.0.5 ssh-ed25519 AAAAold=
            +|1|rAWFMH8wx0owe8mUQ67ueXztJoM=|CZP5bi/eBQcGlMBpBgllJMYxrMU= ssh-ed25519 AAAAC3Nz+/a= root@git
             *.example.com ssh-ed25519 AAAAold=
             git.example.com ssh-rsa AAAAB3
            ---
            ensure_known_host /etc/ssh/ssh_known_hosts create '' '' '' present git.example.com 'ssh-ed25519 AAAAC3Nz+/a= root@git'
        "#]],
    );
    check(
        git().exclusive(),
        with(&format!(
            "git.example.com {KEY}\n{HASHED} ssh-rsa AAAAB3\n@revoked git.example.com {OLD}\n"
        )),
        expect![[r#"
            will change content
            @@ -1,3 +1,2 @@
             git.example.com ssh-ed25519 AAAAC3Nz+/a= root@git
            -|1|rAWFMH8wx0owe8mUQ67ueXztJoM=|CZP5bi/eBQcGlMBpBgllJMYxrMU= ssh-rsa AAAAB3
             @revoked git.example.com ssh-ed25519 AAAAold=
            ---
            ensure_known_host /etc/ssh/ssh_known_hosts create '' '' '' only git.example.com 'ssh-ed25519 AAAAC3Nz+/a= root@git'
        "#]],
    );
}

#[test]
fn leaves_what_is_right() {
    check(
        git(),
        with("GIT.example.com,x ssh-ed25519 AAAAC3Nz+/a=\ngit.example.com ssh-rsa AAAAB3"),
        expect!["nothing to do"],
    );
    check(git().exclusive(), with(&format!("{HASHED} {KEY}\n")), expect!["nothing to do"]);
    check(git().absent(), with(&format!("git.example.com {OLD}\n")), expect!["nothing to do"]);
    check(git().absent(), node().without_file(SYSTEM), expect!["nothing to do"]);
    check(git().absent().user("app"), node().without_user("app"), expect!["nothing to do"]);
}

#[test]
fn takes_keys_away() {
    check(
        git().absent(),
        with(&format!("{HASHED} {KEY}\nx,git.example.com {KEY}\ngit.example.com {OLD}\n")),
        expect![[r#"
            will change content
            @@ -1,3 +1,2 @@
            -|1|rAWFMH8wx0owe8mUQ67ueXztJoM=|CZP5bi/eBQcGlMBpBgllJMYxrMU= ssh-ed25519 AAAAC3Nz+/a= root@git
            -x,git.example.com ssh-ed25519 AAAAC3Nz+/a= root@git
            +x ssh-ed25519 AAAAC3Nz+/a= root@git
             git.example.com ssh-ed25519 AAAAold=
            ---
            ensure_known_host /etc/ssh/ssh_known_hosts leave '' '' '' absent git.example.com 'ssh-ed25519 AAAAC3Nz+/a= root@git'
        "#]],
    );
    check(
        KnownHost::unknown("git.example.com"),
        with(&format!("{HASHED} {KEY}\ngit.example.com {OLD}\nother {OLD}\n")),
        expect![[r#"
            will change content
            @@ -1,3 +1 @@
            -|1|rAWFMH8wx0owe8mUQ67ueXztJoM=|CZP5bi/eBQcGlMBpBgllJMYxrMU= ssh-ed25519 AAAAC3Nz+/a= root@git
            -git.example.com ssh-ed25519 AAAAold=
             other ssh-ed25519 AAAAold=
            ---
            ensure_known_host /etc/ssh/ssh_known_hosts leave '' '' '' absent git.example.com
        "#]],
    );
}

#[test]
fn the_file_of_a_user_is_theirs() {
    let user = UserState {
        home: Some("/srv/app".into()),
        group: Some("app".into()),
        ..UserState::default()
    };
    let mut node = node()
        .user("app", user)
        .without_file("/srv/app/.ssh")
        .without_file("/srv/app/.ssh/known_hosts");
    check(
        git().user("app"),
        node.clone(),
        expect![[r#"
        will create directory, create file
        + directory app:app 0700
        + file app:app 0644
        @@ -0,0 +1 @@
        +git.example.com ssh-ed25519 AAAAC3Nz+/a= root@git
        ---
        ensure_directory /srv/app/.ssh app app 0700
        require_directory /srv/app/.ssh
        ensure_known_host /srv/app/.ssh/known_hosts create app app '' present git.example.com 'ssh-ed25519 AAAAC3Nz+/a= root@git'
    "#]],
    );
    node.0.set_file("/srv/app/.ssh", FileState::Link { target: "/root/.ssh".into() });
    check(
        git().user("app"),
        node,
        expect![
            "error: /srv/app/.ssh is a link to /root/.ssh, not a directory; put a directory in \
             its place"
        ],
    );
}

#[test]
fn decides_on_the_node_what_is_not_known() {
    check(
        git(),
        node(),
        expect![[r#"
        may edit file
        +git.example.com ssh-ed25519 AAAAC3Nz+/a= root@git
        ---
        ensure_known_host /etc/ssh/ssh_known_hosts create '' '' '' present git.example.com 'ssh-ed25519 AAAAC3Nz+/a= root@git'
    "#]],
    );
    check(
        git().user("app"),
        node(),
        expect![[r#"
        may edit the known hosts
        + file app:? ?
        +git.example.com ssh-ed25519 AAAAC3Nz+/a= root@git
        ---
        home_of app
        file=$home/.ssh/known_hosts
        ensure_directory "$home/.ssh" app "$primary" 0700
        ensure_known_host "$file" create app "$primary" '' present git.example.com 'ssh-ed25519 AAAAC3Nz+/a= root@git'
    "#]],
    );
    check(
        git().user("app").path("/srv/hosts").absent(),
        node(),
        expect![[r#"
        may edit the known hosts
        ---
        home_of app
        file=/srv/hosts
        ensure_known_host "$file" leave app "$primary" '' absent git.example.com 'ssh-ed25519 AAAAC3Nz+/a= root@git'
    "#]],
    );
}

#[test]
fn refuses_what_cannot_be() {
    for (action, expected) in [
        (
            KnownHost::new("a,b", KEY),
            expect![[
                r#"error: known_host: "a,b" is not the name or the address of a host; a port has a parameter of its own"#
            ]],
        ),
        (
            KnownHost::new("[git]:22", KEY),
            expect![[
                r#"error: known_host: "[git]:22" is not the name or the address of a host; a port has a parameter of its own"#
            ]],
        ),
        (
            KnownHost::new("git", "git ssh-rsa AAAAB3"),
            expect![
                "error: known_host: the key of git is not a type such as ssh-ed25519 and a key in \
                 base64, and nothing before them"
            ],
        ),
        (
            KnownHost::new("git", "ssh-rsa x"),
            expect![
                "error: known_host: the key of git is not a type such as ssh-ed25519 and a key in \
                 base64, and nothing before them"
            ],
        ),
        (
            KnownHost::new("git", vec![KEY.to_owned(), KEY.to_owned()]),
            expect!["error: known_host: a key of git stands twice in the list; give it once"],
        ),
        (
            KnownHost::new("git", Vec::new()),
            expect!["error: known_host: there is no key for git; give at least one"],
        ),
        (
            git().exclusive().absent(),
            expect!["error: known_host: exclusive is for keys that are present; omit it"],
        ),
        (
            git().path("hosts"),
            expect![[r#"error: known_host: the path "hosts" is not absolute; write it from /"#]],
        ),
        (
            git().user("0"),
            expect![[
                r#"error: known_host: the user "0" is not a name; write the name, not a number"#
            ]],
        ),
    ] {
        check(action, node(), expected);
    }
    check(
        git().user("app"),
        node().without_user("app"),
        expect![[r#"error: there is no user app; declare user("app") before it"#]],
    );
}
