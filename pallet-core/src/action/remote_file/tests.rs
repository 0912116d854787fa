//! Tests of `remote_file`.

use super::super::check::{check, node};
use super::*;
use crate::model::{digest};
use expect_test::expect;

#[test]
fn creates_what_is_missing() {
    check(
        RemoteFile::content("/etc/motd", "it's\nall 100% right").mode(0o600).verify("grep -q right"),
        node().without_file("/etc/motd").directory("/etc", 0o755),
        expect![[r#"
            will create file
            + file root:root 0600
            @@ -0,0 +1,2 @@
            +it's
            +all 100% right
            \ No newline at end of file
            ---
            content() { printf %s 'it'\''s
            all 100% right'; }
            ensure_content /etc/motd 633c9cad5d7ba22ce5fc0f5d3ee899db28aff46d21b7119ff0479bc77d94848a '' '' 0600 'grep -q right'
        "#]],
    );
}

#[test]
fn shows_what_changes() {
    check(
        RemoteFile::content("/etc/motd", "one\nTWO\nthree\n"),
        node().file("/etc/motd", "one\ntwo\nthree\n", 0o644),
        expect![[r#"
            will change content
            @@ -1,3 +1,3 @@
             one
            -two
            +TWO
             three
            ---
            content() { printf %s 'one
            TWO
            three
            '; }
            ensure_content /etc/motd b2ef07f1e2b1b58edd8a1b35c5472177f5f1fa1ff74cad1c04cc776029511139 '' '' '' ''
        "#]],
    );
}

#[test]
fn corrects_attributes_without_content() {
    check(RemoteFile::content("/etc/motd", "hello\n").owner("app").mode(0o640), node().file("/etc/motd", "hello\n", 0o644), expect![[r#"
        will change owner or mode
        - file root:root 0644
        + file app:root 0640
        ---
        ensure_attributes /etc/motd app '' 0640
    "#]]);
}

#[test]
fn leaves_what_is_right() {
    check(RemoteFile::content("/etc/motd", "hello\n"), node().file("/etc/motd", "hello\n", 0o600), expect!["nothing to do"]);
}

#[test]
fn decides_on_the_node_what_is_not_known() {
    check(RemoteFile::content("/etc/motd", "\0"), node(), expect![[r#"
        may ensure file
        ---
        content() { base64 -d <<'END'
        AA==
        END
        }
        ensure_content /etc/motd 6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d '' '' '' ''
    "#]]);
}

#[test]
fn large_content_travels_apart() {
    let mut action = RemoteFile::content("/srv/large", "x".repeat(70_000));
    action.prepare(&super::super::check::NoWorkspace).expect("it is right");
    let change = action.plan(&mut node().without_file("/srv/large").0).expect("it can be planned").expect("it changes");
    let digest = digest("x".repeat(70_000).as_bytes());
    assert_eq!(change.uploads.len(), 1);
    assert_eq!(change.uploads[0].digest, digest);
    assert!(change.script.as_str().starts_with(&format!("content() {{ received {digest} \"$1\"; }}\n")));
}

#[test]
fn says_what_stands_in_the_way() {
    check(RemoteFile::content("/srv/x", ""), node().without_file("/srv"), expect![[r#"error: there is no directory /srv for /srv/x; declare directory("/srv") before it"#]]);
    check(RemoteFile::content("/srv", ""), node().directory("/srv", 0o755), expect!["error: /srv is a directory; there can be no file of that name"]);
    check(RemoteFile::content("/srv", "").mode(0o10000), node(), expect![[r#"error: remote_file: the mode "10000" is not octal permissions such as "0644""#]]);
    check(RemoteFile::content("/srv", "").owner("0"), node(), expect![[r#"error: remote_file: the owner "0" is not a name; write the name, not a number"#]]);
    check(RemoteFile::local_file("/srv/x", "x"), node(), expect!["error: there is no file x"]);
    check(RemoteFile::at("/srv/x"), node(), expect!["error: remote_file: give exactly one of content, local_file, template, remote_file, url and link"]);
}
