//! The work of a plugin's author: creates a package with `pallet-cli new`, builds it, tests it with
//! `pallet-cli test`, reads its documentation.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use pallet_core::plugin::ServiceContext;
use pallet_core::plugins::Registry;
use pallet_tests::{Output, Project, root};
use serde_json::{Map, Value, json};

mod coming_and_going;
mod elsewhere;

/// Packages are built one after the other, into one directory, so that dependencies are built once.
pub(crate) static BUILDING: Mutex<()> = Mutex::new(());

fn target() -> PathBuf {
    root().join("target/authors")
}

/// A home where cargo works offline, as it does here.
pub(crate) fn home() -> Project {
    let home = PathBuf::from(std::env::var_os("HOME").unwrap());
    let set = |name: &str, default: &str| {
        std::env::var_os(name).map_or(home.join(default), PathBuf::from)
    };
    Project::empty()
        .set("CARGO_HOME", set("CARGO_HOME", ".cargo"))
        .set("RUSTUP_HOME", set("RUSTUP_HOME", ".rustup"))
        .set("CARGO_NET_OFFLINE", "true")
        .set("CARGO_TARGET_DIR", target())
        .timeout(Duration::from_secs(900))
}

/// A new package, against the pallet-core of this repository and with the dependencies that it has
/// here.
fn new(home: &Project, kind: &str, name: &str) -> PathBuf {
    let core = root();
    home.run_in(&home.directory(), &["new", kind, name, "--pallet-core", core.to_str().unwrap()])
        .exits(0)
        .says("wrote")
        .says("next: cd");
    let package = home.directory().join(name);
    fs::copy(root().join("Cargo.lock"), package.join("Cargo.lock")).unwrap();
    package
}

/// Runs cargo in a package.
#[track_caller]
fn cargo(package: &Path, arguments: &[&str]) {
    let mut cargo = Command::new("cargo");
    cargo
        .args(arguments)
        .current_dir(package)
        .env("CARGO_TARGET_DIR", target())
        .env("CARGO_NET_OFFLINE", "true");
    for (name, _) in std::env::vars()
        .filter(|(name, _)| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
    {
        cargo.env_remove(name);
    }
    let output = cargo.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "cargo {arguments:?} in {}:\n{said}", package.display());
}

fn trial(home: &Project, package: &Path, arguments: &[&str]) -> Output {
    let words: Vec<_> = ["-C", package.to_str().unwrap(), "test"]
        .into_iter()
        .chain(arguments.iter().copied())
        .collect();
    home.run_in(package, &words)
}

#[test]
fn a_new_crate_is_built_tested_loaded_and_tried() {
    let _guard = BUILDING.lock();
    let home = home().with_crate_nodes();
    let package = new(&home, "crate", "web-shop");
    cargo(&package, &["test", "--quiet"]);
    cargo(&package, &["fmt", "--check"]);
    cargo(&package, &["clippy", "--quiet", "--all-targets", "--", "-D", "warnings"]);
    for file in ["README.md", "LICENSE-MIT", "LICENSE-APACHE", ".gitignore", "tests/greeting.star"]
    {
        assert!(package.join(file).is_file(), "{file}");
    }

    // on fresh nodes, built by the command itself
    let passed = trial(&home, &package, &[]).exits(0);
    passed.says("debian: greeting: passed, 1 change").says("1 passed, 0 failed, 0 not tried");
    let library = target().join("debug/libpallet_crate_web_shop.so");
    let library = library.to_str().unwrap();

    // as a plugin of a project
    let project = Project::empty();
    fs::create_dir_all(project.directory().join(".pallet/plugins")).unwrap();
    fs::copy(library, project.directory().join(".pallet/plugins/libpallet_crate_web_shop.so"))
        .unwrap();
    project.write("pallet.toml", "[services.here]\nprovider = \"localhost\"\ngroup = \"app\"\n");
    let call = "def configure(request):\n    web_shop.greeting(request, \"hi\")\n";
    project.write(
        "pallet.star",
        format!(
            "load(\"@web-shop\", \"web_shop\")\n\
            {call}group_spec(\"app\", phases = {{\"configure\": configure}})\n"
        ),
    );
    project.run(&["lift", "--dry-run"]).exits(0).says("remote_file /etc/motd");
    project
        .run(&["doc", "web-shop.greeting"])
        .exits(0)
        .says("Greets users who log in")
        .says("text")
        .says("in one line");
    project
        .run(&["doc", "web-shop"])
        .exits(0)
        .says("paths: /etc/motd")
        .says("debian")
        .says("0.1.0");

    the_laws_are_checked(&home, &package, library);
    systems_that_are_not_there_are_not_tried(&home, &package, library);
}

