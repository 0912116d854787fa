//! Large content travels only to nodes that do not have it.

use pallet_tests::Bed;

use super::project;

const APP: &str = r##"
def configure(request):
    remote_file(request, "/srv/large", local_file = "large")

def upgrade(request):
    exec_script(request, "date +%N >> /srv/log")
    remote_file(request, "/srv/large", local_file = "large")

def replace(request):
    exec_script(request, "echo new > /srv/large")
    remote_file(request, "/srv/large", local_file = "large", overwrite_changes = True)

group_spec("app", phases = {"configure": configure, "upgrade": upgrade, "replace": replace})
"##;

#[test]
fn content_that_a_node_has_does_not_travel() {
    let bed = Bed::of(1);
    let project = project(&bed, 1, "root", APP);
    let large: Vec<u8> = (0..3_000_000_u32)
        .flat_map(|number| number.wrapping_mul(2_654_435_761).to_be_bytes())
        .take(3_000_000)
        .collect();
    project.write("large", &large);
    let received = || -> u64 {
        let count = bed.ssh(1, "cat /sys/class/net/eth0/statistics/rx_bytes").exits(0).stdout;
        count.trim().parse().unwrap()
    };
    let travelled = |arguments: &[&str]| {
        let before = received();
        project.run(arguments).exits(0);
        received() - before
    };
    assert!(travelled(&["lift"]) > 3_000_000);
    assert!(travelled(&["lift"]) < 500_000, "nothing is to be done");
    // a script may have changed the file, so only the node can decide
    assert!(travelled(&["lift", "--phase", "upgrade"]) < 500_000);
    // if so, the node has the content that it needs
    assert!(travelled(&["lift", "--phase", "replace"]) < 500_000);
    let digest = bed.ssh(1, "sha256sum < /srv/large; ls /var/lib/pallet/incoming").exits(0).stdout;
    let here = std::process::Command::new("sha256sum")
        .stdin(std::fs::File::open(project.directory().join("large")).unwrap())
        .output()
        .unwrap();
    assert_eq!(digest, String::from_utf8(here.stdout).unwrap());
}
