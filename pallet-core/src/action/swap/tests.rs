//! Tests of the action on swap space.

use super::super::check::{NodeBuilder, check, node, planned};
use super::super::{ClaimIndex, Declared};
use super::*;
use expect_test::expect;

fn file() -> Swap {
    Swap::file("/var/swap", "2G").priority(5)
}

fn device() -> Swap {
    Swap::device("/dev/vdb2")
}

fn with(swap: &Swap, differs: &str, table: &str) -> NodeBuilder {
    node().directory("/var", 0o755).reading(&swap.reading(), 0, differs).file(
        "/etc/fstab",
        table,
        0o644,
    )
}

#[test]
fn makes_what_is_missing() {
    check(
        file(),
        with(&file(), "absent", "# x\n"),
        expect![[r#"
        will create, change content
        + swap file of 2 GiB
        @@ -1 +1,2 @@
         # x
        +/var/swap none swap pri=5 0 0
        ---
        ensure_swap_file /var/swap 2147483648 5
        ensure_mount_entry /etc/fstab create '' '' '' present 'swap /var/swap' '/var/swap none swap pri=5 0 0'
    "#]],
    );
    check(
        device(),
        with(&device(), "holds \nunused", ""),
        expect![[r#"
        will make swap space, use as swap, change content
        + swap space
        @@ -0,0 +1 @@
        +/dev/vdb2 none swap defaults 0 0
        ---
        ensure_swap_device /dev/vdb2 '' ''
        ensure_mount_entry /etc/fstab create '' '' '' present 'swap /dev/vdb2' '/dev/vdb2 none swap defaults 0 0'
    "#]],
    );
}

#[test]
fn leaves_what_is_right() {
    check(file(), with(&file(), "", "/var/swap swap swap pri=5\n"), expect!["nothing to do"]);
    check(device(), with(&device(), "", "/dev/vdb2 none swap\n"), expect!["nothing to do"]);
    check(file().absent(), with(&file().absent(), "", ""), expect!["nothing to do"]);
}

#[test]
fn changes_size_priority_and_mode() {
    let right = "/var/swap none swap pri=5 0 0\n";
    check(
        file(),
        with(&file(), "size 1073741824\npriority -2", right),
        expect![[r#"
        will resize, change priority
        - 1 GiB
        + 2 GiB
        - priority -2
        + priority 5
        ---
        ensure_swap_file /var/swap 2147483648 5
    "#]],
    );
    check(
        file(),
        with(&file(), "mode 0:0:644\nunused", right),
        expect![[r#"
        will change owner or mode, use as swap
        - file 0:0:644
        + file 0:0:600
        ---
        ensure_swap_file /var/swap 2147483648 5
    "#]],
    );
    check(
        file(),
        with(&file(), "", "/var/swap none swap sw 0 0\n"),
        expect![[r#"
        will change content
        @@ -1 +1 @@
        -/var/swap none swap sw 0 0
        +/var/swap none swap pri=5 0 0
        ---
        ensure_mount_entry /etc/fstab create '' '' '' present 'swap /var/swap' '/var/swap none swap pri=5 0 0'
    "#]],
    );
}

#[test]
fn removes() {
    check(
        file().absent(),
        with(&file().absent(), "used\nfile", "/var/swap none swap sw 0 0\n"),
        expect![[r#"
            will stop using as swap, delete file, change content
            - swap file
            @@ -1 +0,0 @@
            -/var/swap none swap sw 0 0
            ---
            ensure_no_swap_space /var/swap
            ensure_mount_entry /etc/fstab leave '' '' '' absent 'swap /var/swap' ''
            ensure_absent /var/swap
        "#]],
    );
    check(
        device().absent(),
        with(&device().absent(), "used", "/dev/vdb2 none swap sw 0 0\n"),
        expect![[r#"
            will stop using as swap, change content
            @@ -1 +0,0 @@
            -/dev/vdb2 none swap sw 0 0
            ---
            ensure_no_swap_space /dev/vdb2
            ensure_mount_entry /etc/fstab leave '' '' '' absent 'swap /dev/vdb2' ''
        "#]],
    );
    check(
        file().absent(),
        with(&file().absent(), "", "/var/swap none swap sw 0 0\n"),
        expect![[r#"
            will change content
            @@ -1 +0,0 @@
            -/var/swap none swap sw 0 0
            ---
            ensure_mount_entry /etc/fstab leave '' '' '' absent 'swap /var/swap' ''
        "#]],
    );
}

#[test]
fn decides_on_the_node_what_is_not_known() {
    check(
        file(),
        node(),
        expect![[r#"
        may use as swap, edit file
        +/var/swap none swap pri=5 0 0
        ---
        ensure_swap_file /var/swap 2147483648 5
        ensure_mount_entry /etc/fstab create '' '' '' present 'swap /var/swap' '/var/swap none swap pri=5 0 0'
    "#]],
    );
    check(
        device().force(),
        node(),
        expect![[r#"
        may use as swap, edit file
        +/dev/vdb2 none swap defaults 0 0
        ---
        ensure_swap_device /dev/vdb2 '' force
        ensure_mount_entry /etc/fstab create '' '' '' present 'swap /dev/vdb2' '/dev/vdb2 none swap defaults 0 0'
    "#]],
    );
    check(
        file().absent(),
        node(),
        expect![[r#"
        may stop using as swap, delete, edit file
        ---
        ensure_no_swap_space /var/swap
        ensure_mount_entry /etc/fstab leave '' '' '' absent 'swap /var/swap' ''
        ensure_absent /var/swap
    "#]],
    );
}

#[test]
fn nothing_is_lost_by_accident() {
    let held = "holds ext4\nunused";
    check(
        device(),
        with(&device(), held, ""),
        expect![
            "error: /dev/vdb2 has ext4; force = True replaces it, and all that is on it is lost"
        ],
    );
    check(
        device().force(),
        with(&device().force(), held, ""),
        expect![[r#"
        will replace, use as swap, change content
        - ext4
        + swap space
        @@ -0,0 +1 @@
        +/dev/vdb2 none swap defaults 0 0
        ---
        ensure_swap_device /dev/vdb2 '' force
        ensure_mount_entry /etc/fstab create '' '' '' present 'swap /dev/vdb2' '/dev/vdb2 none swap defaults 0 0'
    "#]],
    );
    for (swap, differs, why) in [
        (file(), "foreign\nunused", "/var/swap is a file that is no swap space; delete it with"),
        (file(), "link", "/var/swap is a link, not a file; name where it leads"),
        (file(), "other", "/var/swap is not a file"),
        (file(), "absent\nunfit tmpfs", "no file on tmpfs can be swap space; choose another path"),
        (file().absent(), "foreign\nfile", "/var/swap is a file that is no swap space; delete it"),
        (device(), "absent", "there is no device /dev/vdb2"),
        (device(), "other", "/dev/vdb2 is not a block device"),
        (device().force(), "holds ?\nunused", "cannot tell what /dev/vdb2 has; if this node has"),
        (
            device().force(),
            "used mounted at /srv\nholds ext4\nunused",
            "/dev/vdb2 is mounted at /srv; nothing is made on a device in use",
        ),
    ] {
        let said = planned(swap.clone(), with(&swap, differs, ""));
        assert!(said.starts_with(&format!("error: {why}")), "{said}");
    }
    let no_directory = node().without_file("/var").reading(&file().reading(), 0, "absent");
    check(
        file(),
        no_directory,
        expect![[
            r#"error: there is no directory /var for /var/swap; declare directory("/var") before it"#
        ]],
    );
}

#[test]
fn refuses_what_cannot_be() {
    for (swap, why) in [
        (Swap::file("swap", "1G"), "the path \"swap\" is not absolute"),
        (Swap::file("/my swap", "1G"), "the path \"/my swap\" has a blank or a backslash"),
        (Swap::device("/swapfile"), "/swapfile has no size; give one, such as size = \"2G\""),
        (Swap::file("/swapfile", "1.5 GB"), "the size \"1.5 GB\" is not a number with M, G or T"),
        (Swap::file("/dev/vdb2", "1G"), "/dev/vdb2 is a device, which has its own size"),
        (Swap::file("/swapfile", "1G").force(), "force is for devices, and /swapfile is a file"),
        (device().priority(40_000), "a priority is from 0 to 32767"),
    ] {
        let said = planned(swap, node());
        assert!(said.starts_with(&format!("error: swap: {why}")), "{said}");
    }
}

#[test]
fn it_agrees_with_mount_or_is_refused() {
    let undone = |one: Declared, other: Declared| {
        let mut index = ClaimIndex::default();
        assert_eq!(index.add(&one, &[]), None);
        index.add(&other, &[one]).map(|(_, what)| what)
    };
    let of = |swap: Swap| Declared::of(swap);
    let mount =
        |options: &str| Declared::of(Mount::new("none", "/var/swap", "swap").options(options));
    assert_eq!(undone(of(file()), mount("pri=5")), None);
    assert_eq!(
        undone(of(file()), mount("sw")).as_deref(),
        Some("the entry of swap /var/swap in /etc/fstab")
    );
    assert_eq!(
        undone(of(file()), of(Swap::file("/var/swap", "1G").priority(5))).as_deref(),
        Some("the size of /var/swap")
    );
    assert_eq!(undone(of(file()), of(Swap::file("/var/swap", "2048M").priority(5))), None);
}
