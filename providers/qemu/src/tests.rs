//! Tests of the life of nodes, with a script instead of QEMU. The disks are real: without qemu-img
//! these tests do nothing.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::*;
use crate::service::ADDRESS;

/// Emulates `-daemonize -pidfile FILE`, and runs as long as that file exists.
const PROGRAM: &str = r#"#!/bin/sh
while [ $# -gt 0 ]; do
  case $1 in -pidfile) file=$2 ;; -chardev) console=${2#*path=} ;; esac
  shift
done
echo 'Linux version 6' >"$console"
setsid sh -c 'echo $$ >"$0"; while [ -e "$0" ]; do sleep 0.05; done' "$file" </dev/null >/dev/null 2>&1 &
until [ -s "$file" ]; do sleep 0.01; done
"#;

/// These machines do not listen at their ports, so others could choose the same ones: one test at a
/// time.
static ONE: Mutex<()> = Mutex::new(());

struct Bed {
    directory: tempfile::TempDir,
    _one: MutexGuard<'static, ()>,
}

impl Bed {
    /// `None` if there is no qemu-img.
    fn new() -> Option<Bed> {
        if Command::new("qemu-img").arg("--version").output().is_err() {
            eprintln!("there is no qemu-img: nothing is tested");
            return None;
        }
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("run");
        fs::write(&program, PROGRAM).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(directory.path().join("disk.raw"), vec![0; 1 << 20]).unwrap();
        Some(Bed { directory, _one: ONE.lock().unwrap_or_else(PoisonError::into_inner) })
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn service(&self, project: &str, changes: Value) -> Result<Qemu> {
        let mut options = json!({
            "images": {"debian": {"path": "disk.raw", "os": "debian 12"}},
            "program": "./run",
            "accel": "tcg",
            "hardware": {"tiny": {"cores": 1, "ram": 64}},
            "timeout": 20,
        });
        options.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let context = ServiceContext {
            project: project.into(),
            service: "vm".into(),
            directory: self.directory.path().to_owned(),
            data_directory: self.data(),
            admin_user: AdminUser {
                name: "ops".into(),
                public_keys: vec!["ssh-ed25519 AAAA".into()],
                no_sudo: false,
            },
            ..Default::default()
        };
        Qemu::connect(serde_json::from_value(options).unwrap(), context)
    }
}

fn wish(qemu: &Qemu, names: &[&str]) -> RunNodes {
    RunNodes {
        group: "web".into(),
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        image: qemu.images(&ImageSpec::default()).unwrap().into_iter().next(),
        hardware: qemu.hardware().unwrap().into_iter().next(),
        ..Default::default()
    }
}

/// Runs nodes, and acts as the sshd of each one that the provider waits for.
fn run(qemu: &Qemu, wanted: &RunNodes) -> Vec<Created> {
    std::thread::scope(|scope| {
        let running = scope.spawn(|| qemu.run_nodes(wanted).unwrap());
        let mut listeners = BTreeMap::new();
        while !running.is_finished() {
            for record in qemu.store.nodes().unwrap() {
                let listen = || {
                    let listener = TcpListener::bind((ADDRESS, record.ports[&22])).unwrap();
                    listener.set_nonblocking(true).unwrap();
                    listener
                };
                if process::of(&qemu.store.directory(&record.name)).is_some()
                    && !listeners.contains_key(&record.name)
                {
                    listeners.insert(record.name.clone(), listen());
                }
            }
            for listener in listeners.values() {
                if let Ok((mut stream, _)) = listener.accept() {
                    let _ = stream.write_all(b"SSH-2.0-test\r\n");
                }
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        running.join().unwrap()
    })
}

fn nodes(created: Vec<Created>) -> Vec<Node> {
    let node = |created| match created {
        Created::Node(node) => *node,
        Created::Failed(error) => panic!("{error}"),
    };
    created.into_iter().map(node).collect()
}

fn port(node: &Node) -> u16 {
    let Connection::Ssh(ssh) = &node.connection else { panic!("{node:?}") };
    assert_eq!((ssh.host.as_str(), ssh.user.as_ref(), ssh.host_keys.len()), (ADDRESS, None, 1));
    ssh.port.unwrap()
}

#[test]
fn nodes_live_until_they_are_destroyed() {
    let Some(bed) = Bed::new() else { return };
    let qemu = bed.service("a/b", json!({})).unwrap();
    let mut wanted = wish(&qemu, &["web-1", "web-2"]);
    wanted.spec.network = Some(NetworkSpec { inbound_ports: vec![80, 22], ..Default::default() });
    wanted.spec.tags = BTreeMap::from([("team".to_owned(), "shop".to_owned())]);
    let made = nodes(run(&qemu, &wanted));
    assert_eq!(qemu.nodes().unwrap(), made);
    assert_ne!(port(&made[0]), port(&made[1]));
    let node = &made[0];
    assert_eq!(
        (node.name.as_str(), node.group.as_deref(), node.image_user.as_deref()),
        ("web-1", Some("web"), None)
    );
    assert_eq!(node.os.as_ref().unwrap().version, "12");
    assert!(
        node.taggable && node.tags["team"] == "shop" && node.tags["pallet-project"] == "a/b",
        "{:?}",
        node.tags
    );
    assert!(node.ports.len() == 1 && node.ports[&80].starts_with("127.0.0.1:"), "{:?}", node.ports);
    let directory = qemu.store.directory("web-1");
    assert_eq!(fs::metadata(&directory).unwrap().permissions().mode() & 0o777, 0o700);

    // another process finds them, another project does not; nothing is created twice
    assert_eq!(bed.service("a/b", json!({})).unwrap().nodes().unwrap(), made);
    let other = bed.service("a.b", json!({})).unwrap();
    assert_eq!(other.nodes().unwrap(), []);
    assert_eq!(nodes(qemu.run_nodes(&wanted).unwrap()), made);
    let Created::Failed(error) =
        &qemu.run_nodes(&RunNodes { group: "db".into(), ..wanted.clone() }).unwrap()[0]
    else {
        panic!()
    };
    assert_eq!(error.to_string(), "web-1 exists, in group web");

    qemu.tag_node(
        &node.id,
        &BTreeMap::from([("pallet-bootstrapped".to_owned(), "yes".to_owned())]),
    )
    .unwrap();
    assert_eq!(qemu.nodes().unwrap()[0].tags["pallet-bootstrapped"], "yes");
    assert!(qemu.tag_node("nobody", &BTreeMap::new()).is_err());

    // a stopped machine is started on its disk, even if another program has taken its port
    process::end(&directory).unwrap();
    assert_eq!(qemu.nodes().unwrap()[0].status, NodeStatus::Stopped);
    let intruder = TcpListener::bind((ADDRESS, port(node))).unwrap();
    let again = nodes(run(&qemu, &wanted));
    assert_eq!((&again[0].id, &again[0].status), (&node.id, &NodeStatus::Running));
    assert_ne!(port(&again[0]), port(node));
    assert_eq!(again[0].tags["pallet-bootstrapped"], "yes");
    drop(intruder);

    // only nodes of this project
    other.destroy_nodes(std::slice::from_ref(&node.id)).unwrap();
    assert_eq!(qemu.nodes().unwrap().len(), 2);
    qemu.destroy_nodes(&[node.id.clone(), "gone".into()]).unwrap();
    assert_eq!(qemu.nodes().unwrap()[0].name, "web-2");
    qemu.destroy_nodes(&[made[1].id.clone()]).unwrap();
    qemu.clean_up().unwrap();
    assert!(!bed.data().exists(), "nothing is left");
}

#[test]
fn a_machine_that_has_not_answered_yet_is_starting_and_waited_for() {
    let Some(bed) = Bed::new() else { return };
    let qemu = bed.service("shop", json!({})).unwrap();
    let made = nodes(run(&qemu, &wish(&qemu, &["web-1"])));
    // as if the creating process had ended during the boot
    let mut record = qemu.store.nodes().unwrap().remove(0);
    record.answered = false;
    qemu.store.save(&record).unwrap();
    let pid = process::of(&qemu.store.directory("web-1"));
    assert_eq!(qemu.nodes().unwrap()[0].status, NodeStatus::Starting);
    assert_eq!(nodes(run(&qemu, &wish(&qemu, &["web-1"]))), made);
    assert_eq!(process::of(&qemu.store.directory("web-1")), pid, "it is the same");
    assert_eq!(qemu.nodes().unwrap(), made);

    let lease = Lease { token: "one".into(), until: unix_time() + 60, ..Lease::default() };
    assert_eq!(qemu.take_lease(&lease).unwrap(), None);
    assert_eq!(
        qemu.take_lease(&Lease { token: "two".into(), ..lease.clone() }).unwrap(),
        Some(lease)
    );
    qemu.destroy_nodes(&[made[0].id.clone()]).unwrap();
    qemu.release_lease("one").unwrap();
    assert!(!bed.data().exists(), "nothing is left");
}

#[test]
fn a_creation_that_was_interrupted_is_removed_with_its_process() {
    let Some(bed) = Bed::new() else { return };
    let qemu = bed.service("shop", json!({})).unwrap();
    let made = nodes(run(&qemu, &wish(&qemu, &["web-1"])));
    let directory = qemu.store.directory("web-1");
    // as if the creating process had ended before the record was complete
    let mut record = qemu.store.nodes().unwrap().remove(0);
    record.complete = false;
    qemu.store.save(&record).unwrap();
    assert_eq!(qemu.nodes().unwrap(), []);
    let pid = process::of(&directory).unwrap();
    let again = nodes(run(&qemu, &wish(&qemu, &["web-1"])));
    assert_ne!(again[0].id, made[0].id);
    assert_ne!(process::of(&directory).unwrap(), pid);
    qemu.destroy_nodes(&[again[0].id.clone()]).unwrap();
    assert!(!bed.data().exists(), "nothing is left");
}

#[test]
fn what_cannot_be_made_says_why_and_leaves_nothing() {
    let Some(bed) = Bed::new() else { return };
    fs::write(bed.directory.path().join("text"), "no disk").unwrap();
    let fails = |options: Value, change: fn(&mut RunNodes)| {
        let qemu = bed.service("shop", options).unwrap();
        let mut wanted = wish(&qemu, &["web-1"]);
        change(&mut wanted);
        let start = Instant::now();
        let created = qemu.run_nodes(&wanted).unwrap();
        assert!(start.elapsed() < Duration::from_secs(10));
        let Created::Failed(error) = &created[0] else { panic!("{created:?}") };
        assert!(!bed.data().exists(), "something is left");
        assert!(!error.to_string().contains('\n'));
        (error.kind, error.to_string())
    };
    let same = |_: &mut RunNodes| {};
    let (kind, error) = fails(json!({"images": {"debian": {"path": "gone.qcow2"}}}), same);
    assert!(
        kind == ErrorKind::NotFound
            && error.contains("there is no image ")
            && error.contains("/gone.qcow2"),
        "{error}"
    );
    let (kind, error) = fails(json!({"images": {"debian": {"path": "text"}}}), same);
    assert!(kind == ErrorKind::InvalidInput && error.contains("is not a disk"), "{error}");
    let (_, error) =
        fails(json!({"images": {"debian": {"path": "disk.raw", "kernel": "vmlinuz"}}}), same);
    assert!(error.contains("there is no file "), "{error}");
    let (_, error) = fails(json!({"program": "/gone/qemu-system-x86_64"}), same);
    assert!(
        error.contains("cannot run /gone/qemu-system-x86_64") && error.contains("qemu-system-x86"),
        "{error}"
    );
    let (_, error) = fails(json!({"timeout": 1}), same);
    assert!(
        error
            .contains("web-1: sshd does not answer after 1 s; its last output is: Linux version 6"),
        "{error}"
    );
    let (_, error) = fails(json!({}), |wanted| wanted.image = None);
    assert!(
        error.contains("no image of services.vm.images satisfies the node-spec; there are debian"),
        "{error}"
    );
    let (_, error) = fails(json!({}), |wanted| wanted.names = vec!["Web 1".into()]);
    assert!(error.contains("cannot be a host name"), "{error}");
}

#[test]
fn options_that_cannot_be_are_refused() {
    let Some(bed) = Bed::new() else { return };
    for (options, error) in [
        (json!({"images": {}}), "names no image"),
        (
            json!({"images": {"debian": {"path": "disk.raw", "append": "quiet"}}}),
            "without `kernel`",
        ),
        (json!({"hardware": {"none": {"cores": 0, "ram": 64}}}), "no cores"),
    ] {
        let refused = bed.service("shop", options).err().unwrap().to_string();
        assert!(refused.contains(error) && refused.starts_with("services.vm: "), "{refused}");
    }
    let qemu = bed.service("shop", json!({})).unwrap();
    let mut wanted = wish(&qemu, &["web-1"]);
    wanted.spec.provider = BTreeMap::from([(
        "qemu".to_owned(),
        serde_json::from_value(json!({"colour": 1})).unwrap(),
    )]);
    assert!(
        qemu.run_nodes(&wanted)
            .unwrap_err()
            .to_string()
            .contains("provider.qemu: unknown field `colour`")
    );
}
