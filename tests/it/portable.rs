//! One `pallet.star` for containers, a cloud and virtual machines: only the service changes.

use std::process::Command;
use std::time::Duration;

use pallet_tests::{Bed, Cloud, ContainerEngine, Project, image};

use crate::qemu;

const DECLARATIONS: &str = r#"
def configure(request):
    user(request, "app", system = True, shell = "/bin/false")
    directory(request, "/srv/app", owner = "app", mode = "0755")
    remote_file(request, "/srv/app/name", content = "I am " + request.target.name + " of debian " + request.target.os.version + "\n")

group_spec("web", count = 1, phases = {"configure": configure}, node_spec = node_spec(
    image = {"os_family": "debian", "os_version": "12"},
    hardware = {"min_cores": 1, "min_ram": 512},
    network = {"inbound_ports": [80]},
    tags = {"team": "shop"},
))
"#;

/// A project with all three services, in the network of the bed.
fn project(bed: &Bed, cloud: &Cloud, engine: &ContainerEngine) -> Project {
    let config = format!(
        r#"
        default_service = "machines"
        [project]
        name = "portable"
        [admin_user]
        name = "ops"
        identity_files = ["key"]
        public_key_files = ["key.pub"]

        [services.containers]
        provider = "docker"
        host = "{host}"
        [services.containers.images]
        bookworm = "{root}"

        [services.cloud]
        provider = "ec2"
        region = "eu-west-1"
        endpoint = "{endpoint}"
        subnet = "{subnet}"
        address = "private"
        {machines}
        "#,
        host = engine.host(),
        root = image("bookworm-min").join("root").display(),
        endpoint = cloud.endpoint(),
        subnet = cloud.subnet(),
        machines = qemu::service("machines"),
    );
    let mut project =
        Project::on_bed(bed, &[("pallet.toml", &config), ("pallet.star", DECLARATIONS)])
            .timeout(Duration::from_secs(900));
    let key = project.directory().join("key");
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "ops", "-f"])
        .arg(&key)
        .status()
        .unwrap();
    assert!(made.success());
    // virtual machines are independent of this process
    project.take_down_at_the_end(&project.directory());
    project
        .set("AWS_ACCESS_KEY_ID", "test")
        .set("AWS_SECRET_ACCESS_KEY", "test")
        .set("AWS_EC2_METADATA_DISABLED", "true")
}

#[test]
fn only_the_service_changes() {
    let bed = Bed::of(0);
    let cloud = Cloud::on(&bed);
    let engine = ContainerEngine::start("docker");
    let project = project(&bed, &cloud, &engine);
    let mut seen = Vec::new();
    for service in ["containers", "cloud", "machines"] {
        let at = |words: &[&'static str]| [words, &["--service", service]].concat();
        project.run(&at(&["converge", "--dry-run"])).exits(0).says("web-1: create the node");
        let first = project.events(&at(&["converge"]), 0);
        assert!(first.ok() && first.of_kind("created").count() == 1, "{service}: {first:#?}");
        let nodes = project.run(&at(&["nodes", "--output", "json"])).exits(0);
        let nodes: serde_json::Value = serde_json::from_str(&nodes.stdout).unwrap();
        let node = &nodes[0];
        assert_eq!(
            (node["name"].as_str(), node["group"].as_str(), node["status"].as_str()),
            (Some("web-1"), Some("web"), Some("running"))
        );
        assert_eq!(
            (node["tags"]["team"].as_str(), nodes.as_array().unwrap().len()),
            (Some("shop"), 1),
            "{service}: {node}"
        );
        let look = "exec_checked_script(request, \"look\", \"test $(hostname) = web-1 && id -u app \
            && grep -qx 'I am web-1 of debian 12' /srv/app/name\")";
        project.events(&at(&["lift", "-e", look]), 0);
        let again = project.events(&at(&["converge"]), 0);
        assert_eq!(again.changes().values().sum::<usize>(), 0, "{service}: {again:#?}");
        seen.push(first.changes()["web-1"]);
        // port 80: at the node's own address, or where the service forwards it
        let at_itself = node["ports"].as_object().is_none_or(serde_json::Map::is_empty);
        assert_eq!(at_itself, service != "machines", "{node}");
        if service == "containers" {
            let format = "{{.HostConfig.NanoCpus}} {{.HostConfig.Memory}} {{.Config.Labels.team}}";
            engine
                .client(&["inspect", "--format", format, "pallet-portable.web-1"])
                .exits(0)
                .says("1000000000 536870912 shop");
        }
        project.run(&at(&["down", "--yes"])).exits(0);
    }
    assert!(seen.iter().all(|changes| *changes >= 3), "{seen:?}");
}
