//! Tests of the action `cron`.

use super::super::check::{check, node};
use super::*;
use crate::model::PackageManager;
use expect_test::expect;

const FILE: &str = "/etc/cron.d/pallet-backup";

fn job() -> Cron {
    Cron::new("backup", "backup +%F")
        .at(["*/15", "2,14", "*", "jan-mar", "mon-fri/2"])
        .user("app")
        .env("MAILTO", "it's me")
}

#[test]
fn creates_what_is_missing() {
    check(
        job(),
        node().without_file(FILE),
        expect![[r#"
        will create file
        + file root:root 0644
        @@ -0,0 +1,2 @@
        +MAILTO="it's me"
        +*/15 2,14 * jan-mar mon-fri/2 app backup +\%F
        ---
        require_user app
        edited() { printf %s 'MAILTO="it'\''s me"
        */15 2,14 * jan-mar mon-fri/2 app backup +\%F
        '; }
        edit_file /etc/cron.d/pallet-backup create root root 0644
    "#]],
    );
    check(
        job(),
        node().without_file("/etc/crontabs/app").os(
            "alpine",
            OsFamily::Alpine,
            PackageManager::Apk,
        ),
        expect![[r#"
            will create file
            + file root:root 0600
            @@ -0,0 +1 @@
            +*/15 2,14 * jan-mar mon-fri/2 export MAILTO='it'\''s me'; backup +%F # pallet: backup
            ---
            require_user app
            ensure_line /etc/crontabs/app create root root 0600 '*/15 2,14 * jan-mar mon-fri/2 export MAILTO='\''it'\''\'\'''\''s me'\''; backup +%F # pallet: backup' ' # pallet: backup$' itself '' '' ''
            if [ -n "$change" ]; then printf '%s\n' app >>/etc/crontabs/cron.update; fi
        "#]],
    );
}

#[test]
fn leaves_what_is_right() {
    check(
        job(),
        node().file(FILE, &job().content(OsFamily::Debian), 0o644),
        expect!["nothing to do"],
    );
    check(job().absent(), node().without_file(FILE), expect!["nothing to do"]);
}

#[test]
fn changes_and_removes() {
    check(
        Cron::new("backup", "b").special("@daily"),
        node().file(FILE, "@hourly root b\n", 0o600),
        expect![[r#"
        will change content
        - file root:root 0600
        + file root:root 0644
        @@ -1 +1 @@
        -@hourly root b
        +@daily root b
        ---
        edited() { printf %s '@daily root b
        '; }
        edit_file /etc/cron.d/pallet-backup create root root 0644
    "#]],
    );
    check(
        Cron::new("backup", "").absent(),
        node().file(FILE, "@hourly root b\n", 0o644),
        expect![[r#"
        will delete file
        - file root:root 0644
        @@ -1 +0,0 @@
        -@hourly root b
        ---
        ensure_absent /etc/cron.d/pallet-backup
    "#]],
    );
    let alpine = node().file("/etc/crontabs/root", "x\n0 0 * * * a # pallet: backup\n", 0o600);
    let alpine = alpine.os("alpine", OsFamily::Alpine, PackageManager::Apk);
    check(
        Cron::new("backup", "b").special("@daily"),
        alpine.clone(),
        expect![[r#"
        will change content
        @@ -1,2 +1,2 @@
         x
        -0 0 * * * a # pallet: backup
        +0 0 * * * b # pallet: backup
        ---
        ensure_line /etc/crontabs/root create root root 0600 '0 0 * * * b # pallet: backup' ' # pallet: backup$' itself '' '' ''
        if [ -n "$change" ]; then printf '%s\n' root >>/etc/crontabs/cron.update; fi
    "#]],
    );
    check(
        Cron::new("backup", "").absent(),
        alpine,
        expect![[r#"
        will change content
        @@ -1,2 +1 @@
         x
        -0 0 * * * a # pallet: backup
        ---
        ensure_no_line /etc/crontabs/root leave root root 0600 -E ' # pallet: backup$'
        if [ -n "$change" ]; then printf '%s\n' root >>/etc/crontabs/cron.update; fi
    "#]],
    );
}

#[test]
fn decides_on_the_node_what_is_not_known() {
    check(
        Cron::new("backup", "b"),
        node(),
        expect![[r#"
        may edit file
        + file root:root 0644
        +* * * * * root b
        ---
        edited() { printf %s '* * * * * root b
        '; }
        edit_file /etc/cron.d/pallet-backup create root root 0644
    "#]],
    );
}

#[test]
fn refuses_what_cannot_be() {
    let at = |times| Cron::new("a", "b").at(times);
    check(
        at(["60", "*", "*", "*", "*"]),
        node(),
        expect![[r#"error: cron: minute "60": 60 is not from 0 to 59"#]],
    );
    check(
        at(["*", "5-2", "*", "*", "*"]),
        node(),
        expect![[r#"error: cron: hour "5-2": the range 5-2 is empty"#]],
    );
    check(
        at(["*", "*", "0", "*", "*"]),
        node(),
        expect![[r#"error: cron: day "0": 0 is not from 1 to 31"#]],
    );
    check(
        at(["*", "*", "*", "janu", "*"]),
        node(),
        expect![[
            r#"error: cron: month "janu": "janu" is not a number or a name of three letters"#
        ]],
    );
    check(
        at(["5/2", "*", "*", "*", "*"]),
        node(),
        expect![[r#"error: cron: minute "5/2": a step needs a range, such as */5 or 5-59/5"#]],
    );
    check(
        at(["*/0", "*", "*", "*", "*"]),
        node(),
        expect![[r#"error: cron: minute "*/0": "0" is not a step from 1 to 59"#]],
    );
    check(
        at(["1", "*", "*", "*", "*"]).special("@daily"),
        node(),
        expect!["error: cron: give either special or minute, not both"],
    );
    check(
        Cron::new("a", "b").special("@often"),
        node(),
        expect![[
            r#"error: cron: special "@often" is none of @reboot @hourly @daily @midnight @weekly @monthly @yearly @annually"#
        ]],
    );
    check(
        Cron::new("a.b", "b"),
        node(),
        expect![[
            r#"error: cron: the name "a.b" is not of letters, digits, - and _; cron reads no other files"#
        ]],
    );
    check(
        Cron::new("a", "b\nc"),
        node(),
        expect![[r#"error: cron: the command "b\nc" holds a newline or a NUL; give one line"#]],
    );
    check(
        Cron::new("a", "b"),
        node().without_file("/etc/cron.d"),
        expect![[
            r#"error: there is no /etc/cron.d; install cron before, with package("cron") or package("cronie")"#
        ]],
    );
}

#[test]
fn a_time_may_be_a_number() {
    let job: Cron =
        serde_json::from_value(serde_json::json!({"name": "a", "command": "b", "minute": 5}))
            .expect("it is right");
    assert_eq!(job.minute, "5");
}
