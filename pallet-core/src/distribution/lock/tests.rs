//! Tests of reading and writing locks, and of one-line errors for invalid ones.

use expect_test::{Expect, expect};

use super::{Accepted, Lock, LockedContent, LockedPlugin, LockedTarget};
use crate::distribution::artifact::Digest;
use crate::distribution::resolve::Package;
use crate::distribution::signature::{Identity, PublicKey, Signer};
use crate::model::PluginKind;

fn key() -> PublicKey {
    "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=".parse().unwrap()
}

fn nginx() -> LockedPlugin {
    let target = |name: &str| LockedTarget {
        content: LockedContent::Manifest(Digest::of(name.as_bytes())),
        h1: format!("h1:{name}="),
    };
    LockedPlugin {
        kind: PluginKind::Crate,
        name: "nginx".into(),
        version: "1.2.0".parse().unwrap(),
        source: "oci://ghcr.io/acme/pallet/crate/nginx".parse().unwrap(),
        requirement: Some("^1.2".parse().unwrap()),
        requires: [("tls".into(), "^2".parse().unwrap())].into(),
        index: Some(Digest::of(b"index")),
        signer: Some(Signer::Key(key())),
        accepted: None,
        targets: ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"]
            .map(|name| (name.to_owned(), target(name)))
            .into(),
    }
}

/// A plugin that a workflow signed.
fn by_identity() -> LockedPlugin {
    let identity = Identity {
        identity: "https://github.com/acme/redis/.github/workflows/release.yml@refs/tags/v1".into(),
        issuer: "https://token.actions.githubusercontent.com".into(),
    };
    LockedPlugin { name: "redis".into(), signer: Some(Signer::Identity(identity)), ..nginx() }
}

fn lock(plugins: impl IntoIterator<Item = LockedPlugin>) -> Lock {
    let mut lock = Lock::default();
    plugins.into_iter().for_each(|plugin| lock.insert(plugin));
    lock
}

#[track_caller]
fn refused(text: &str, expected: Expect) {
    let message = Lock::parse(text).unwrap_err();
    assert!(!message.contains('\n'), "{message}");
    expected.assert_eq(&message);
}

#[test]
fn it_is_written_and_read_alike() {
    let local = LockedPlugin {
        name: "mine \"quoted\"".into(),
        source: "file:./lib/libpallet_crate_mine.so".parse().unwrap(),
        requirement: None,
        requires: Default::default(),
        index: None,
        signer: None,
        targets: [(
            "x86_64-unknown-linux-gnu".to_owned(),
            LockedTarget { content: LockedContent::File(Digest::of(b"x")), h1: "h1:a=".into() },
        )]
        .into(),
        ..nginx()
    };
    let archive = LockedPlugin {
        kind: PluginKind::Provider,
        source: "archive:../plugins.tar#provider/nginx".parse().unwrap(),
        signer: None,
        accepted: Some(Accepted::Unsigned),
        ..nginx()
    };
    let lock = lock([local, nginx(), archive, by_identity()]);
    assert_eq!(Lock::parse(&lock.to_string()), Ok(lock));
}

