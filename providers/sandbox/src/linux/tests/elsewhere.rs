//! Tests that need a process of their own: to be killed, or with a different view of the machine.
//!
//! Tests marked `ignore` are not run on their own: the tests above them run them in such a process.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use pallet_core::prelude::*;

use super::bed::{Bed, made, run, script, sh, take_down};
use crate::linux::machine;
use crate::linux::sandbox::Sandbox;

/// Tells a test in another process which bed to use.
const DIRECTORY: &str = "PALLET_TEST_DIRECTORY";

/// Runs a test of this file in another process, after `script`, with the bed in `directory`.
fn elsewhere(namespaces: &[&str], script: &str, test: &str, directory: &Path) -> Command {
    let mut command = Command::new("unshare");
    command
        .args(namespaces)
        .args(["sh", "-ec", &format!("{script}\nexec \"$@\""), "sh"])
        .arg(std::env::current_exe().unwrap());
    command
        .args(["--exact", "--ignored", "--nocapture", &format!("linux::tests::elsewhere::{test}")])
        .env(DIRECTORY, directory);
    command
}

fn succeeds(mut command: Command) {
    let output = command.output().unwrap();
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

/// The bed prepared by the other process.
fn given(number: u8) -> Option<Bed> {
    Bed::in_directory(number, Path::new(&std::env::var_os(DIRECTORY)?))
}

#[test]
fn a_creation_that_is_killed_at_any_moment_leaves_nothing_that_is_stuck() {
    let Some(bed) = Bed::new(31) else { return };
    for moment in [1, 10, 20, 35, 50, 75, 100, 140, 180, 250] {
        let mut maker = elsewhere(&["--mount"], "", "make_nodes", bed.directory())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(moment));
        maker.kill().unwrap();
        maker.wait().unwrap();
        let names: Vec<_> =
            bed.sandbox.nodes().unwrap().into_iter().map(|node| node.name).collect();
        let nodes = bed.run(&["web-1", "web-2"]);
        for node in &nodes {
            assert_eq!(sh(node, "hostname"), node.name, "after {moment} ms there was {names:?}");
        }
        let ids: Vec<_> = nodes.into_iter().map(|node| node.id).collect();
        bed.sandbox.destroy_nodes(&ids).unwrap();
        assert_eq!(bed.sandbox.nodes().unwrap(), vec![]);
    }
    bed.down();
}

#[test]
#[ignore = "runs in a process that is killed"]
fn make_nodes() {
    let Some(bed) = given(31) else { return };
    bed.run(&["web-1", "web-2"]);
    // the other process removes it
    std::mem::forget(bed);
}

#[test]
fn on_a_machine_whose_root_is_an_overlay_disks_are_in_memory() {
    if !machine::is_root() {
        return;
    }
    // as in a container: everything is on an overlay, which cannot contain another one
    let outside = tempfile::tempdir().unwrap();
    let script = format!(
        "cd {}; mkdir upper work merged; mount -t overlay -o \
         lowerdir=/,upperdir=upper,workdir=work o merged; mkdir merged/bed",
        outside.path().display()
    );
    succeeds(elsewhere(
        &["--mount"],
        &script,
        "nodes_in_memory",
        &outside.path().join("merged/bed"),
    ));
}

#[test]
#[ignore = "runs in a namespace with an overlay"]
fn nodes_in_memory() {
    let Some(bed) = given(32) else { return };
    let root = bed.directory().parent().unwrap();
    let options = crate::options::Options { image: Some(root.to_owned()), ..bed.options.clone() };
    let sandbox = crate::linux::sandbox::Sandbox::connect(options, bed.context.clone()).unwrap();
    let node = made(run(&sandbox, &["web-1"]).remove(0)).unwrap();
    assert!(node.tags["disk"].contains("in memory"), "{:?}", node.tags);
    sh(&node, "echo written > /etc/motd && test -d /usr/share");
    let process = bed.process("web-1");
    process.kill().unwrap();
    process.wait().unwrap();
    let again = made(run(&sandbox, &["web-1"]).remove(0)).unwrap();
    assert_ne!(sh(&again, "cat /etc/motd"), "written");
    assert_eq!(sh(&again, "hostname"), "web-1");

    // the machine's own root, whose private directories are hidden in a different way
    let node = made(run(&bed.sandbox, &["web-2"]).remove(0)).unwrap();
    assert_eq!(
        sh(&node, "ls -A /root /srv | tr -d '\\n'; stat -c %a /tmp /root"),
        "/root:/srv:1777\n700"
    );
    bed.down();
}

#[test]
fn file_systems_of_their_own_below_the_root_are_in_the_node() {
    let Some(bed) = Bed::new(33) else { return };
    let script = "mount --bind /var /var; mount -t tmpfs extra /opt; echo here > /opt/mark";
    succeeds(elsewhere(&["--mount"], script, "nodes_with_volumes", bed.directory()));
}

