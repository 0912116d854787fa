//! The provider `docker` on a real Docker Engine and a real Podman, as a user meets it.

use std::collections::BTreeMap;
use std::time::Duration;

use pallet_tests::{ContainerEngine, Process, Project, image};

mod lease;
mod registry;

const FUNCTIONS: &str = r#"
def configure(request):
    directory(request, "/srv/hello", mode = "750")
    remote_file(request, "/srv/hello/name", content = "hello from " + request.target.name + "\n")

web = group_spec("web", count = 2, phases = {"configure": configure}, node_spec = node_spec(image = {"os_family": "debian"}))
"#;

/// A project whose nodes are containers of this engine, made from a directory.
fn project(engine: &ContainerEngine, options: &str) -> Project {
    let project = Project::empty().prefixed(engine.prefix()).timeout(Duration::from_secs(180));
    let root = image("bookworm-min").join("root");
    let host = engine.host();
    project.write(
        "pallet.toml",
        format!(
            "project.name = \"shop\"\ndefault_service = \"box\"\n[services.box]\n\
             provider = \"docker\"\nhost = \"{host}\"\n{options}\n\
             [services.box.images]\nbookworm = \"{}\"\n",
            root.display()
        ),
    );
    project.write("pallet.star", FUNCTIONS);
    project
}

fn names(project: &Project) -> Vec<String> {
    project.nodes().iter().map(|node| node["name"].as_str().unwrap().to_owned()).collect()
}

fn containers(engine: &ContainerEngine) -> Vec<String> {
    let listed = engine.client(&["ps", "-a", "--format", "{{.Names}}"]).exits(0).stdout;
    let mut names: Vec<_> = listed.lines().map(str::to_owned).collect();
    names.sort();
    names
}

/// From nothing to `down`, as with every provider that creates nodes.
fn life(engine: &ContainerEngine, options: &str) {
    let project = project(engine, options);
    assert_eq!(names(&project), Vec::<String>::new());
    project.run(&["converge", "--dry-run"]).exits(0).says("web-2");
    assert_eq!(containers(engine), Vec::<String>::new(), "a dry run makes nothing");

    let first = project.events(&["converge"], 0);
    assert!(first.changes().values().all(|changes| *changes >= 2), "{:?}", first.changes());
    assert_eq!(names(&project), ["web-1", "web-2"]);
    assert_eq!(containers(engine), ["pallet-shop.web-1", "pallet-shop.web-2"]);
    for name in ["web-1", "web-2"] {
        let container = format!("pallet-shop.{name}");
        engine
            .client(&["exec", &container, "cat", "/srv/hello/name"])
            .exits(0)
            .says(&format!("hello from {name}"));
        engine.client(&["exec", &container, "hostname"]).exits(0).says(name);
        // the first process reaps orphans
        engine
            .client(&[
                "exec",
                &container,
                "sh",
                "-c",
                "(sleep 0.2 &) ; sleep 0.6; ! grep -l '^State:.Z' /proc/[0-9]*/status",
            ])
            .exits(0);
    }
    let again = project.events(&["converge"], 0);
    assert_eq!(again.changes(), BTreeMap::from([("web-1".to_owned(), 0), ("web-2".to_owned(), 0)]));

    // another container, with a name like a node's, and an image that is in use
    let image = engine.client(&["images", "--format", "{{.Repository}}:{{.Tag}}"]).exits(0).stdout;
    let images: Vec<_> = image.lines().collect();
    assert!(
        matches!(images[..], [one] if one.starts_with("localhost/pallet/bookworm:")),
        "imported as {images:?}"
    );
    engine
        .client(&["create", "--name", "pallet-shop.web-3", "--entrypoint", "/bin/sh", images[0]])
        .exits(0);
    let other = project.run(&["converge", "web=3"]);
    assert!(
        other.code() != 0
            && other.stdout.contains("pallet-shop.web-3 exists and was not created by Pallet"),
        "{other}"
    );
    assert_eq!(names(&project), ["web-1", "web-2"]);

    // stopped and started, with its files, and as a node that was bootstrapped
    let stopping = std::time::Instant::now();
    engine.client(&["stop", "pallet-shop.web-2"]).exits(0);
    assert!(
        stopping.elapsed() < Duration::from_secs(8),
        "the first process takes no notice of SIGTERM"
    );
    let nodes = project.nodes();
    assert_eq!(nodes[1]["status"], "stopped", "{nodes:?}");
    assert_eq!(nodes[1]["tags"], nodes[0]["tags"], "tags are there while it is stopped");
    assert!(nodes[1]["tags"].as_object().is_some_and(|tags| !tags.is_empty()), "{nodes:?}");
    let started = project.events(&["converge"], 0);
    assert_eq!(
        started.changes(),
        BTreeMap::from([("web-1".to_owned(), 0), ("web-2".to_owned(), 0)])
    );

    project.run(&["converge", "web=1"]).exits(2).says("--yes");
    project.run(&["converge", "web=1", "--yes"]).exits(0);
    assert_eq!(names(&project), ["web-1"]);
    project.run(&["down", "--yes"]).exits(0);
    assert_eq!(names(&project), Vec::<String>::new());
    assert_eq!(
        containers(engine),
        ["pallet-shop.web-3"],
        "a container that Pallet did not create stays"
    );
    engine.client(&["rm", "pallet-shop.web-3"]).exits(0);
}

