//! A node from inside: a machine of its own, which cannot change the machine around it.

use std::fs;
use std::time::{Duration, Instant};

use pallet_core::prelude::*;

use super::bed::{Bed, made, run, script, sh, wish};
use crate::linux::sandbox::Sandbox;

#[test]
fn nodes_are_machines_of_their_own() {
    let Some(bed) = Bed::new(1) else { return };
    let start = Instant::now();
    let nodes = bed.run(&["web-1", "web-2", "web-3"]);
    let took = start.elapsed();
    assert!(took < Duration::from_secs(5), "three nodes took {took:?}");
    assert_eq!(bed.sandbox.nodes().unwrap(), nodes);
    for (node, address) in nodes.iter().zip(["10.214.1.2", "10.214.1.3", "10.214.1.4"]) {
        assert_eq!(node.address.as_deref(), Some(address));
        assert_eq!((node.group.as_deref(), node.status), (Some("web"), NodeStatus::Running));
        assert_eq!(
            sh(node, "hostname; cat /etc/hostname; pwd; id -u; echo $HOME"),
            format!(
                "{0}\n\
            {0}\n/\n0\n/root",
                node.name
            )
        );
        assert!(sh(node, "cat /etc/hosts").contains(&format!("{address} {}", node.name)));
        assert_eq!(sh(node, "tr '\\0' ' ' < /proc/1/cmdline | head -n 1"), "/bin/sh -c");
        assert!(sh(node, "ls -d /proc/[0-9]*").lines().count() < 8, "only its own processes");
        assert_eq!(
            sh(node, "env | sort | cut -d= -f1 | tr '\\n' ' '"),
            "HOME LANG LOGNAME PATH PWD SHELL TERM USER container"
        );
    }
    assert_ne!(
        sh(&nodes[0], "cat /proc/sys/kernel/random/boot_id"),
        sh(&nodes[1], "cat /proc/sys/kernel/random/boot_id")
    );
    bed.down();
}

#[test]
fn what_is_private_to_the_machine_is_hidden() {
    let Some(bed) = Bed::new(2) else { return };
    fs::write(bed.context.directory.join("pallet.toml"), "secret").unwrap();
    let inside = tempfile::tempdir_in("/usr/src").unwrap();
    fs::write(inside.path().join("secret"), "").unwrap();
    let context = ServiceContext { directory: inside.path().to_owned(), ..bed.context.clone() };
    let sandbox = Sandbox::connect(bed.options.clone(), context).unwrap();
    let node = made(run(&sandbox, &["web-1"]).remove(0)).unwrap();
    for path in [
        "/root",
        "/home",
        "/srv",
        "/mnt",
        "/media",
        "/tmp",
        "/var/tmp",
        &*inside.path().to_string_lossy(),
    ] {
        assert_eq!(sh(&node, &format!("ls -A {path}")), "", "{path}");
    }
    assert_eq!(sh(&node, "stat -c %a /tmp /root"), "1777\n700");
    assert_eq!(
        sh(&node, "ls /etc/ssh/ssh_host_* /.dockerenv /usr/sbin/policy-rc.d 2>/dev/null || :"),
        ""
    );
    assert_eq!(sh(&node, "touch /root/mine && mv /root/mine /srv/mine && ls /srv"), "mine");
    assert!(!std::path::Path::new("/srv/mine").exists());
    bed.down();
}