#[test]
#[ignore = "runs in a namespace with more mounts"]
fn nodes_with_volumes() {
    let Some(bed) = given(33) else { return };
    let node = bed.run(&["web-1"]).remove(0);
    assert_eq!(
        sh(&node, "cat /opt/mark; ls -A /var/tmp; grep -c '^pallet .* overlay' /proc/mounts"),
        "here\n3"
    );
    assert!(sh(&node, "cat /var/lib/dpkg/status").len() > 1000);
    sh(&node, "touch /var/tmp/mine /opt/mine && rm /opt/mark");
    assert!(Path::new("/opt/mark").exists() && !Path::new("/opt/mine").exists());
    bed.down();
}

#[test]
fn without_namespaces_or_a_way_out_it_says_so() {
    let Some(bed) = Bed::new(34) else { return };
    succeeds(elsewhere(&["--mount", "--net"], "", "nodes_without_outside", bed.directory()));
    // without the capability to create namespaces, and without root
    let confined = "exec setpriv --bounding-set=-sys_admin --inh-caps=-all \"$@\"";
    succeeds(elsewhere(&["--mount"], confined, "nodes_that_cannot_be", bed.directory()));
    let nobody = format!(
        "chmod 755 '{0}' && exec setpriv --reuid=65534 --regid=65534 --clear-groups \"$@\"",
        bed.directory().display()
    );
    succeeds(elsewhere(&["--mount"], &nobody, "nodes_that_need_root", bed.directory()));
}

#[test]
#[ignore = "runs in a network namespace"]
fn nodes_without_outside() {
    let Some(bed) = given(34) else { return };
    let node = bed.run(&["web-1"]).remove(0);
    assert_eq!(node.tags["network"], "no outside: the machine has no route to the outside");
    assert_eq!(
        sh(&node, "tail -n +2 /proc/net/route | wc -l"),
        "1",
        "its own network, and no default route"
    );
    bed.down();
}

#[test]
fn a_machine_whose_inotify_instances_are_used_up_says_so() {
    let Some(bed) = Bed::new(37) else { return };
    // the limit of this user namespace alone
    let script = "echo 5 >/proc/sys/user/max_inotify_instances";
    let namespaces = ["--mount", "--user", "--map-root-user"];
    succeeds(elsewhere(&namespaces, script, "too_few_instances", bed.directory()));
}

#[test]
#[ignore = "runs in a namespace with a limit"]
fn too_few_instances() {
    if std::env::var_os(DIRECTORY).is_none() {
        return;
    }
    assert_eq!(machine::inotify_instances(5).unwrap().len(), 5);
    let error = PluginError::from(machine::inotify_instances(6).unwrap_err());
    assert!(error.message.contains("not enough inotify instances"), "{error}");
    assert!(error.help.contains("fs.inotify.max_user_instances"), "{error}");
    // they were given back
    machine::inotify_instances(5).unwrap();
}

#[test]
fn a_firewall_that_drops_what_is_forwarded_lets_nodes_through() {
    let Some(bed) = Bed::new(35) else { return };
    if machine::program("nft").is_none() || machine::program("ip").is_none() {
        return;
    }
    let script =
        "ip link add out type veth peer name far; ip addr add 192.0.2.1/24 dev out; ip link set \
         out up; ip route add default via 192.0.2.2
        nft add table ip filter; nft add chain ip filter FORWARD \
         '{ type filter hook forward priority 0; policy drop; }'
        nft add rule ip filter FORWARD counter; nft add table inet own
        nft add chain inet own through '{ type filter hook forward priority 0; policy accept; }'";
    succeeds(elsewhere(&["--mount", "--net"], script, "nodes_behind_a_firewall", bed.directory()));
}

#[test]
#[ignore = "runs in a network namespace with a firewall"]
fn nodes_behind_a_firewall() {
    let Some(bed) = given(35) else { return };
    let rules = || {
        let output = Command::new("nft").args(["list", "ruleset"]).output().unwrap();
        String::from_utf8_lossy(&output.stdout).replace("packets 0 bytes 0 ", "")
    };
    let forward = || std::fs::read_to_string("/proc/sys/net/ipv4/ip_forward").unwrap();
    let (before, forward_before) = (rules(), forward());
    let node = bed.run(&["web-1"]).remove(0);
    assert_eq!(node.tags.get("network"), None);
    bed.run(&["web-2"]);
    let now = rules();
    assert_eq!(
        now.matches("accept comment \"pallet-ptest35\"").count(),
        2,
        "once for each direction, however often it is made:\n{now}"
    );
    assert!(now.contains("ip saddr 10.214.35.0/24 oifname != \"ptest35\" masquerade"), "{now}");
    assert_eq!(sh(&node, "tail -n +2 /proc/net/route | wc -l"), "2");
    assert_eq!(forward(), "1\n");
    bed.down();
    assert_eq!((rules(), forward()), (before, forward_before));
}