#[test]
fn it_is_sorted_and_holds_every_build() {
    expect![[r##"
        # Written by pallet-cli: `pallet-cli install` installs exactly this. Keep it with pallet.toml.
        version = 1

        [[plugin]]
        kind = "crate"
        name = "nginx"
        version = "1.2.0"
        source = "oci://ghcr.io/acme/pallet/crate/nginx"
        requirement = "^1.2"
        index = "sha256:1bc04b5291c26a46d918139138b992d2de976d6851d0893b0476b85bfbdfc6e6"
        signer = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="
        requires = { "tls" = "^2" }
        [plugin.targets]
        "aarch64-unknown-linux-gnu" = { manifest = "sha256:86bf552cb29f61118330fb817bc3819ddbade898c26ec8c0a3c825f4bc5e2e27", h1 = "h1:aarch64-unknown-linux-gnu=" }
        "x86_64-unknown-linux-gnu" = { manifest = "sha256:1bb87e07be9e52fc0dca53a1c0718fac23e8b4202b9c346e12f075762507a544", h1 = "h1:x86_64-unknown-linux-gnu=" }
    "##]]
    .assert_eq(&lock([nginx()]).to_string());
    let identity = lock([by_identity()]).to_string();
    let line = identity.lines().find(|line| line.starts_with("signer")).unwrap();
    expect![[r#"signer = { identity = "https://github.com/acme/redis/.github/workflows/release.yml@refs/tags/v1", issuer = "https://token.actions.githubusercontent.com" }"#]].assert_eq(line);
    let first = LockedPlugin { name: "apache".into(), ..nginx() };
    assert_eq!(lock([nginx(), first.clone()]).to_string(), lock([first, nginx()]).to_string());
}

#[test]
fn more_builds_are_growth_and_other_builds_are_not() {
    let (old, mut new) = (nginx(), nginx());
    new.index = Some(Digest::of(b"other"));
    new.targets.insert(
        "riscv64gc-unknown-linux-gnu".into(),
        LockedTarget { content: LockedContent::Manifest(Digest::of(b"r")), h1: "h1:r=".into() },
    );
    assert!(old.grown(&new));
    assert!(!new.grown(&old));
    assert!(!old.grown(&LockedPlugin { signer: None, ..new.clone() }));
    new.targets.get_mut("x86_64-unknown-linux-gnu").unwrap().h1 = "h1:changed=".into();
    assert!(!old.grown(&new));
}

#[test]
fn what_is_no_lock_is_refused_in_one_line() {
    let good = lock([nginx()]).to_string();
    refused(
        "version = 7\n",
        expect!["has format 7 and needs a newer pallet; this one reads format 1"],
    );
    refused(
        "",
        expect![[
            r#"cannot be read: missing field `version`; restore it, or delete it and run `pallet-cli install`"#
        ]],
    );
    refused(
        &good.replace(
            "signer = \"MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\"\n",
            "",
        ),
        expect![
            "crate nginx: it has no `signer`, and that was not accepted; restore it, or delete \
                it and run `pallet-cli install`"
        ],
    );
    refused(
        &good.replace(
            "signer = \"MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\"\n",
            "<<<<<<< HEAD\nsigner = \
             \"MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\"\n",
        ),
        expect![
            "line 11: holds both sides of a merge; take one of them and run `pallet-cli install`"
        ],
    );
    refused(
        &good.replace("version = \"1.2.0\"", "version = \"new\""),
        expect![
            "cannot be read: unexpected character 'n' while parsing major version number; restore \
             it, or delete it and run `pallet-cli install`"
        ],
    );
    refused(
        &good.replace("sha256:", "sha1:"),
        expect![[
            r#"cannot be read: "sha1:1bc04b5291c26a46d918139138b992d2de976d6851d0893b0476b85bfbdfc6e6" is not a digest; write sha256: and 64 hexadecimal digits; restore it, or delete it and run `pallet-cli install`"#
        ]],
    );
    refused(
        &lock([by_identity()]).to_string().replace(", issuer =", ", publisher ="),
        expect![
            "cannot be read: a signer is a public key, or a table of `identity` and `issuer`; \
             restore it, or delete it and run `pallet-cli install`"
        ],
    );
    let twice = good.clone() + good.split_once("\n\n").unwrap().1;
    refused(
        &twice,
        expect!["has crate nginx twice; restore it, or delete it and run `pallet-cli install`"],
    );
}

#[test]
fn a_file_is_replaced_whole_and_only_when_it_changes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pallet.lock");
    assert_eq!(Lock::read(&path).unwrap(), None);
    let lock = lock([nginx()]);
    lock.write(&path).unwrap();
    let inode = |path: &std::path::Path| {
        std::os::unix::fs::MetadataExt::ino(&std::fs::metadata(path).unwrap())
    };
    let first = inode(&path);
    lock.write(&path).unwrap();
    assert_eq!(inode(&path), first);
    assert_eq!(
        Lock::read(&path).unwrap().unwrap().get(&Package::config_crate("nginx")),
        Some(&nginx())
    );
    Lock::default().write(&path).unwrap();
    assert!(Lock::read(&path).unwrap().unwrap().is_empty());
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "no other file stays");
}
