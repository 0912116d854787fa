//! `pallet-cli test` on other systems than this machine's, and on nodes of other services.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use pallet_tests::{ContainerEngine, Project, image, workspace};

use super::trial;

/// A package of a crate that was built already: its scenarios, and what configures them.
fn package(directory: &Path, config: &str, scenarios: &[(&str, &str)]) {
    let tests = directory.join("tests");
    fs::create_dir_all(&tests).unwrap();
    fs::write(tests.join("pallet.toml"), config).unwrap();
    for (name, text) in scenarios {
        fs::write(tests.join(name).with_extension("star"), text).unwrap();
    }
}

/// The library of a crate of this repository.
pub(super) fn library() -> String {
    let nginx =
        workspace().plugins().find(|plugin| plugin.package.ends_with("crates/nginx")).unwrap();
    nginx.file.display().to_string()
}

const DEMO: &str = r#"
def configure(request):
    package(request, "bed-demo")
    remote_file(request, "/etc/motd", content = request.target.os.package_manager + "\n")

def verify(request):
    exec_checked_script(request, "it is there with what it needs", "test -e /usr/share/bed-demo/version && test -e /usr/share/bed-alpha/version")

group_spec("demo", count = 1, phases = {"configure": configure, "verify": verify})
"#;

#[test]
fn a_crate_is_tried_on_every_system_that_there_is_an_image_of() {
    let home = Project::empty().timeout(Duration::from_secs(300));
    let images =
        [("rocky", "bookworm-dnf"), ("opensuse", "bookworm-zypper"), ("arch", "bookworm-pacman")];
    let images: Vec<_> = images
        .map(|(name, image_name)| format!("{name} = {:?}", image(image_name).join("root")))
        .into();
    let config =
        format!("[services.here]\nprovider = \"sandbox\"\nimages = {{ {} }}\n", images.join(", "));
    package(&home.directory(), &config, &[("demo", DEMO)]);
    let systems =
        ["rocky 9", "opensuse-leap 15", "arch"].map(|system| ["--system", system]).concat();
    let arguments: Vec<_> =
        ["--plugin", &library()].into_iter().chain(systems).map(str::to_owned).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    trial(&home, &home.directory(), &arguments)
        .exits(0)
        .says("rocky 9: demo: passed, 2 changes")
        .says("opensuse-leap 15: demo: passed, 2 changes")
        .says("arch: demo: passed, 2 changes")
        .says("3 passed, 0 failed, 0 not tried");
    // the machine itself has no such package
    trial(&home, &home.directory(), &["--plugin", &library(), "--system", "debian"])
        .exits(1)
        .says("debian: demo: failed")
        .says("bed-demo");
}

const HELLO: &str = r#"
def configure(request):
    directory(request, "/srv/hello", mode = "750")
    remote_file(request, "/srv/hello/name", content = "hello from " + request.target.name + "\n")

def verify(request):
    exec_checked_script(request, "it has its name", "grep -qx 'hello from hello-[12]' /srv/hello/name")

group_spec("hello", count = 2, phases = {"configure": configure, "verify": verify})
"#;

#[test]
fn a_crate_is_tried_on_nodes_of_the_service_that_is_named() {
    let engine = ContainerEngine::start("docker");
    let home = Project::empty().prefixed(engine.prefix()).timeout(Duration::from_secs(300));
    let config = format!(
        "default_service = \"here\"\n[services.here]\nprovider = \"sandbox\"\n[services.box]\n\
         provider = \"docker\"\nhost = {:?}\n\
         [services.box.images]\nbookworm = {:?}\n",
        engine.host(),
        image("bookworm-min").join("root")
    );
    package(&home.directory(), &config, &[("hello", HELLO)]);
    let tried = trial(
        &home,
        &home.directory(),
        &["--plugin", &library(), "--service", "box", "--system", "debian 12"],
    );
    tried.exits(0).says("debian 12: hello: passed").says("1 passed, 0 failed, 0 not tried");
    // they were containers, and are gone
    let mut events = Command::new("docker");
    events.args([
        "-H",
        &engine.host(),
        "events",
        "--since",
        "1h",
        "--until",
        "0s",
        "--filter",
        "event=create",
        "--format",
        "{{.Actor.Attributes.name}}",
    ]);
    let made = pallet_tests::Process::start(events, Duration::from_secs(30)).wait().exits(0);
    made.says("hello-1").says("hello-2").says("control-1");
    assert_eq!(engine.client(&["ps", "-aq"]).exits(0).stdout, "");
}
