//! Tests of the action on file systems.

use super::super::check::{NodeBuilder, check, node, planned};
use super::super::{ClaimIndex, Declared};
use super::*;
use FilesystemType::{Ext4, Vfat, Xfs};
use expect_test::expect;

fn data() -> Filesystem {
    Filesystem::new("/dev/vdb1", Ext4).label("data").options(["-m", "0"])
}

fn with(filesystem: &Filesystem, differs: &str) -> NodeBuilder {
    node().reading(&filesystem.reading(), 0, differs)
}

#[test]
fn makes_what_is_missing() {
    check(
        data(),
        with(&data(), "holds "),
        expect![[r#"
        will make ext4
        + ext4
        ---
        ensure_filesystem /dev/vdb1 ext4 data '' '' -m 0
    "#]],
    );
    check(
        data().force(),
        with(&data(), "holds a partition table (gpt)"),
        expect![[r#"
        will replace by ext4
        - a partition table (gpt)
        + ext4
        ---
        ensure_filesystem /dev/vdb1 ext4 data force '' -m 0
    "#]],
    );
}

#[test]
fn leaves_what_is_right() {
    check(data(), with(&data(), ""), expect!["nothing to do"]);
    check(data().force().resize(), with(&data().resize(), ""), expect!["nothing to do"]);
}

#[test]
fn labels_and_grows() {
    check(
        data(),
        with(&data(), "label "),
        expect![[r#"
        will change label
        + label data
        ---
        ensure_filesystem /dev/vdb1 ext4 data '' '' -m 0
    "#]],
    );
    check(
        data().resize(),
        with(&data().resize(), "label old name\ngrow 1000 2000"),
        expect![[r#"
            will change label, grow
            - label old name
            + label data
            - 1000 bytes
            + 2000 bytes
            ---
            ensure_filesystem /dev/vdb1 ext4 data '' resize -m 0
        "#]],
    );
}

#[test]
fn decides_on_the_node_what_is_not_known() {
    check(
        Filesystem::new("/dev/vdb", Xfs).force().resize(),
        node(),
        expect![[r#"
        may make xfs
        + xfs
        ---
        ensure_filesystem /dev/vdb xfs '' force resize
    "#]],
    );
}

#[test]
fn nothing_is_lost_by_accident() {
    for (filesystem, differs, why) in [
        (data(), "holds xfs", "/dev/vdb1 has xfs; force = True replaces it, and all that is on it"),
        (data(), "holds LVM2_member", "/dev/vdb1 has LVM2_member; force = True replaces it"),
        (data().force(), "holds ?", "cannot tell what /dev/vdb1 has; if this node has no blkid of"),
        (
            data().force(),
            "used mounted at /srv\nholds xfs",
            "/dev/vdb1 is mounted at /srv; nothing is made on a device in use",
        ),
        (data(), "absent", "there is no device /dev/vdb1"),
        (data(), "other", "/dev/vdb1 is not a block device"),
        (
            data(),
            "lacks mkfs.ext4 e2fsprogs\nholds ",
            "ext4 on /dev/vdb1 needs mkfs.ext4; declare package(\"e2fsprogs\") before it",
        ),
    ] {
        let said = planned(filesystem.clone(), with(&filesystem, differs));
        assert!(said.starts_with(&format!("error: {why}")), "{said}");
    }
}

#[test]
fn refuses_what_cannot_be() {
    for (filesystem, why) in [
        (Filesystem::new("vdb", Ext4), "the path \"vdb\" is not absolute"),
        (Filesystem::new("/dev/vdb", Vfat).resize(), "vfat cannot grow"),
        (Filesystem::new("/dev/vdb", Vfat).label("efi"), "the label \"efi\" of vfat is not of"),
        (data().options(["\0"]), "the option \"\\0\" holds a NUL"),
    ] {
        let said = planned(filesystem, node());
        assert!(said.starts_with(&format!("error: filesystem: {why}")), "{said}");
    }
    let swap = serde_json::json!({"device": "/dev/vdb", "type": "swap"});
    let error = serde_json::from_value::<Filesystem>(swap).unwrap_err().to_string();
    assert!(error.contains("expected one of `ext4`, `xfs`, `btrfs`, `vfat`"), "{error}");
}

#[test]
fn one_device_has_one_file_system() {
    let undone = |one: Filesystem, other: Filesystem| {
        let (one, other) = (Declared::of(one), Declared::of(other));
        let mut index = ClaimIndex::default();
        assert_eq!(index.add(&one, &[]), None);
        index.add(&other, &[one]).map(|(_, what)| what)
    };
    let other = |kind| Filesystem::new("/dev/vdb1", kind);
    assert_eq!(undone(data(), other(Ext4).resize()), None);
    assert_eq!(undone(data(), other(Xfs)).as_deref(), Some("the file system of /dev/vdb1"));
    assert_eq!(undone(data(), other(Ext4).label("x")).as_deref(), Some("the label of /dev/vdb1"));
}
