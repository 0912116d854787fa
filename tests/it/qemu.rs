//! A virtual machine from creation to destruction. Without KVM it boots in emulation, which takes a
//! minute or two, so there is only one.

use std::process::Command;
use std::time::Duration;

use pallet_tests::{Leftovers, Process, Project, root};

use crate::quickstart::alone;

/// The tables of pallet.toml for a service of virtual machines. The first test that uses it builds
/// the image.
pub(crate) fn service(name: &str) -> String {
    let output = Process::start(
        Command::new(root().join("tests/bed/vm-image.sh")),
        Duration::from_secs(900),
    )
    .wait()
    .exits(0);
    format!(
        r#"
        [services.{name}]
        provider = "qemu"
        restrict = true
        [services.{name}.images.bookworm]
        path = "{image}/disk.qcow2"
        os = "debian 12"
        kernel = "{image}/vmlinuz"
        initrd = "{image}/initrd"
        append = "root=/dev/vda rw console=ttyS0 net.ifnames=0"
        login_user = "debian"
        "#,
        image = output.stdout.trim()
    )
}

const DECLARATIONS: &str = r#"
def configure(request):
    directory(request, "/srv/app", mode = "0750")
    remote_file(request, "/srv/app/name", content = "I am " + request.target.name + "\n")

def restart(request):
    reboot(request)
    exec_script(request, "cat /proc/sys/kernel/random/boot_id >/srv/before")
    reboot(request, always = True, services = ["ssh"], timeout = 500)
    exec_script(request, "cat /proc/sys/kernel/random/boot_id >/srv/after")

group_spec("vm", count = 1, phases = {"configure": configure, "restart": restart}, node_spec = node_spec(
    image = {"os_family": "debian", "os_version": "12"},
    hardware = {"min_ram": 512, "min_disk": 3},
    network = {"inbound_ports": [80]},
))
"#;

#[test]
fn from_birth_to_end() {
    let mut project = Project::empty().timeout(Duration::from_secs(900));
    let key = project.home().join("key");
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f"]).arg(&key);
    Process::start(keygen, Duration::from_secs(20)).wait().exits(0);
    project.write(
        "pallet.toml",
        format!(
            r#"
            [admin_user]
            name = "ops"
            identity_files = ["{key}"]
            public_key_files = ["{key}.pub"]
            {machines}
            "#,
            key = key.display(),
            machines = service("here")
        ),
    );
    project.write("pallet.star", DECLARATIONS);
    project.take_down_at_the_end(&project.directory());
    let before = Leftovers::of(&project);

    let first = project.events(&["converge"], 0);
    assert!(first.ok() && first.changes()["vm-1"] > 0, "{first:#?}");
    let nodes = project.nodes();
    assert_eq!(
        (nodes.len(), nodes[0]["name"].as_str(), nodes[0]["status"].as_str()),
        (1, Some("vm-1"), Some("running")),
        "{nodes:#?}"
    );

    // the image's user created the admin user, who has logged in since
    let made = first.of_node("vm-1").any(|event| {
        event.phase() == Some("bootstrap")
            && event.action() == Some("user")
            && event.changed() == Some(true)
    });
    assert!(made, "{first:#?}");
    let admin = "exec_checked_script(request, \"look\", \"test $SUDO_USER = ops\")";
    project.events(&["lift", "vm", "-e", admin], 0);

    // the host key was known before the first connection
    assert!(!project.home().join(".ssh/known_hosts").exists(), "the host key was learned");
    project.run(&["ssh", "vm-1", "--", "hostname"]).exits(0).says("vm-1");
    let look = "exec_checked_script(request, \"look\", \"test $(hostname) = vm-1 && test -e \
        /srv/app/name && test $(df --output=size -BM / | tail -1 | tr -d M) -gt 2500\")";
    project.events(&["lift", "vm", "-e", look], 0);

    // a phase goes on after a reboot, on the same node in its next boot
    let restarted = project.events(&["lift", "--phase", "restart"], 0);
    let reboots = restarted.of_node("vm-1").filter(|event| event.action() == Some("reboot"));
    let changed: Vec<_> = reboots.filter_map(|event| event.changed()).collect();
    assert_eq!(changed, [false, true], "only if it is needed, or always: {restarted:#?}");
    let look = "exec_checked_script(request, \"look\", \"test $(cat /srv/after) = $(cat \
        /proc/sys/kernel/random/boot_id) && test $(cat /srv/before) != $(cat /srv/after) && \
        systemctl is-active ssh\")";
    project.events(&["lift", "vm", "-e", look], 0);

    let again = project.events(&["converge"], 0);
    assert_eq!(again.changes().values().sum::<usize>(), 0, "{again:#?}");

    project.run(&["down", "--yes"]).exits(0);
    assert_eq!(project.nodes().len(), 0);
    // it is remembered that KVM does not work here
    let mark = project.home().join(".local/share/pallet/qemu/kvm-failed");
    let _ = std::fs::remove_file(mark);
    let _alone = alone();
    before.is_all(&project);
}
