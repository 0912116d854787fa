//! An engine at a TCP port that pulls from a registry with authentication.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pallet_tests::{ContainerEngine, Process, Project, image};
use tempfile::TempDir;

/// `ann` with the password `bed-secret`, in the format of the registry and of Docker's client.
const HTPASSWD: &str = "ann:$2b$04$0f9q4vt8JV9BP61ptMglVOG9TzZ/G9dgJpkaxtDdz6YZMLKU0i5R6\n";
const AUTH: &str = "YW5uOmJlZC1zZWNyZXQ=";

/// A registry in the network of an engine, with one image. Dropping it ends it.
struct Registry {
    child: Child,
    place: String,
    _files: TempDir,
}

impl Registry {
    fn of(engine: &ContainerEngine) -> Self {
        let files = tempfile::Builder::new().prefix("pallet-test-registry-").tempdir().unwrap();
        let place = format!(
            "127.0.0.1:{}",
            TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
        );
        let path = |name: &str| files.path().join(name).to_str().unwrap().to_owned();
        fs::write(path("htpasswd"), HTPASSWD).unwrap();
        let config = format!(
            "version: 0.1\nlog: {{level: error}}\n\
             storage: {{filesystem: {{rootdirectory: {:?}}}}}\nhttp: {{addr: {place:?}}}\n\
             auth: {{htpasswd: {{realm: bed, path: {:?}}}}}\n",
            path("data"),
            path("htpasswd")
        );
        fs::write(path("config.yml"), config).unwrap();
        let mut words = engine.prefix();
        words.extend(["docker-registry".to_owned(), "serve".to_owned(), path("config.yml")]);
        let child = Command::new(&words[0])
            .args(&words[1..])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let registry = Registry { child, place, _files: files };
        registry.fill(engine);
        registry
    }

    /// Pushes a reduced image of the bed, and removes it from the engine again.
    fn fill(&self, engine: &ContainerEngine) {
        let path = |name: &str| self._files.path().join(name).to_str().unwrap().to_owned();
        let mut tar = Command::new("tar");
        tar.args([
            "--exclude=./usr/share",
            "--exclude=./srv",
            "--exclude=./var/cache",
            "--exclude=./var/lib/apt",
            "--exclude=./boot",
        ]);
        tar.arg("-C").arg(image("bookworm-min").join("root")).args(["-cf", &path("root.tar"), "."]);
        Process::start(tar, Duration::from_secs(60)).wait().exits(0);
        let image = self.image();
        engine.client(&["import", &path("root.tar"), &image]).exits(0);
        fs::write(
            path("config.json"),
            format!("{{\"auths\": {{\"{}\": {{\"auth\": \"{AUTH}\"}}}}}}", self.place),
        )
        .unwrap();
        let end = Instant::now() + Duration::from_secs(20);
        while fs::metadata(path("data")).is_err() && Instant::now() < end {
            // created when the registry first gets a push
            if engine
                .client(&["--config", &path(""), "push", "--quiet", &image])
                .stdout
                .contains(&image)
            {
                break;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        engine.client(&["image", "rm", &image]).exits(0);
    }

    fn image(&self) -> String {
        format!("{}/bed:1", self.place)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = (self.child.kill(), self.child.wait());
    }
}

#[test]
fn pulls_have_the_credentials_of_dockers_client() {
    let engine = ContainerEngine::start("docker");
    let registry = Registry::of(&engine);
    let project = Project::empty().prefixed(engine.prefix()).timeout(Duration::from_secs(180));
    project.write(
        "pallet.toml",
        "project.name = \"shop\"\ndefault_service = \"box\"\n[services.box]\n\
         provider = \"docker\"\nhost = \"tcp://127.0.0.1:2375\"\n",
    );
    let spec = format!("node_spec(image = {{\"image_id\": \"{}\"}})", registry.image());
    project.write(
        "pallet.star",
        format!(
            "group_spec(\"web\", count = 1, phases = {{\"bootstrap\": lambda request: None}}, \
            node_spec = {spec})\n"
        ),
    );
    let configure = |text: String| {
        fs::create_dir_all(project.home().join(".docker")).unwrap();
        fs::write(project.home().join(".docker/config.json"), text).unwrap();
    };
    project.run(&["converge"]).exits(1).says("cannot be pulled");
    // a password that is not the right one
    configure(format!("{{\"auths\": {{\"{}\": {{\"auth\": \"YW5uOndyb25n\"}}}}}}", registry.place));
    project.run(&["converge"]).exits(1).says("cannot be pulled");
    assert_eq!(project.nodes().len(), 0);

    // a helper that has it
    let helper = project.home().join("docker-credential-bed");
    let answer = "{\"ServerURL\":\"x\",\"Username\":\"ann\",\"Secret\":\"bed-secret\"}";
    fs::write(
        &helper,
        format!(
            "#!/bin/sh\nread -r asked\n\
        [ \"$1 $asked\" = \"get {}\" ] && echo '{answer}'\n",
            registry.place
        ),
    )
    .unwrap();
    fs::set_permissions(&helper, fs::Permissions::from_mode(0o755)).unwrap();
    configure(format!("{{\"credHelpers\": {{\"{}\": \"bed\"}}}}", registry.place));
    let path = format!("{}:{}", project.home().display(), std::env::var("PATH").unwrap());
    let project = project.set("PATH", path);
    project.run(&["providers"]).exits(0).says("docker-credential-bed").never_says("bed-secret");
    project.run(&["converge", "-vv"]).exits(0).never_says("bed-secret");
    let nodes = project.nodes();
    assert_eq!((nodes.len(), nodes[0]["status"].as_str()), (1, Some("running")), "{nodes:?}");
    project.run(&["down", "--yes"]).exits(0);
}