/// Scenarios that each break one rule, with the expected error.
fn the_laws_are_checked(home: &Project, package: &Path, library: &str) {
    let scenario = |name: &str, configure: &str, more: &str| {
        let group = "group_spec(\"a\", count = 1, phases = \
            {\"configure\": configure, \"verify\": verify})\n";
        let verify = if more.is_empty() { "pass" } else { more };
        let text = format!(
            "def configure(request):\n    {configure}\n\n\
            def verify(request):\n    {verify}\n\n{group}"
        );
        fs::write(package.join("tests").join(format!("{name}.star")), text).unwrap();
    };
    scenario("again", "exec_script(request, \"date > /srv/date\")", "");
    scenario("writes", "exec_script(request, \"true\", unless = \"touch /srv/looked\")", "");
    scenario(
        "untrue",
        "exec_script(request, \"true\", unless = \"! mkdir /srv/once 2>/dev/null\")",
        "",
    );
    scenario("fails", "exec_script(request, \"echo oh >&2; exit 3\")", "");
    scenario(
        "wrong",
        "directory(request, \"/srv/a\")",
        "exec_checked_script(request, \"look\", \"test -e /srv/b\")",
    );
    trial(home, package, &["--plugin", library, "again", "writes", "untrue", "fails", "wrong"])
        .exits(1)
        .says("0 passed, 5 failed, 0 not tried")
        .says("again: failed")
        .says("a second run changed something again: exec_script")
        .says("writes: failed")
        .says("a dry run created /srv/looked on a-1")
        .says("untrue: failed")
        .says("will change something, and it did not")
        .says("fails: failed")
        .says("the first run failed: a-1")
        .says("oh")
        .says("wrong: failed")
        .says("the result is not what verify wants: a-1")
        .says("look");
    let one = trial(home, package, &["--plugin", library, "again", "--output", "json"]).exits(1);
    let event: Value = one
        .stdout
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .find(|value: &Value| value["event"] == "trial")
        .unwrap();
    assert_eq!(
        (&event["scenario"], &event["system"], &event["result"]),
        (&json!("again"), &json!("debian"), &json!("failed"))
    );
    trial(home, package, &["--plugin", library, "none"])
        .exits(2)
        .says("there is no scenario none")
        .says("greeting");
    // no node is left
    assert!(!fs::read_dir(home.home().join(".local/share/pallet")).is_ok_and(|mut entries| {
        entries.any(|entry| {
            let path = entry.unwrap().path();
            path.is_dir() && fs::read_dir(path.join("nodes")).is_ok_and(|nodes| nodes.count() > 0)
        })
    }));
}

fn systems_that_are_not_there_are_not_tried(home: &Project, package: &Path, library: &str) {
    let output = trial(
        home,
        package,
        &["--plugin", library, "greeting", "--system", "debian", "--system", "rocky 9"],
    )
    .exits(4);
    output
        .says("debian: greeting: passed")
        .says("rocky 9: greeting: not tried: no image")
        .says("1 passed, 0 failed, 1 not tried");
}

#[test]
fn a_new_provider_is_built_tested_and_loaded() {
    let _guard = BUILDING.lock();
    let home = home();
    let package = new(&home, "provider", "fleet");
    cargo(&package, &["test", "--quiet"]);
    cargo(&package, &["fmt", "--check"]);
    cargo(&package, &["clippy", "--quiet", "--all-targets", "--", "-D", "warnings"]);
    cargo(&package, &["build", "--quiet"]);
    let plugins = tempfile::tempdir().unwrap();
    fs::copy(
        target().join("debug/libpallet_provider_fleet.so"),
        plugins.path().join("libpallet_provider_fleet.so"),
    )
    .unwrap();
    let registry = Registry::scan(&[plugins.path().to_owned()]);
    let options = Map::from_iter([
        ("group".to_owned(), json!("web")),
        ("nodes".to_owned(), json!({"web-1": "192.0.2.1"})),
    ]);
    let service = registry.service("fleet", options, ServiceContext::default()).unwrap();
    assert_eq!(service.nodes().unwrap()[0].name, "web-1");

    let project = Project::empty().set("PALLET_PLUGIN_PATH", plugins.path());
    project
        .run(&["doc", "provider:fleet"])
        .exits(0)
        .says("fleet")
        .says("group")
        .says("addresses, by name");
    trial(
        &home,
        &package,
        &["--plugin", plugins.path().join("libpallet_provider_fleet.so").to_str().unwrap()],
    )
    .exits(2)
    .says("there is no scenario");
}

