//! Tests of `remote_directory`.

use super::super::check::{check, node};
use super::*;
use crate::model::{Known, digest};
use expect_test::expect;

fn app() -> RemoteDirectory {
    RemoteDirectory::url("/opt/app", "https://me:secret@example.com/app.tar.gz?token=x")
        .sha256(digest(b"app"))
        .strip_components(1)
}

fn unpacked(action: &RemoteDirectory) -> super::super::check::NodeBuilder {
    let record = format!("{} {}\n", digest(b"app"), action.unpacking().how());
    node().directory("/opt/app", 0o755).file("/opt/app/.pallet.directory", &record, 0o644)
}

#[test]
fn unpacks_what_is_missing() {
    check(
        app().mode(0o750),
        node().without_file("/opt/app"),
        expect![[r#"
        will unpack https://example.com/app.tar.gz
        + directory root:root 0750
        + content of https://example.com/app.tar.gz
        ---
        unpacked_anew=1
        archive=
        content() {
        download "$1" https://example.com/app.tar.gz 'https://me:secret@example.com/app.tar.gz?token=x' '' '' private
        has_checksum "$1" https://example.com/app.tar.gz sha256sum a172cedcae47474b615c54d510a5d84a8dea3032e958587430b413538be3f333
        }
        unpacked_as b6aec2d3ff5cc88a-f89b01c038f551d6.d10974d6e8ed8cd5
        ensure_unpacked /opt/app 'a172cedcae47474b615c54d510a5d84a8dea3032e958587430b413538be3f333 efbd7aab6171462222831e6a38ab665b9db57909fd50d91d081f20f4b64d079c' '' '' 0750 tar 1
    "#]],
    );
    check(
        app().extract_files(["bin", "it's"]).owner("app"),
        node().directory("/opt/app", 0o755),
        expect![[r#"
        will ensure it is unpacked: https://example.com/app.tar.gz
        - directory root:root 0755
        + directory app:root 0755
        + content of https://example.com/app.tar.gz
        ---
        unpacked_anew=
        archive=
        content() {
        download "$1" https://example.com/app.tar.gz 'https://me:secret@example.com/app.tar.gz?token=x' '' '' private
        has_checksum "$1" https://example.com/app.tar.gz sha256sum a172cedcae47474b615c54d510a5d84a8dea3032e958587430b413538be3f333
        }
        unpacked_as b6aec2d3ff5cc88a-2d23df556627c4cb.4e0808ded424a123
        ensure_unpacked /opt/app 'a172cedcae47474b615c54d510a5d84a8dea3032e958587430b413538be3f333 f00ee603ef60f3b3e590b77e6f8b069ef34fa7279891c81e70b0e20cc2296372' app '' '' tar 1 bin 'it'\''s'
        ensure_owners /opt/app app ''
    "#]],
    );
    check(
        app().strip_components(0),
        unpacked(&app()),
        expect![[r#"
        may ensure it is unpacked: https://example.com/app.tar.gz
        + content of https://example.com/app.tar.gz
        ---
        unpacked_anew=
        archive=
        content() {
        download "$1" https://example.com/app.tar.gz 'https://me:secret@example.com/app.tar.gz?token=x' '' '' private
        has_checksum "$1" https://example.com/app.tar.gz sha256sum a172cedcae47474b615c54d510a5d84a8dea3032e958587430b413538be3f333
        }
        unpacked_as b6aec2d3ff5cc88a-0fc23ba2d0991b07.31401ce12e73262a
        ensure_unpacked /opt/app 'a172cedcae47474b615c54d510a5d84a8dea3032e958587430b413538be3f333 b9554caf7b230021a6da329dbba2173a1cd496dcd5a73a352df4bb8bcf55d288' '' '' '' tar 0
    "#]],
    );
    let node_archive = || RemoteDirectory::remote_file("/opt/app", "/srv/app.jar");
    check(
        node_archive(),
        node().without_file("/opt/app").file("/srv/app.jar", "app", 0o644),
        expect![[r#"
        will unpack /srv/app.jar
        + directory root:root 0755
        + content of /srv/app.jar
        ---
        unpacked_anew=1
        read_from /srv/app.jar
        archive=$source
        digest_of "$archive"
        unpacked_as b6aec2d3ff5cc88a-2d6fb382e93b0914.61ee74372c0ef3ee
        ensure_unpacked /opt/app "$digest 13312c90d4649ebd6163ec0b8818402bf6a610b06bc544300a3131b485d5af51" '' '' '' zip 0
    "#]],
    );
}

#[test]
fn leaves_what_is_unpacked() {
    check(
        app(),
        unpacked(&app()),
        expect![[r#"
        may ensure it is unpacked: https://example.com/app.tar.gz
        + content of https://example.com/app.tar.gz
        ---
        unpacked_anew=
        archive=
        content() {
        download "$1" https://example.com/app.tar.gz 'https://me:secret@example.com/app.tar.gz?token=x' '' '' private
        has_checksum "$1" https://example.com/app.tar.gz sha256sum a172cedcae47474b615c54d510a5d84a8dea3032e958587430b413538be3f333
        }
        unpacked_as b6aec2d3ff5cc88a-f89b01c038f551d6.d10974d6e8ed8cd5
        ensure_unpacked /opt/app 'a172cedcae47474b615c54d510a5d84a8dea3032e958587430b413538be3f333 efbd7aab6171462222831e6a38ab665b9db57909fd50d91d081f20f4b64d079c' '' '' '' tar 1
    "#]],
    );
    check(
        app().mode(0o700),
        unpacked(&app()),
        expect![[r#"
        will ensure it is unpacked: https://example.com/app.tar.gz
        - directory root:root 0755
        + directory root:root 0700
        + content of https://example.com/app.tar.gz
        ---
        unpacked_anew=
        archive=
        content() {
        download "$1" https://example.com/app.tar.gz 'https://me:secret@example.com/app.tar.gz?token=x' '' '' private
        has_checksum "$1" https://example.com/app.tar.gz sha256sum a172cedcae47474b615c54d510a5d84a8dea3032e958587430b413538be3f333
        }
        unpacked_as b6aec2d3ff5cc88a-f89b01c038f551d6.d10974d6e8ed8cd5
        ensure_unpacked /opt/app 'a172cedcae47474b615c54d510a5d84a8dea3032e958587430b413538be3f333 efbd7aab6171462222831e6a38ab665b9db57909fd50d91d081f20f4b64d079c' '' '' 0700 tar 1
    "#]],
    );
    let find = "find /opt/app \\( ! -user root \\) -print -quit";
    check(
        app().owner("root"),
        unpacked(&app()).reading(find, 0, ""),
        expect![[r#"
        may ensure it is unpacked: https://example.com/app.tar.gz
        + content of https://example.com/app.tar.gz
        ---
        unpacked_anew=
        archive=
        content() {
        download "$1" https://example.com/app.tar.gz 'https://me:secret@example.com/app.tar.gz?token=x' '' '' private
        has_checksum "$1" https://example.com/app.tar.gz sha256sum a172cedcae47474b615c54d510a5d84a8dea3032e958587430b413538be3f333
        }
        unpacked_as b6aec2d3ff5cc88a-f89b01c038f551d6.d10974d6e8ed8cd5
        ensure_unpacked /opt/app 'a172cedcae47474b615c54d510a5d84a8dea3032e958587430b413538be3f333 efbd7aab6171462222831e6a38ab665b9db57909fd50d91d081f20f4b64d079c' root '' '' tar 1
        ensure_owners /opt/app root ''
    "#]],
    );
    check(
        app().owner("root"),
        unpacked(&app()).reading(find, 0, "/opt/app/x"),
        expect![[r#"
        will ensure it is unpacked: https://example.com/app.tar.gz
        + content of https://example.com/app.tar.gz
        ---
        unpacked_anew=
        archive=
        content() {
        download "$1" https://example.com/app.tar.gz 'https://me:secret@example.com/app.tar.gz?token=x' '' '' private
        has_checksum "$1" https://example.com/app.tar.gz sha256sum a172cedcae47474b615c54d510a5d84a8dea3032e958587430b413538be3f333
        }
        unpacked_as b6aec2d3ff5cc88a-f89b01c038f551d6.d10974d6e8ed8cd5
        ensure_unpacked /opt/app 'a172cedcae47474b615c54d510a5d84a8dea3032e958587430b413538be3f333 efbd7aab6171462222831e6a38ab665b9db57909fd50d91d081f20f4b64d079c' root '' '' tar 1
        ensure_owners /opt/app root ''
    "#]],
    );
    let action = RemoteDirectory::remote_file("/opt/app", "/srv/app.tar");
    check(
        action.clone(),
        unpacked(&action).file("/srv/app.tar", "app", 0o644),
        expect![[r#"
        may ensure it is unpacked: /srv/app.tar
        + content of /srv/app.tar
        ---
        unpacked_anew=
        read_from /srv/app.tar
        archive=$source
        digest_of "$archive"
        unpacked_as b6aec2d3ff5cc88a-bfb94df1b9483f01.5ba670fecbd246a6
        ensure_unpacked /opt/app "$digest b9554caf7b230021a6da329dbba2173a1cd496dcd5a73a352df4bb8bcf55d288" '' '' '' tar 0
    "#]],
    );
}

#[test]
fn decides_on_the_node_what_is_not_known() {
    check(
        app(),
        node(),
        expect![[r#"
        may ensure it is unpacked: https://example.com/app.tar.gz
        + content of https://example.com/app.tar.gz
        ---
        unpacked_anew=
        archive=
        content() {
        download "$1" https://example.com/app.tar.gz 'https://me:secret@example.com/app.tar.gz?token=x' '' '' private
        has_checksum "$1" https://example.com/app.tar.gz sha256sum a172cedcae47474b615c54d510a5d84a8dea3032e958587430b413538be3f333
        }
        unpacked_as b6aec2d3ff5cc88a-f89b01c038f551d6.d10974d6e8ed8cd5
        ensure_unpacked /opt/app 'a172cedcae47474b615c54d510a5d84a8dea3032e958587430b413538be3f333 efbd7aab6171462222831e6a38ab665b9db57909fd50d91d081f20f4b64d079c' '' '' '' tar 1
    "#]],
    );
    check(
        RemoteDirectory::remote_file("/opt/app", "/srv/app.zip"),
        unpacked(&app()),
        expect![[r#"
        may ensure it is unpacked: /srv/app.zip
        + content of /srv/app.zip
        ---
        unpacked_anew=
        read_from /srv/app.zip
        archive=$source
        digest_of "$archive"
        unpacked_as b6aec2d3ff5cc88a-6616ae4f7910fd5f.b8a17b02d9a0845c
        ensure_unpacked /opt/app "$digest 13312c90d4649ebd6163ec0b8818402bf6a610b06bc544300a3131b485d5af51" '' '' '' zip 0
    "#]],
    );
}

#[test]
fn what_was_known_of_what_is_in_it_is_forgotten() {
    let mut state = node()
        .directory("/opt/app", 0o755)
        .file("/opt/app/x", "", 0o644)
        .without_file("/opt/app/.pallet.directory")
        .0;
    let mut action = app();
    action.prepare(&super::super::check::NoWorkspace).expect("it is right");
    action.plan(&mut state).expect("it can be planned").expect("it changes");
    assert_eq!(state.file("/opt/app/x"), Known::Unknown);
    assert!(action.plan(&mut state).expect("it can be planned").is_none());
}

#[test]
fn refuses_what_cannot_be() {
    let wrong =
        |action: RemoteDirectory, expected: expect_test::Expect| check(action, node(), expected);
    wrong(
        RemoteDirectory::at("/opt/app"),
        expect!["error: remote_directory: give exactly one of local_file, remote_file and url"],
    );
    wrong(
        RemoteDirectory::local_file("/opt/app", "app.tar"),
        expect!["error: there is no file app.tar"],
    );
    wrong(
        app().unpack(Unpack::Zip),
        expect![
            "error: remote_directory: strip_components is for tar \
        files; a zip file is unpacked with its names as they are"
        ],
    );
    wrong(
        app().extract_files(["../x"]),
        expect![[
            r#"error: remote_directory: "../x" in extract_files cannot be the name of a file in an archive"#
        ]],
    );
    wrong(
        app().extract_files(["-x"]),
        expect![[
            r#"error: remote_directory: "-x" in extract_files cannot be the name of a file in an archive"#
        ]],
    );
    wrong(
        RemoteDirectory {
            md5: Some("x".into()),
            ..RemoteDirectory::remote_file("/opt/app", "/srv/app.tar")
        },
        expect!["error: remote_directory: md5 is for a download; give url, or omit md5"],
    );
    wrong(
        RemoteDirectory::remote_file("/opt/app", "app.tar"),
        expect![[
            r#"error: remote_directory: the path "app.tar" is not absolute; write it from /"#
        ]],
    );
    check(
        RemoteDirectory::remote_file("/opt/app", "/srv/app.tar"),
        node().directory("/opt/app", 0o755).without_file("/srv/app.tar"),
        expect!["error: there is no archive /srv/app.tar on the node"],
    );
    check(
        app(),
        node().file("/opt/app", "", 0o644),
        expect![[
            r#"error: /opt/app is a file, not a directory; delete it with file("/opt/app", action = "delete") before"#
        ]],
    );
}
