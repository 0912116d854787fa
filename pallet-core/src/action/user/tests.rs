//! Tests of `user`.

use super::super::check::{check, node};
use super::*;
use expect_test::expect;

fn app() -> UserState {
    UserState {
        uid: Some(1000),
        group: Some("app".into()),
        groups: Some(["adm".to_owned(), "sudo".to_owned()].into()),
        comment: Some(String::new()),
        home: Some("/home/app".into()),
        shell: Some("/bin/sh".into()),
        locked: Some(true),
    }
}

#[test]
fn creates_who_is_missing() {
    check(
        User::new("app")
            .uid(900)
            .group("app")
            .groups(["www"])
            .home("/srv/app")
            .shell("/bin/false")
            .comment("The app")
            .system(),
        node().without_user("app").group("app", 900),
        expect![[r#"
            will create user
            ---
            ensure_user app --uid 900 --group app --groups www --home /srv/app --shell /bin/false --comment 'The app' --system
        "#]],
    );
}

#[test]
fn leaves_what_is_right() {
    check(User::new("app"), node().user("app", app()), expect!["nothing to do"]);
    check(
        User::new("app").uid(1000).groups(["sudo", "adm", "app"]).shell("/bin/sh"),
        node().user("app", app()),
        expect!["nothing to do"],
    );
    check(
        User::new("app").groups(["sudo"]).append(),
        node().user("app", app()),
        expect!["nothing to do"],
    );
    check(
        User::new("app").action(UserAction::Remove),
        node().without_user("app"),
        expect!["nothing to do"],
    );
    check(
        User::new("app").action(UserAction::Lock),
        node().user("app", app()),
        expect!["nothing to do"],
    );
}

#[test]
fn changes_what_differs() {
    check(
        User::new("app").groups(["sudo"]).shell("/bin/bash"),
        node().user("app", app()),
        expect![[r#"
        will change groups, shell
        - groups adm, sudo
        + groups sudo
        - shell /bin/sh
        + shell /bin/bash
        ---
        ensure_user app --groups sudo --shell /bin/bash --create-home
    "#]],
    );
    check(
        User::new("app").groups(["www"]).append(),
        node().user("app", app()),
        expect![[r#"
        will change groups
        - groups adm, sudo
        + groups adm, sudo, www
        ---
        ensure_user app --groups www --append --create-home
    "#]],
    );
    check(
        User::new("app").action(UserAction::Unlock),
        node().user("app", app()),
        expect![[r#"
        will unlock password
        ---
        ensure_unlocked app
    "#]],
    );
    check(
        User::new("app").action(UserAction::Remove),
        node().user("app", app()),
        expect![[r#"
        will remove user
        ---
        ensure_no_user app ''
    "#]],
    );
}

#[test]
fn decides_on_the_node_what_is_not_known() {
    check(
        User::new("app"),
        node(),
        expect![[r#"
        may ensure user
        ---
        ensure_user app --create-home
    "#]],
    );
    check(
        User::new("app").uid(1000),
        node().user("app", UserState::default()),
        expect![[r#"
        may change uid
        + uid 1000
        ---
        ensure_user app --uid 1000 --create-home
    "#]],
    );
}

#[test]
fn refuses_what_cannot_be() {
    check(
        User::new("app").group("www"),
        node().without_group("www"),
        expect![[r#"error: there is no group www for the user app; declare group("www") before"#]],
    );
    check(
        User::new("1000"),
        node(),
        expect![[r#"error: user: "1000" is not a name that a user or group can have"#]],
    );
    check(
        User::new("app").comment("a:b"),
        node(),
        expect![[r#"error: user: "a:b" holds a colon or a line break, which no user's entry can"#]],
    );
    check(
        User::new("app").action(UserAction::Lock),
        node().without_user("app"),
        expect![[r#"error: there is no user app; declare user("app") before it"#]],
    );
}