#[test]
fn the_machine_cannot_be_changed_from_a_node() {
    let Some(bed) = Bed::new(3) else { return };
    let node = bed.run(&["web-1"]).remove(0);
    for attempt in [
        "echo 1 > /proc/sys/vm/overcommit_memory",
        "echo x > /proc/sys/kernel/core_pattern",
        "echo h > /proc/sysrq-trigger && test ! -c /proc/sysrq-trigger",
        "mount -t devtmpfs dev /mnt",
        "mount -t proc proc /mnt",
        "mknod /tmp/disk b 8 0",
        "date -s 2001-01-01",
        "echo 1 > /sys/kernel/mm/ksm/run",
        "chroot /proc/1/root/.machine true",
        "nsenter --target 1 --mount true",
        "dmesg -C",
        "test -b /dev/vda || test -b /dev/sda",
    ] {
        assert!(!script(&node, attempt).status.success(), "{attempt}");
    }
    assert!(
        script(&node, "echo 1024 > /proc/sys/net/core/somaxconn").status.success(),
        "its own network is its own"
    );
    assert!(
        script(&node, "su -s /bin/sh nobody -c 'id -un' && chown nobody /tmp/x 2>/dev/null || :")
            .status
            .success()
    );
    bed.down();
}

#[test]
fn orphans_are_reaped() {
    let Some(bed) = Bed::new(4) else { return };
    let node = bed.run(&["web-1"]).remove(0);
    sh(&node, "sh -c 'sleep 0.2 & sleep 0.2 &'");
    let start = Instant::now();
    let stats = "cat /proc/[0-9]*/stat 2>/dev/null | grep -c sleep";
    while sh(&node, stats) != "1" {
        assert!(start.elapsed() < Duration::from_secs(5), "{}", sh(&node, "cat /proc/[0-9]*/stat"));
    }
    bed.down();
}

#[test]
fn what_is_not_there_cannot_be_made() {
    let Some(bed) = Bed::new(5) else { return };
    let error =
        |wanted: RunNodes| made(bed.sandbox.run_nodes(&wanted).unwrap().remove(0)).unwrap_err();
    let gone = Image {
        id: "plan9".into(),
        name: String::new(),
        os: None,
        login_user: None,
        min_disk: None,
    };
    let gone = error(RunNodes { image: Some(gone), ..wish("web", &["web-1"]) });
    assert_eq!(gone.kind, ErrorKind::InvalidInput);
    assert!(gone.to_string().contains("no image `plan9`"), "{gone}");
    let provider =
        [("sandbox".to_owned(), serde_json::Map::from_iter([("speed".to_owned(), json!(1))]))]
            .into();
    let option = error(RunNodes {
        spec: NodeSpec { provider, ..NodeSpec::default() },
        ..wish("web", &["web-1"])
    });
    assert!(option.to_string().contains("unknown field `speed`"), "{option}");
    assert!(!bed.context.data_directory.exists(), "nothing was begun");
}

#[test]
fn an_image_directory_is_a_root_of_its_own() {
    let Some(bed) = Bed::new(6) else { return };
    // the smallest possible image; its shell is not a program
    let image = bed.context.directory.join("image");
    for path in ["etc", "root", "var", "tmp", "bin"] {
        fs::create_dir_all(image.join(path)).unwrap();
    }
    for path in ["usr", "lib", "lib64", "sbin"] {
        fs::create_dir_all(image.join(path)).unwrap();
    }
    fs::write(image.join("etc/os-release"), "ID=alpine\nVERSION_ID=3.20\n").unwrap();
    fs::write(image.join("bin/sh"), "no program").unwrap();
    let options = crate::options::Options {
        images: [("tiny".to_owned(), "image".into())].into(),
        ..bed.options.clone()
    };
    let sandbox = Sandbox::connect(options, bed.context.clone()).unwrap();
    let images = sandbox.images(&ImageSpec::default()).unwrap();
    assert_eq!(
        images.iter().map(|image| image.id.as_str()).collect::<Vec<_>>(),
        ["machine", "tiny"]
    );
    let image = Some(images[1].clone());
    let error =
        made(sandbox.run_nodes(&RunNodes { image, ..wish("web", &["web-1"]) }).unwrap().remove(0))
            .unwrap_err();
    // the chosen image cannot run; nothing of the node remains
    assert!(error.to_string().contains("its first process"), "{error}");
    assert_eq!(bed.sandbox.nodes().unwrap(), vec![]);
    assert!(!bed.node_directory("web-1").exists());
    bed.down();
}