#[test]
fn what_cannot_be_a_new_package_is_refused() {
    let project = Project::empty();
    project.run(&["new", "crate", "Web_Shop"]).exits(2).says("cannot name a plugin");
    project
        .run(&["new", "crate", "shop", "--pallet-core", "/nowhere"])
        .exits(2)
        .says("there is no pallet-core in /nowhere");
    fs::create_dir(project.home().join("shop")).unwrap();
    project.run_in(project.home(), &["new", "crate", "shop"]).exits(2).says("shop already exists");
    project.run_in(project.home(), &["test"]).exits(2).says("there is no scenario");
}

/// A name on a registry that is not ours could become anybody's code.
#[test]
fn a_new_package_says_where_pallet_core_comes_from() {
    let project = Project::empty();
    let new = |words: &[&str]| {
        project.run_in(project.home(), &[&["new", "crate", "shop"], words].concat())
    };
    let core = root();
    // the program was built in a checkout
    let refused =
        new(&[]).exits(2).says("say where pallet-core comes from: --pallet-core DIRECTORY");
    refused.says(&format!("such as {}", core.display()));
    let git = ["--pallet-core-git", "https://example.org/pallet"];
    new(&git).exits(2).says("--tag <TAG>").says("--rev <REV>");
    new(&["--tag", "v1"]).exits(2).says("--pallet-core-git <URL>");
    new(&["--pallet-core-git", "git@example.org:pallet", "--rev", "abc"])
        .exits(2)
        .says("is not a URL that cargo knows");
    assert!(!project.home().join("shop").exists());
    let manifest = |directory: &str| -> toml::Table {
        let file = project.home().join(directory).join("Cargo.toml");
        toml::from_str(&fs::read_to_string(file).unwrap()).unwrap()
    };
    let at_tag = [&["a"], git.as_slice(), &["--tag", "v1 \"x\"", "--license", "none"]].concat();
    new(&at_tag).exits(0);
    let written = manifest("a");
    assert!(!written["package"].as_table().unwrap().contains_key("license"), "{written}");
    let dependency = &written["dependencies"]["pallet-core"];
    let expected = json!({"git": git[1], "tag": "v1 \"x\""});
    assert_eq!(serde_json::to_value(dependency).unwrap(), expected);
    new(&["b", "--pallet-core", core.to_str().unwrap()]).exits(0);
    let written = manifest("b");
    let path = json!({"path": core.join("pallet-core")});
    assert_eq!(serde_json::to_value(&written["dependencies"]["pallet-core"]).unwrap(), path);

    // at a terminal it asks, and knows the checkout
    let words = ["new", "provider", "shop"];
    let prompt = format!("pallet-core [{}]:", core.display());
    let mut terminal = project.terminal(&words, &prompt);
    terminal.press("\r");
    assert_eq!(terminal.ends(), 0);
    assert_eq!(
        serde_json::to_value(&manifest("shop")["dependencies"]["pallet-core"]).unwrap(),
        path
    );
}

/// Runs all scenarios of a package, which must pass. Returns what their dry runs left open, grouped
/// by equal results.
#[track_caller]
pub(crate) fn tried(home: &Project, package: &Path, library: &Path, options: &[&str]) -> String {
    let given = ["--plugin", library.to_str().unwrap(), "--output", "json"];
    let output = trial(home, package, &[&given, options].concat());
    let mut open: Vec<(Vec<String>, Vec<String>)> = Vec::new();
    let mut failed = output.code() != 0;
    for event in output.stdout.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        if event["event"] == "trial" {
            failed |= event["result"] != "passed";
            let scenario = event["scenario"].as_str().unwrap().to_owned();
            let may: Vec<String> = event["may"]
                .as_array()
                .unwrap()
                .iter()
                .map(|line| line.as_str().unwrap().to_owned())
                .collect();
            match open.iter_mut().find(|(_, lines)| *lines == may) {
                Some((scenarios, _)) => scenarios.push(scenario),
                None => open.push((vec![scenario], may)),
            }
        }
    }
    assert!(!failed && !open.is_empty(), "{output}");
    let lines = |may: &[String]| may.iter().map(|line| format!("  {line}\n")).collect::<String>();
    open.iter()
        .map(|(scenarios, may)| format!("{}\n{}", scenarios.join(", "), lines(may)))
        .collect()
}
