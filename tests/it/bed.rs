//! Tests of the bed itself, on which all results of tests with nodes depend.

use std::path::Path;

use pallet_tests::{Bed, BedOptions, Init, get};

#[test]
fn a_node_keeps_its_disk_through_a_loss_of_power() {
    let bed = Bed::of(2);
    bed.ssh(2, "hostname; echo kept > /root/kept; sync").exits(0).says("node2");
    assert_eq!(std::fs::read_to_string(bed.disk(2).join("root/kept")).unwrap(), "kept\n");
    bed.kill(2);
    bed.ssh(2, "true").exits(255).says("refused");
    bed.ssh(1, "true").exits(0);
    bed.start(2);
    bed.ssh(2, "cat /root/kept").exits(0).says("kept");
}

#[test]
fn a_node_with_another_host_key_is_refused() {
    let bed = Bed::of(1);
    bed.add(BedOptions { count: 1, init: Init::Sshd, from: 2, other_host_key: true });
    bed.ssh(1, "true").exits(0);
    bed.ssh(2, "true").exits(255).says("IDENTIFICATION HAS CHANGED");
}

#[test]
fn nodes_have_users_a_small_disk_and_no_way_out() {
    let bed = Bed::of(1);
    bed.ssh(1, "su admin -c 'sudo -n id -u'").exits(0).says("0");
    bed.ssh(1, "su operator -c 'sudo -n id -u'").exits(1).says("password");
    bed.ssh(1, "su operator -c 'echo bed-secret | sudo -S -p \"\" id -u'").exits(0).says("0");
    bed.ssh(1, "su plain -c 'sudo -n id -u'").exits(1);
    bed.ssh(1, "head -c 3000000 /dev/zero > /srv/small/x").exits(1).says("No space left on device");
    bed.ssh(1, "! command -v python3").exits(0);
    bed.ssh(1, "ip route").exits(0).never_says("default");
}

#[test]
fn a_node_with_systemd_serves_pages() {
    let bed = Bed::with(1, Init::Systemd);
    bed.ssh(1, "apt-get -qq install -y nginx >/dev/null 2>&1; systemctl is-active nginx")
        .exits(0)
        .says("active");
    let page = get(&format!("{}:80", bed.address(1)), Some(&bed.network())).unwrap();
    assert!(page.contains("Welcome to nginx"), "{page}");
}

#[test]
fn a_bed_leaves_nothing_behind() {
    let bed = Bed::of(3);
    let (network, disk) = (bed.network(), bed.disk(1));
    let name = network.file_name().unwrap().to_string_lossy().into_owned();
    assert!(network.exists() && disk.exists());
    drop(bed);
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(!mounts.contains(&name) && !disk.exists());
    let namespaces = std::fs::read_dir("/run/netns")
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    assert_eq!(
        namespaces.filter(|other| other.starts_with(&name)).collect::<Vec<_>>(),
        Vec::<String>::new()
    );
    let group = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]
        .map(|root| Path::new(root).join(&name).exists());
    assert_eq!(group, [false, false]);
}