#[test]
fn each_bridge_goes_with_its_last_node_and_the_last_one_sets_ip_forward_back() {
    let Some(bed) = Bed::new(36) else { return };
    if machine::program("nft").is_none() || machine::program("ip").is_none() {
        return;
    }
    let script =
        "ip link add out type veth peer name far; ip addr add 192.0.2.1/24 dev out; ip link set \
         out up; ip route add default via 192.0.2.2
        echo 0 > /proc/sys/net/ipv4/ip_forward";
    succeeds(elsewhere(&["--mount", "--net"], script, "two_bridges", bed.directory()));
}

#[test]
#[ignore = "runs in a network namespace"]
fn two_bridges() {
    let Some(bed) = given(36) else { return };
    let service = |bridge: &str, network: &str, data: &str| {
        let options = crate::options::Options {
            bridge: bridge.into(),
            network: network.into(),
            ..bed.options.clone()
        };
        let context = ServiceContext {
            project: bridge.into(),
            data_directory: bed.directory().join(data),
            ..bed.context.clone()
        };
        Sandbox::connect(options, context).unwrap()
    };
    let forward =
        || std::fs::read_to_string("/proc/sys/net/ipv4/ip_forward").unwrap().trim().to_owned();
    let tables = || {
        let output = Command::new("nft").args(["list", "tables"]).output().unwrap();
        String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect::<Vec<_>>()
    };
    // /sys is still that of the outer namespace
    let devices = || std::fs::read_to_string("/proc/net/dev").unwrap();
    let bridges = || {
        ["br1", "br2"]
            .into_iter()
            .filter(|name| devices().contains(&format!("{name}:")))
            .collect::<Vec<_>>()
    };
    for data in ["one", "two"] {
        for first in [0, 1] {
            let both =
                [service("br1", "10.215.1.0/24", "one"), service("br2", "10.215.2.0/24", data)];
            for one in &both {
                made(run(one, &["web-1"]).remove(0)).unwrap();
            }
            assert_eq!((forward(), bridges(), tables().len()), ("1".into(), vec!["br1", "br2"], 2));
            take_down(&both[first]).unwrap();
            let rest = ["br2", "br1"][first];
            assert_eq!(
                (forward(), bridges(), tables()),
                ("1".into(), vec![rest], vec![format!("table ip pallet-{rest}")])
            );
            assert!(
                both[1 - first]
                    .nodes()
                    .unwrap()
                    .iter()
                    .all(|node| script(node, "true").status.success())
            );
            take_down(&both[1 - first]).unwrap();
            assert_eq!(
                (forward(), bridges(), tables()),
                ("0".into(), vec![], vec![]),
                "{data}, {first} first"
            );
        }
    }

    // a clean-up also removes leftovers of earlier ones, even if they are only rules
    let one = service("br1", "10.215.1.0/24", "one");
    one.network.ensure().unwrap();
    assert_eq!((forward(), bridges()), ("1".into(), vec!["br1"]));
    one.clean_up().unwrap();
    assert_eq!((forward(), bridges(), tables()), ("0".into(), vec![], vec![]));
    one.network.ensure().unwrap();
    assert!(Command::new("ip").args(["link", "delete", "br1"]).status().unwrap().success());
    one.clean_up().unwrap();
    assert_eq!(tables(), Vec::<String>::new());

    // after the option `bridge` is changed, no service uses the old bridge
    made(run(&one, &["web-1"]).remove(0)).unwrap();
    let options = crate::options::Options {
        bridge: "br2".into(),
        network: "10.215.2.0/24".into(),
        ..bed.options.clone()
    };
    let context = ServiceContext {
        project: "br1".into(),
        data_directory: bed.directory().join("one"),
        ..bed.context.clone()
    };
    take_down(&Sandbox::connect(options, context).unwrap()).unwrap();
    assert_eq!((bridges(), tables()), (vec![], vec![]));
    assert!(!bed.directory().join("one").exists() && !bed.directory().join("two").exists());
}

#[test]
#[ignore = "runs without the capability to make namespaces"]
fn nodes_that_cannot_be() {
    let Some(bed) = given(34) else { return };
    let error = made(run(&bed.sandbox, &["web-1"]).remove(0)).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unsupported, "{error}");
    assert!(error.to_string().contains("may not create namespaces"), "{error}");
    assert!(!bed.node_directory("web-1").exists());
}

#[test]
#[ignore = "runs as another user"]
fn nodes_that_need_root() {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let context =
        ServiceContext { data_directory: Path::new(&directory).join("none"), ..Default::default() };
    let options = serde_json::from_value(json!({})).unwrap();
    let sandbox = crate::linux::sandbox::Sandbox::connect(options, context).unwrap();
    assert_eq!(sandbox.nodes().unwrap(), vec![]);
    let error =
        PluginError::from(sandbox.run_nodes(&super::bed::wish("web", &["web-1"])).unwrap_err());
    assert_eq!(error.kind, ErrorKind::Unsupported);
    assert!(
        error.to_string().contains("needs root") && error.to_string().contains("node-list"),
        "{error}"
    );
}