#[test]
fn nodes_of_docker() {
    let engine = ContainerEngine::start("docker");
    life(&engine, "");
    failures(&engine);
}

#[test]
fn nodes_of_podman() {
    let engine = ContainerEngine::start("podman");
    life(&engine, "program = \"podman\"\nnetwork = \"none\"");
    failures(&engine);
}

#[test]
fn nodes_with_sshd() {
    let engine = ContainerEngine::start("docker");
    let options = "transport = \"ssh\"\ncommand = [\"/bin/sh\", \"-c\", \"mkdir -p /run/sshd; exec \
        /usr/sbin/sshd -D -e\"]";
    let project = project(&engine, options);
    project.edit("pallet.toml", "[services.box]", "admin_user.name = \"root\"\n[services.box]");
    // not the key that the image knows
    let key = project.home().join(".ssh/id_ed25519");
    std::fs::create_dir(key.parent().unwrap()).unwrap();
    let mut keygen = std::process::Command::new("ssh-keygen");
    keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", "ops", "-f"]).arg(&key);
    Process::start(keygen, Duration::from_secs(20)).wait().exits(0);

    project.events(&["converge"], 0);
    let nodes = project.nodes();
    let connection = &nodes[0]["connection"];
    assert_eq!(nodes[0]["image_user"], "root", "{nodes:?}");
    assert_eq!(connection["kind"], "ssh", "{connection}");
    assert_eq!(connection["host"], nodes[0]["address"], "{nodes:?}");
    // the home has no known_hosts: the engine tells the host keys
    assert!(
        connection["host_keys"][0].as_str().is_some_and(|key| key.starts_with("ssh-ed25519 AAAA")),
        "{connection}"
    );
    engine
        .client(&["exec", "pallet-shop.web-2", "cat", "/srv/hello/name"])
        .exits(0)
        .says("hello from web-2");
    assert_eq!(
        project.events(&["converge"], 0).changes(),
        BTreeMap::from([("web-1".to_owned(), 0), ("web-2".to_owned(), 0)])
    );
    engine.client(&["stop", "-t", "1", "pallet-shop.web-1"]).exits(0);
    project.events(&["converge"], 0);
    project.run(&["down", "--yes"]).exits(0);
    assert_eq!(containers(&engine), Vec::<String>::new());
}

/// What cannot be is told in one line, and leaves nothing.
fn failures(engine: &ContainerEngine) {
    let fails = |options: &str, functions: &str, says: &[&str]| {
        let project = project(engine, options);
        project.write("pallet.star", functions);
        let output = project.run(&["converge"]);
        assert_ne!(output.code(), 0, "{output}");
        for text in says {
            assert!(
                output.stdout.contains(text) || output.stderr.contains(text),
                "it should say `{text}`\n{output}"
            );
        }
        assert_eq!(containers(engine), Vec::<String>::new(), "{output}");
    };
    let of = |image: &str| {
        format!(
            "web = group_spec(\"web\", count = 2, node_spec = \
        node_spec(image = {{\"image_id\": \"{image}\"}}))\n"
        )
    };
    // the engine has no way out
    fails(
        "",
        &of("example.invalid/nothing:1"),
        &["web-1", "web-2", "image example.invalid/nothing:1 cannot be pulled"],
    );
    fails("", &of("no?name"), &["`no?name` cannot be the name of an image"]);
    fails(
        "network = \"none\"\ncommand = [\"/bin/sh\", \"-c\", \"echo broken >&2; exit 3\"]",
        &of("bookworm"),
        &["ended at once with exit code 3: broken"],
    );
    fails("network = \"nowhere\"", &of("bookworm"), &["nowhere"]);
}

#[test]
fn an_engine_that_is_not_there_is_one_line() {
    let project = Project::empty();
    project.write(
        "pallet.toml",
        "default_service = \"box\"\n[services.box]\nprovider = \"docker\"\n\
            host = \"unix:///nowhere/docker.sock\"\n",
    );
    project.write("pallet.star", FUNCTIONS);
    for command in [&["converge"][..], &["nodes"], &["down", "--yes"]] {
        let output = project.run(command);
        assert_ne!(output.code(), 0, "{output}");
        let lines: Vec<_> = output.stderr.lines().filter(|line| !line.trim().is_empty()).collect();
        assert!(
            lines.len() <= 2
                && output.stderr.contains("/nowhere/docker.sock: there is no such socket"),
            "{output}"
        );
        assert!(output.stderr.contains("services.box"), "{output}");
    }
}
