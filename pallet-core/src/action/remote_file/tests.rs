//! Tests of `remote_file`.

use super::super::check::{check, node};
use super::*;
use crate::model::digest;
use expect_test::expect;

#[test]
fn creates_what_is_missing() {
    check(
        RemoteFile::content("/etc/motd", "it's\nall 100% right")
            .mode(0o600)
            .verify("grep -q right"),
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
    check(
        RemoteFile::content("/etc/motd", "hello\n").owner("app").mode(0o640),
        node().file("/etc/motd", "hello\n", 0o644),
        expect![[r#"
        will change owner or mode
        - file root:root 0644
        + file app:root 0640
        ---
        ensure_attributes /etc/motd app '' 0640
    "#]],
    );
}

#[test]
fn leaves_what_is_right() {
    check(
        RemoteFile::content("/etc/motd", "hello\n"),
        node().file("/etc/motd", "hello\n", 0o600),
        expect!["nothing to do"],
    );
}

#[test]
fn decides_on_the_node_what_is_not_known() {
    check(
        RemoteFile::content("/etc/motd", "\0"),
        node(),
        expect![[r#"
        may ensure file
        + content with SHA-256 6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d
        ---
        require_kind /etc/motd 'file link'
        content() { base64 -d <<'END'
        AA==
        END
        }
        ensure_content /etc/motd 6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d '' '' '' ''
    "#]],
    );
}

#[test]
fn large_content_travels_apart() {
    let mut action = RemoteFile::content("/srv/large", "x".repeat(70_000));
    action.prepare(&super::super::check::NoWorkspace).expect("it is right");
    let change = action
        .plan(&mut node().without_file("/srv/large").0)
        .expect("it can be planned")
        .expect("it changes");
    let digest = digest("x".repeat(70_000).as_bytes());
    assert_eq!(change.uploads.len(), 1);
    assert_eq!(change.uploads[0].digest, digest);
    assert!(
        change.script.as_str().starts_with(&format!("content() {{ received {digest} \"$1\"; }}\n"))
    );
}

#[test]
fn says_what_stands_in_the_way() {
    check(
        RemoteFile::content("/srv/x", ""),
        node().without_file("/srv"),
        expect![[
            r#"error: there is no directory /srv for /srv/x; declare directory("/srv") before it"#
        ]],
    );
    check(
        RemoteFile::content("/srv", ""),
        node().directory("/srv", 0o755),
        expect!["error: /srv is a directory; there can be no file of that name"],
    );
    check(
        RemoteFile::content("/srv", "").mode(0o10000),
        node(),
        expect![[
            r#"error: remote_file: the mode "10000" is not octal permissions such as "0644""#
        ]],
    );
    check(
        RemoteFile::content("/srv", "").owner("0"),
        node(),
        expect![[
            r#"error: remote_file: the owner "0" is not a name; write the name, not a number"#
        ]],
    );
    check(RemoteFile::local_file("/srv/x", "x"), node(), expect!["error: there is no file x"]);
    check(
        RemoteFile::at("/srv/x"),
        node(),
        expect![
            "error: remote_file: give exactly one of \
        content, local_file, template, remote_file, url and link"
        ],
    );
}

#[test]
fn what_was_changed_by_hand_is_kept() {
    let by_hand = || node().file("/etc/motd", "by hand\n", 0o644).written("/etc/motd", "old\n");
    check(
        RemoteFile::content("/etc/motd", "new\n").mode(0o600),
        by_hand(),
        expect![[r#"
        drifted content changed by hand
        - file root:root 0644
        + file root:root 0600
        @@ -1 +1 @@
        -by hand
        +new
        ---
    "#]],
    );
    check(
        RemoteFile::content("/etc/motd", "new\n").overwrite_changes(),
        by_hand(),
        expect![[r#"
        will change content
        @@ -1 +1 @@
        -by hand
        +new
        ---
        content() { printf %s 'new
        '; }
        ensure_content /etc/motd 7aa7a5359173d05b63cfd682e3c38487f3cb4f7f1d60659fe59fab1505977d4c '' '' '' '' '' overwrite
    "#]],
    );
    check(
        RemoteFile::content("/etc/motd", "new\n").max_versions(0),
        by_hand().overwrite_changes(),
        expect![[r#"
        will change content
        @@ -1 +1 @@
        -by hand
        +new
        ---
        content() { printf %s 'new
        '; }
        ensure_content /etc/motd 7aa7a5359173d05b63cfd682e3c38487f3cb4f7f1d60659fe59fab1505977d4c '' '' '' '' 0 overwrite
    "#]],
    );
    // whoever changed it made it right
    check(RemoteFile::content("/etc/motd", "by hand\n"), by_hand(), expect!["nothing to do"]);
    check(
        RemoteFile::content("/etc/motd", "new\n"),
        node().file("/etc/motd", "old\n", 0o644).written("/etc/motd", "old\n"),
        expect![[r#"
        will change content
        @@ -1 +1 @@
        -old
        +new
        ---
        content() { printf %s 'new
        '; }
        ensure_content /etc/motd 7aa7a5359173d05b63cfd682e3c38487f3cb4f7f1d60659fe59fab1505977d4c '' '' '' ''
    "#]],
    );
}

#[test]
fn what_pallet_does_twice_is_not_changed_by_hand() {
    let mut state = node().file("/etc/motd", "old\n", 0o644).written("/etc/motd", "old\n").0;
    for content in ["one\n", "two\n"] {
        let mut action = RemoteFile::content("/etc/motd", content);
        action.prepare(&super::super::check::NoWorkspace).expect("it is right");
        let change = action.plan(&mut state).expect("it can be planned").expect("it changes");
        assert_eq!(change.certainty, super::super::Certainty::Will);
    }
}

#[test]
fn what_may_be_kept_is_not_predicted() {
    let predicted = |mut action: RemoteFile, mut state: NodeState| {
        action.prepare(&super::super::check::NoWorkspace).expect("it is right");
        action.plan(&mut state).expect("it can be planned").expect("it changes");
        format!("{:?}", state.file("/etc/motd"))
    };
    let content = || RemoteFile::content("/etc/motd", "new\n").mode(0o600);
    expect![
        "Known(File { digest: None, text: None, \
        attributes: Attributes { owner: None, group: None, mode: None } })"
    ]
    .assert_eq(&predicted(content(), node().0));
    expect![[r#"Known(File { digest: Some("7aa7a5359173d05b63cfd682e3c38487f3cb4f7f1d60659fe59fab1505977d4c"), text: Some("new\n"), attributes: Attributes { owner: None, group: None, mode: Some(384) } })"#]].assert_eq(&predicted(content(), node().overwrite_changes().0));
}

#[test]
fn fetches_what_is_missing() {
    let url = "https://me:secret@example.com/app.tar?token=x";
    check(
        RemoteFile::url("/opt/app.tar", url)
            .sha256(digest(b"app"))
            .header("X-Key", "a\"b")
            .insecure()
            .proxy("http://proxy:3128"),
        node().without_file("/opt/app.tar"),
        expect![[r#"
            will create file
            + file root:root 0644
            + content with SHA-256 a172cedcae47474b615c54d510a5d84a8dea3032e958587430b413538be3f333
            + content from https://example.com/app.tar
            ---
            content() {
            download "$1" https://example.com/app.tar 'https://me:secret@example.com/app.tar?token=x' insecure http://proxy:3128 private 'X-Key: a\"b'
            has_checksum "$1" https://example.com/app.tar sha256sum a172cedcae47474b615c54d510a5d84a8dea3032e958587430b413538be3f333
            }
            ensure_content /opt/app.tar a172cedcae47474b615c54d510a5d84a8dea3032e958587430b413538be3f333 '' '' '' ''
        "#]],
    );
    check(
        RemoteFile::url("/opt/app.tar", url).sha256(digest(b"app")),
        node().file("/opt/app.tar", "app", 0o644),
        expect!["nothing to do"],
    );
    check(
        RemoteFile::url("/opt/app.tar", url).md5("0".repeat(32)),
        node().file("/opt/app.tar", "app", 0o644),
        expect![[r#"
        may ensure file
        - file root:root 0644
        + file ?:? ?
        - content with SHA-256 a172cedcae47474b615c54d510a5d84a8dea3032e958587430b413538be3f333
        + content from https://example.com/app.tar
        ---
        content() {
        download "$1" https://example.com/app.tar 'https://me:secret@example.com/app.tar?token=x' '' '' private
        has_checksum "$1" https://example.com/app.tar md5sum 00000000000000000000000000000000
        }
        ensure_download md5:00000000000000000000000000000000 /opt/app.tar '' '' '' ''
    "#]],
    );
    let md5 = || {
        node().file("/opt/app.tar", "app", 0o644).reading(
            &super::source::md5_of("/opt/app.tar"),
            0,
            "d2a57dc1d883fd21fb9951699df71cc7  -",
        )
    };
    check(
        RemoteFile::url("/opt/app.tar", url).md5("D2A57DC1D883FD21FB9951699DF71CC7"),
        md5(),
        expect!["nothing to do"],
    );
    check(
        RemoteFile::url("/opt/app.tar", url).md5("0".repeat(32)),
        md5(),
        expect![[r#"
        will change content
        - content with SHA-256 a172cedcae47474b615c54d510a5d84a8dea3032e958587430b413538be3f333
        + content from https://example.com/app.tar
        ---
        content() {
        download "$1" https://example.com/app.tar 'https://me:secret@example.com/app.tar?token=x' '' '' private
        has_checksum "$1" https://example.com/app.tar md5sum 00000000000000000000000000000000
        }
        ensure_download md5:00000000000000000000000000000000 /opt/app.tar '' '' '' ''
    "#]],
    );
}

#[test]
fn fetches_once_what_has_no_known_digest() {
    let url = "https://example.com/app.tar";
    let note = |of: &str| {
        node().file("/opt/app.tar", "app", 0o644).file(
            "/var/lib/pallet/origins/opt/app.tar",
            of,
            0o600,
        )
    };
    let from = format!("{}\n", digest(url.as_bytes()));
    check(RemoteFile::url("/opt/app.tar", url), note(&from), expect!["nothing to do"]);
    check(
        RemoteFile::url("/opt/app.tar", url),
        note("from elsewhere"),
        expect![[r#"
        will change content
        - content with SHA-256 a172cedcae47474b615c54d510a5d84a8dea3032e958587430b413538be3f333
        + content from https://example.com/app.tar
        ---
        content() {
        download "$1" https://example.com/app.tar https://example.com/app.tar '' '' ''
        }
        ensure_download 8d5dcee4e31859db3334d01f6bcfca360c1c844c3c4b99ef745b2d92dbabfe14 /opt/app.tar '' '' '' ''
    "#]],
    );
    check(
        RemoteFile::url("/opt/app.tar", url).checksum_url("https://example.com/SHA256SUMS"),
        note(&from),
        expect![[r#"
        will change content
        - content with SHA-256 a172cedcae47474b615c54d510a5d84a8dea3032e958587430b413538be3f333
        + content from https://example.com/app.tar
        ---
        content() {
        download "$1" https://example.com/SHA256SUMS https://example.com/SHA256SUMS '' '' ''
        list=$(cat -- "$1")
        download "$1" https://example.com/app.tar https://example.com/app.tar '' '' ''
        has_listed_checksum "$1" https://example.com/app.tar app.tar "$list"
        }
        ensure_download fdfe1ba4b3ea1f3003a470cb4a22179129987727fea646785dbd3c6e36e42df2 /opt/app.tar '' '' '' ''
    "#]],
    );
    check(
        RemoteFile::url("/opt/app.tar", url),
        note(&from).written("/opt/app.tar", "as it was"),
        expect![[r#"
        drifted content changed by hand
        - content with SHA-256 a172cedcae47474b615c54d510a5d84a8dea3032e958587430b413538be3f333
        + content from https://example.com/app.tar
        ---
    "#]],
    );
    check(
        RemoteFile::url("/opt/app.tar", url),
        node().file("/opt/app.tar", "app", 0o644),
        expect![[r#"
        may ensure file
        - file root:root 0644
        + file ?:? ?
        - content with SHA-256 a172cedcae47474b615c54d510a5d84a8dea3032e958587430b413538be3f333
        + content from https://example.com/app.tar
        ---
        content() {
        download "$1" https://example.com/app.tar https://example.com/app.tar '' '' ''
        }
        ensure_download 8d5dcee4e31859db3334d01f6bcfca360c1c844c3c4b99ef745b2d92dbabfe14 /opt/app.tar '' '' '' ''
    "#]],
    );
    let mut nobody = node().file("/opt/app.tar", "app", 0o644);
    nobody.0.user = "app".to_owned();
    check(RemoteFile::url("/opt/app.tar", url), nobody, expect!["nothing to do"]);
}

#[test]
fn copies_a_file_of_the_node() {
    let copy = || RemoteFile::copy("/etc/app.conf", "/usr/share/app/app.conf");
    let source = || node().file("/usr/share/app/app.conf", "a\n", 0o600);
    check(
        copy(),
        source().without_file("/etc/app.conf"),
        expect![[r#"
        will create file
        + file root:root 0644
        + content with SHA-256 87428fc522803d31065e7bce3cf03fe475096631e5e07bbd7a0fde60c4cf25c7
        + content of /usr/share/app/app.conf
        ---
        read_from /usr/share/app/app.conf
        content() { cat -- "$source"; }
        digest_of "$source"
        ensure_content /etc/app.conf "$digest" '' '' '' ''
    "#]],
    );
    check(
        copy(),
        source().file("/etc/app.conf", "b\n", 0o644),
        expect![[r#"
        will change content
        - content with SHA-256 0263829989b6fd954f72baaf2fc64bc2e2f01d692d4de72986ea808f6e99813f
        + content with SHA-256 87428fc522803d31065e7bce3cf03fe475096631e5e07bbd7a0fde60c4cf25c7
        + content of /usr/share/app/app.conf
        ---
        read_from /usr/share/app/app.conf
        content() { cat -- "$source"; }
        digest_of "$source"
        ensure_content /etc/app.conf "$digest" '' '' '' ''
    "#]],
    );
    check(copy(), source().file("/etc/app.conf", "a\n", 0o644), expect!["nothing to do"]);
    check(
        copy(),
        node().file("/etc/app.conf", "a\n", 0o644),
        expect![[r#"
        may ensure file
        - file root:root 0644
        + file ?:? ?
        - content with SHA-256 87428fc522803d31065e7bce3cf03fe475096631e5e07bbd7a0fde60c4cf25c7
        + content of /usr/share/app/app.conf
        ---
        read_from /usr/share/app/app.conf
        content() { cat -- "$source"; }
        digest_of "$source"
        ensure_content /etc/app.conf "$digest" '' '' '' ''
    "#]],
    );
    check(
        copy(),
        node().without_file("/usr/share/app/app.conf"),
        expect!["error: there is no file /usr/share/app/app.conf on the node to be copied"],
    );
    check(
        copy(),
        node().link("/usr/share/app/app.conf", "other"),
        expect![
            "error: /usr/share/app/app.conf is a link to other; name the file itself to be copied"
        ],
    );
    check(
        copy(),
        node().directory("/usr/share/app/app.conf", 0o755),
        expect!["error: /usr/share/app/app.conf is a directory, not a file to be copied"],
    );
}

#[test]
fn makes_a_link() {
    check(
        RemoteFile::link("/etc/app", "/opt/app"),
        node().file("/etc/app", "", 0o644),
        expect![[r#"
        will replace file by link
        - file root:root 0644
        + link to /opt/app
        - content with SHA-256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
        ---
        ensure_link /etc/app /opt/app force
    "#]],
    );
    check(
        RemoteFile::link("/etc/app", "/opt/app"),
        node().link("/etc/app", "/opt/app"),
        expect!["nothing to do"],
    );
    check(
        RemoteFile::link("/etc/app", "/opt/app").mode(0o600),
        node(),
        expect![
            "error: remote_file: a link has no owner, group, mode or verify of its own; omit them"
        ],
    );
    check(
        RemoteFile::link("/etc/app", ""),
        node(),
        expect!["error: remote_file: /etc/app needs a target to point to"],
    );
}

#[test]
fn refuses_what_cannot_be() {
    let wrong = |action: RemoteFile, expected: expect_test::Expect| check(action, node(), expected);
    wrong(
        RemoteFile::url("/a", "file:///etc/passwd"),
        expect![[
            r#"error: remote_file: the url "file:///etc/passwd" does not begin with one of http://, https://, ftp://, ftps://"#
        ]],
    );
    wrong(
        RemoteFile::url("/a", "https://me:secret@example.com/a b"),
        expect![[
            r#"error: remote_file: the url "https://example.com/a b" holds a space, quote or backslash; write %20, %22 or %5C"#
        ]],
    );
    wrong(
        RemoteFile::url("/a", "https://example.com/a").sha256("abc"),
        expect![[r#"error: remote_file: the sha256 "abc" is not 64 hexadecimal digits"#]],
    );
    wrong(
        RemoteFile::url("/a", "https://example.com/a").sha256(digest(b"")).md5("0".repeat(32)),
        expect!["error: remote_file: give at most one of sha256, md5 and checksum_url"],
    );
    wrong(
        RemoteFile::url("/a", "https://example.com/a").header("a b", "secret"),
        expect![[r#"error: remote_file: the header "a b" is not a name and a value of one line"#]],
    );
    wrong(
        RemoteFile::url("/a", "https://example.com/a").header("a", "one\ntwo"),
        expect![[r#"error: remote_file: the header "a" is not a name and a value of one line"#]],
    );
    wrong(
        RemoteFile::url("/a", "https://example.com/a").proxy("proxy:3128"),
        expect![[
            r#"error: remote_file: the proxy "proxy:3128" does not begin with one of http://, https://, socks5://, socks5h://"#
        ]],
    );
    wrong(
        RemoteFile::content("/a", "").sha256(digest(b"")),
        expect!["error: remote_file: sha256 is for a download; give url, or omit sha256"],
    );
    wrong(
        RemoteFile { url: Some("https://example.com/a".into()), ..RemoteFile::content("/a", "") },
        expect![
            "error: remote_file: give exactly one of content, local_file, template, remote_file, \
             url and link"
        ],
    );
    wrong(
        RemoteFile::copy("/a", "b"),
        expect![[r#"error: remote_file: the path "b" is not absolute; write it from /"#]],
    );
    wrong(
        RemoteFile::copy("/a", "/a"),
        expect!["error: remote_file: /a cannot be copied to itself"],
    );
}
