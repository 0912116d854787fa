//! The provider `ec2` on an emulated cloud whose instances are nodes of a bed, configured by their
//! user data.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use pallet_tests::{Bed, Cloud, Project};
use serde_json::{Value, json};

const DECLARATIONS: &str = r#"
def configure(request):
    remote_file(request, "/srv/name", content = "I am " + request.target.name + "\n")

web = group_spec("web", count = 2, phases = {"configure": configure}, node_spec = node_spec(
    image = {"os_family": "debian", "os_version": "12"},
    hardware = {"min_cores": 2, "min_ram": 1024, "min_disk": 20},
    network = {"inbound_ports": [80]},
    qos = {"spot_price": 0.02},
    tags = {"team": "shop"}))
"#;

/// A project for that cloud, with a new key that no node knows yet.
fn project(bed: &Bed, cloud: &Cloud) -> Project {
    let config = format!(
        "[project]\nname = \"shop\"\n\n[admin_user]\nname = \"ops\"\nidentity_files = [\"key\"]\n\
         public_key_files = [\"key.pub\"]\n\n[services.aws]\nprovider = \"ec2\"\n\
         region = \"eu-west-1\"\n\
         endpoint = {:?}\nsubnet = {:?}\naddress = \"private\"\n",
        cloud.endpoint(),
        cloud.subnet()
    );
    let project = Project::on_bed(bed, &[("pallet.toml", &config), ("pallet.star", DECLARATIONS)])
        .timeout(Duration::from_secs(300));
    let key = project.directory().join("key");
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "ops", "-f"])
        .arg(&key)
        .status()
        .unwrap();
    assert!(made.success());
    // dummy credentials; no metadata service is queried
    project
        .set("AWS_ACCESS_KEY_ID", "test")
        .set("AWS_SECRET_ACCESS_KEY", "test")
        .set("AWS_EC2_METADATA_DISABLED", "true")
}

fn text<'a>(node: &'a Value, key: &str) -> &'a str {
    node[key].as_str().unwrap_or_else(|| panic!("a node without {key}: {node}"))
}

fn names(project: &Project) -> Vec<String> {
    project.nodes().iter().map(|node| text(node, "name").to_owned()).collect()
}

/// The host name of a node of the bed, and the file that Pallet wrote there.
fn disk(bed: &Bed, node: usize) -> String {
    ["etc/hostname", "srv/name"]
        .map(|path| std::fs::read_to_string(bed.disk(node).join(path)).unwrap())
        .concat()
}

#[test]
fn from_nothing_to_two_nodes_to_one_to_none() {
    let bed = Bed::of(0);
    let cloud = Cloud::on(&bed);
    let project = project(&bed, &cloud);
    assert_eq!(names(&project), Vec::<String>::new());
    project.run(&["converge", "--dry-run"]).exits(0).says("web-1").says("web-2");
    assert_eq!(names(&project), Vec::<String>::new());

    let first = project.events(&["converge"], 0);
    assert!(first.ok(), "{first:#?}");
    assert_eq!(names(&project), ["web-1", "web-2"]);
    let addresses: BTreeSet<_> =
        project.nodes().iter().map(|node| text(node, "address").to_owned()).collect();
    assert!(
        addresses.len() == 2 && addresses.iter().all(|address| address.starts_with("10.77.9.")),
        "{addresses:?}"
    );
    assert_eq!(
        [disk(&bed, 200), disk(&bed, 201)].concat().lines().collect::<BTreeSet<_>>(),
        BTreeSet::from(["web-1", "I am web-1", "web-2", "I am web-2"])
    );

    let again = project.events(&["converge"], 0);
    assert_eq!(again.changes().values().sum::<usize>(), 0, "{again:#?}");
    assert_eq!(again.of_kind("created").count(), 0);

    project.run(&["converge", "web=1", "--yes"]).exits(0);
    assert_eq!(names(&project), ["web-1"]);
    // the name is free again, so the token is a new one
    project.events(&["converge", "web=2"], 0);
    assert_eq!(names(&project), ["web-1", "web-2"]);
    assert_eq!(disk(&bed, 202), "web-2\nI am web-2\n");

    project.run(&["down", "--yes"]).exits(0);
    assert_eq!(names(&project), Vec::<String>::new());
    let left = cloud.ask(
        &bed,
        "describe_security_groups",
        json!({ "Filters": [{ "Name": "tag:pallet-project", "Values": ["shop"] }] }),
    );
    assert_eq!(left["SecurityGroups"], json!([]), "{left}");
    let left = cloud.ask(&bed, "describe_key_pairs", json!({}));
    assert_eq!(left["KeyPairs"], json!([]), "{left}");
}

#[test]
fn what_was_asked_for_is_what_there_is() {
    let bed = Bed::of(0);
    let cloud = Cloud::on(&bed);
    let project = project(&bed, &cloud);
    project.events(&["converge", "web=1"], 0);
    let answer = cloud.ask(&bed, "describe_instances", json!({}));
    let instance = &answer["Reservations"][0]["Instances"][0];
    assert_eq!(
        text(instance, "ImageId"),
        "ami-0d00000000000012a",
        "the newest of debian 12, not of debian 11"
    );
    let tags: Vec<_> = instance["Tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| format!("{}={}", text(tag, "Key"), text(tag, "Value")))
        .collect();
    for tag in [
        "pallet-project=shop",
        "pallet-group=web",
        "pallet-name=web-1",
        "Name=web-1",
        "team=shop",
        "pallet-image-user=admin",
    ] {
        assert!(tags.iter().any(|known| known == tag), "{tag}: {tags:?}");
    }
    let volume = text(&instance["BlockDeviceMappings"][0]["Ebs"], "VolumeId");
    let volumes = cloud.ask(&bed, "describe_volumes", json!({ "VolumeIds": [volume] }));
    assert_eq!(volumes["Volumes"][0]["Size"], 20);
    let groups = cloud.ask(
        &bed,
        "describe_security_groups",
        json!({ "Filters": [{ "Name": "group-name", "Values": ["pallet-shop-web"] }] }),
    );
    let ports: BTreeSet<_> = groups["SecurityGroups"][0]["IpPermissions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| rule["FromPort"].as_u64())
        .collect();
    assert_eq!(ports, BTreeSet::from([Some(22), Some(80)]), "{groups}");

    // the host key from the user data is trusted from the first connection on; known_hosts is empty
    let tag = |key: &str| {
        json!({
            "Resources": [instance["InstanceId"]],
            "Tags": [{ "Key": "pallet-host-key", "Value": key }],
        })
    };
    let own = tags.iter().find_map(|tag| tag.strip_prefix("pallet-host-key=")).unwrap();
    cloud.ask(
        &bed,
        "create_tags",
        tag("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJVYbGcLlGd3FSJCYGYjPYYdFEU9nUGmxbGEqGuHgBkT"),
    );
    project.run(&["lift"]).exits(1).says("host key");
    cloud.ask(&bed, "create_tags", tag(own));
    project.run(&["lift"]).exits(0);

    // stopped by somebody else: the next converge starts the same node
    let id = text(instance, "InstanceId").to_owned();
    cloud.ask(&bed, "stop_instances", json!({ "InstanceIds": [id] }));
    let started = project.events(&["converge", "web=1"], 0);
    assert!(started.ok(), "{started:#?}");
    assert_eq!(
        project.nodes().iter().map(|node| text(node, "id").to_owned()).collect::<Vec<_>>(),
        [id.as_str()]
    );

    // resources of others are never touched
    let other = cloud.ask(
        &bed,
        "run_instances",
        json!({ "ImageId": "ami-0d00000000000012a", "MinCount": 1, "MaxCount": 1 }),
    );
    project.run(&["down", "--yes"]).exits(0);
    let id = text(&other["Instances"][0], "InstanceId");
    let answer = cloud.ask(&bed, "describe_instances", json!({ "InstanceIds": [id] }));
    assert_eq!(answer["Reservations"][0]["Instances"][0]["State"]["Name"], "running");
}

#[test]
fn a_killed_converge_is_taken_up_by_the_next_one() {
    let bed = Bed::of(0);
    let cloud = Cloud::on(&bed);
    let project = project(&bed, &cloud);
    let mut running = project.start(&["converge", "--output", "json"]);
    running.wait_for("creating");
    while cloud.ask(&bed, "describe_instances", json!({}))["Reservations"]
        .as_array()
        .unwrap()
        .is_empty()
    {}
    running.signal(rustix::process::Signal::KILL);
    drop(running);
    project.events(&["converge"], 0);
    assert_eq!(names(&project), ["web-1", "web-2"]);
    let all = cloud.ask(&bed, "describe_instances", json!({}));
    assert_eq!(all["Reservations"].as_array().unwrap().len(), 2, "neither lost nor doubled: {all}");
}

#[test]
fn what_is_wrong_is_said_in_one_line() {
    let bed = Bed::of(0);
    let cloud = Cloud::on(&bed);
    let project = project(&bed, &cloud);
    project.edit("pallet.star", "\"os_version\": \"12\"", "\"os_version\": \"7\"");
    project.run(&["converge", "web=1"]).exits(1).says("ec2 in eu-west-1");
    assert_eq!(names(&project), Vec::<String>::new());

    project.edit("pallet.toml", &cloud.endpoint(), "http://127.0.0.1:1");
    project.run(&["nodes"]).exits(2).says(
        "ec2 in eu-west-1 cannot be reached: nothing listens at 127.0.0.1:1; check `endpoint`",
    );
    project.edit("pallet.toml", "endpoint = \"http://127.0.0.1:1\"", "profile = \"none\"");
    project.run(&["nodes"]).exits(2).says("ec2 has no credentials: profile none has none");
    project.edit("pallet.toml", "profile = \"none\"", "");
    // a network without access to the outside
    project.run(&["nodes"]).exits(2).says("ec2.eu-west-1.amazonaws.com");
}
