//! Binary plugins built from released versions of the interface: this host must load and run them.
//!
//! Their sources are in tests/fixtures/abi. Its README.md describes how they are built, and what
//! must never be changed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use pallet_core::model::{Capabilities, Connection, Os};
use pallet_core::plugin::{
    Created, ErrorKind, Lease, PluginError, RequestHost, RunNodes, Service, ServiceContext,
    ServiceHost, WantedOffers,
};
use pallet_core::plugins::Registry;
use pallet_tests::{Project, root};
use serde_json::{Map, Value, json};

/// Every directory of kept plugins, each of one version and one compiler.
fn kept() -> Vec<PathBuf> {
    let folder = root().join("tests/fixtures/abi/kept");
    let directories = |folder: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.is_dir()).collect()
    };
    let mut found: Vec<_> =
        directories(&folder).iter().flat_map(|version| directories(version)).collect();
    found.sort();
    assert!(found.len() >= 2, "there are no kept plugins in {}", folder.display());
    found
}

/// A host that answers like an engine, and records requests.
#[derive(Default)]
struct Host(Mutex<Vec<(String, Value)>>);

impl Host {
    fn asked(&self, operation: &str) -> Vec<Value> {
        self.0
            .lock()
            .unwrap()
            .iter()
            .filter(|(name, _)| name == operation)
            .map(|(_, payload)| payload.clone())
            .collect()
    }
}

impl RequestHost for Host {
    fn invoke(&self, operation: &str, payload: Value) -> Result<Value, PluginError> {
        self.0.lock().unwrap().push((operation.to_owned(), payload.clone()));
        // an older plugin ignores additional fields of a later host
        let os = json!({"id": "debian", "version": "12",
        "family": "debian", "arch": "x86_64", "package_manager": "apt",
            "service_manager": "systemd", "said_later": {"a": 1}});
        let target = json!({
            "id": "n1", "name": "web-1", "group": "web", "os": os, "said_later": true,
            "machine": {"cores": 4, "said_later": 1}, "facts": {"gpus": 2},
        });
        Ok(match operation {
            "target" => target,
            "targets" => json!([target]),
            "environment" => json!({"greeting": "hello"}),
            "admin_user" => {
                json!({"name": "ops", "public_keys": ["ssh-ed25519 AAAA"], "said_later": 1})
            }
            "phase" => json!("configure"),
            "get_settings" if payload["node"].is_null() => json!({"number": 7}),
            "call" => json!({"called": payload}),
            "is_cancelled" => json!(false),
            "is_first" => json!(true),
            "details" if payload["node"].is_null() => {
                json!({"mounts": [], "time_zone": "Etc/UTC", "said_later": 1})
            }
            "details" => json!({"boot_time": 1_700_000_000}),
            _ => Value::Null,
        })
    }
}

/// The tests of one pair of libraries.
pub(super) fn load_and_run(directory: &Path) {
    let registry = Registry::scan(&[directory.to_owned()]);
    assert!(registry.problems().is_empty(), "{:?}", registry.problems());
    assert_eq!(registry.plugins().len(), 2, "{}", directory.display());
    crate_runs(&registry);
    provider_runs(&registry);
}

fn crate_runs(registry: &Registry) {
    let found = registry
        .plugins()
        .iter()
        .find(|found| found.path.to_string_lossy().contains("crate"))
        .unwrap();
    let manifest = registry.crate_manifest("abi-fixture").unwrap();
    assert_eq!((manifest.name.as_str(), manifest.version.as_str()), ("abi-fixture", "1.0.0"));
    let capabilities: &Capabilities = manifest.capabilities.as_ref().unwrap();
    assert_eq!(
        (capabilities.paths.as_slice(), capabilities.commands.as_slice()),
        (&["/srv/fixture/**".to_owned()][..], &["test *".to_owned()][..])
    );
    assert_eq!(found.summary.capabilities, manifest.capabilities);
    assert_eq!(
        (&found.summary.systems, manifest.systems.as_slice()),
        (&manifest.systems, &["debian 12".to_owned(), "rocky 9".to_owned()][..])
    );
    let names: Vec<_> = manifest.functions.iter().map(|function| function.name.as_str()).collect();
    assert_eq!(names[..5], ["everything", "echo", "call", "escape", "panic"]);
    assert!(manifest.functions[0].doc.starts_with("Asks for all that a request has"));
    assert_eq!(manifest.functions[0].parameters["required"], json!(["number"]));

    let host = Arc::new(Host::default());
    let call = |function: &str, arguments: Value| {
        registry.call("abi-fixture", function, host.clone(), &arguments)
    };
    let all = call("everything", json!({"number": 7, "list": ["a"]})).unwrap();
    assert_eq!(
        (&all["target"]["name"], &all["nodes"], &all["phase"]),
        (&json!("web-1"), &json!(["web-1"]), &json!("configure"))
    );
    assert_eq!(
        (&all["environment"]["greeting"], &all["admin"]["name"]),
        (&json!("hello"), &json!("ops"))
    );
    assert_eq!(
        (&all["settings"], &all["others"], &all["list"], &all["text"]),
        (&json!({"number": 7}), &json!(null), &json!(["a"]), &json!(null))
    );
    let actions: Vec<_> = host
        .asked("action")
        .iter()
        .map(|asked| asked["action"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(actions, ["directory", "remote_file", "package", "user", "exec_script", "service"]);
    assert_eq!(
        host.asked("set_settings"),
        [json!({"facility": "fixture", "value": {"number": 7}})]
    );
    assert_eq!(
        (host.asked("enter_scope").len(), host.asked("leave_scope").len(), host.asked("log").len()),
        (2, 2, 1)
    );
    assert_eq!(host.asked("action")[1]["options"]["flag_on_change"], "fixture");

    let deep = json!({"value": {
        "text": "ü\u{1F980}\0", "numbers": [0, -1, 1.5, u64::MAX], "none": null, "list": [[], {}],
    }});
    assert_eq!(call("echo", deep.clone()).unwrap(), deep["value"]);
    let called =
        call("call", json!({"name": "other", "function": "f", "arguments": {"a": 1}})).unwrap();
    assert_eq!(
        (&called["called"]["crate"], &called["called"]["arguments"]),
        (&json!("other"), &json!({"a": 1}))
    );
    assert_eq!(call("panic", json!({})).unwrap_err().kind, ErrorKind::Panicked);
    assert_eq!(
        call("everything", json!({"number": "seven"})).unwrap_err().kind,
        ErrorKind::InvalidInput
    );
    assert_eq!(call("no_such_function", json!({})).unwrap_err().kind, ErrorKind::NotFound);
    // since 1.1
    if names.contains(&"around") {
        runs_around(&host, call("around", json!({"other": "web-2"})).unwrap());
    }
    // since 1.2
    if names.contains(&"knows") {
        let known = call("knows", json!({"other": "web-2"})).unwrap();
        let own = json!({"mounts": [], "time_zone": "Etc/UTC"});
        let other = json!({"boot_time": 1_700_000_000});
        let all = json!({"cores": 4, "own": own, "other": other, "gpus": 2, "none": null});
        assert_eq!(known, all);
        let asked = host.asked("details");
        assert_eq!(asked[0]["details"], json!(["mounts", "time_zone"]));
        assert_eq!(asked[1], json!({"node": "web-2", "details": ["boot_time"]}));
        assert_eq!(host.asked("action").last().unwrap()["options"]["tags"], json!(["fixture"]));
    }
}

/// Actions that run elsewhere, and a block.
fn runs_around(host: &Host, is_first: Value) {
    assert_eq!(is_first, json!(true));
    let at = host.asked("at");
    let script = |at: &Value| at["payload"]["arguments"]["script"].clone();
    let places: Vec<_> = at.iter().map(|at| json!([at["node"], script(at)])).collect();
    assert_eq!(places, [json!(["web-2", "test there"]), json!([null, "test here"])]);
    let blocks = host.asked("enter_block");
    let roles: Vec<_> = blocks.iter().map(|block| block["role"].as_str().unwrap()).collect();
    assert_eq!((roles, host.asked("leave_scope").len()), (vec!["body", "rescue", "always"], 5));
    let body = host.asked("action").into_iter().find(|asked| asked["options"]["timeout"] == 5);
    assert_eq!(body.unwrap()["options"]["ignore_errors"], true);
}

fn provider_runs(registry: &Registry) {
    let manifest = registry.provider_manifest("abi-fixture").unwrap();
    assert_eq!(manifest.options["required"], json!(["system"]));
    let host = Arc::new(Host::default());
    let service = |options: Value| {
        let Value::Object(options) = options else { unreachable!() };
        let context = ServiceContext {
            project: "shop".into(),
            service: "there".into(),
            home: "/home/ops".into(),
            host: ServiceHost::new(host.clone()),
            ..ServiceContext::default()
        };
        registry.service("abi-fixture", options, context)
    };
    assert!(
        service(json!({"system": ""}))
            .err()
            .unwrap()
            .to_string()
            .contains("there is no system; name one")
    );
    assert!(service(Value::Object(Map::new())).is_err());

    let service: Arc<dyn Service> = service(json!({"system": "debian 12", "ram": 512})).unwrap();
    let offers = service.offers(&WantedOffers::default()).unwrap();
    assert_eq!(
        (offers.images[0].os.clone().unwrap().to_string().as_str(), offers.hardware[0].ram),
        ("debian 12 (x86_64)", 512)
    );
    assert_eq!(
        (offers.images[0].min_disk, offers.hardware[0].price, offers.locations[0].id.as_str()),
        (Some(8), Some(0.5), "here")
    );
    let mut wanted = RunNodes {
        group: "web".into(),
        names: vec!["web-1".into(), "bad".into()],
        ..RunNodes::default()
    };
    wanted.spec.tags = BTreeMap::from([("team".to_owned(), "shop".to_owned())]);
    wanted.image = Some(offers.images[0].clone());
    let made = service.run_nodes(&wanted).unwrap();
    let [Created::Node(node), Created::Failed(error)] = made.as_slice() else { panic!("{made:?}") };
    assert_eq!(
        (node.id.as_str(), node.group.as_deref(), error.kind),
        ("shop-web-1", Some("web"), ErrorKind::Transient)
    );
    assert_eq!(
        (node.ports.get(&80).map(String::as_str), node.tags["team"].as_str(), node.taggable),
        (Some("127.0.0.1:20080"), "shop", true)
    );
    assert_eq!(node.os, Some(Os::named("debian 12", "x86_64")));
    let Connection::Ssh(ssh) = &node.connection else { panic!("{node:?}") };
    assert_eq!(
        (ssh.host.as_str(), ssh.port, ssh.user.as_deref(), ssh.host_keys.len()),
        ("192.0.2.7", Some(2222), Some("root"), 1)
    );
    assert_eq!(host.asked("progress"), [json!("makes web-1"), json!("makes bad")]);
    service.tag_node("shop-web-1", &BTreeMap::from([("a".to_owned(), "b".to_owned())])).unwrap();
    assert_eq!(service.tag_node("none", &BTreeMap::new()).unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!(service.nodes().unwrap()[0].tags["a"], "b");
    assert_eq!(service.credentials().unwrap()[0].source, "/home/ops");
    let lease = |token: &str| Lease { token: token.into(), until: 1, ..Lease::default() };
    assert_eq!(service.take_lease(&lease("one")).unwrap(), None);
    assert_eq!(service.take_lease(&lease("two")).unwrap().unwrap().token, "one");
    service.release_lease("one").unwrap();
    assert_eq!(service.take_lease(&lease("two")).unwrap(), None);
    assert_eq!(service.clean_up().unwrap_err().kind, ErrorKind::Panicked);
    service.destroy_nodes(&["shop-web-1".to_owned()]).unwrap();
    assert!(service.nodes().unwrap().is_empty());
}

#[test]
#[cfg(target_arch = "x86_64")]
fn every_kept_plugin_loads_and_runs() {
    for directory in kept() {
        load_and_run(&directory);
    }
}

/// With the engine: actions are planned, and undeclared capabilities are refused.
#[test]
#[cfg(target_arch = "x86_64")]
fn a_kept_crate_is_planned_by_todays_engine() {
    for directory in kept() {
        let plan = |code: &str| {
            let project = Project::empty().set("PALLET_PLUGIN_PATH", &directory);
            project.write(
                "pallet.toml",
                "[services.here]\nprovider = \"localhost\"\n\
                group = \"app\"\n",
            );
            let load = "load(\"@abi-fixture\", \"abi_fixture\")";
            project.write(
                "pallet.star",
                format!(
                    "{load}\ndef configure(request):\n    {code}\n\n\
                    group_spec(\"app\", phases = {{\"configure\": configure}})\n"
                ),
            );
            project.run(&["lift", "--dry-run"])
        };
        // with a source that may have the package of the fixture
        let source = "package_source(request, \"fixture\", apt = \
            {\"url\": \"http://127.0.0.1:1/fixture\", \"allow_unsigned\": True})";
        plan(&format!("{source}\n    abi_fixture.everything(request, 1)"))
            .says("directory /srv/fixture")
            .says("package fixture")
            .says("a warning");
        plan("abi_fixture.escape(request)")
            .exits(1)
            .says("crate abi-fixture, function escape")
            .says("/etc/fixture");
        plan("abi_fixture.everything(request, \"one\")").exits(2).says("number");
    }
}

#[test]
fn kept_plugins_are_small_and_as_they_were() {
    for directory in kept() {
        for entry in std::fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap()) {
            let size = entry.metadata().unwrap().len();
            assert!(size < 1 << 20, "{} has {size} bytes", entry.path().display());
        }
    }
    let sums = std::fs::read_to_string(root().join("tests/fixtures/abi/kept/SHA256SUMS")).unwrap();
    for directory in kept() {
        for entry in std::fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()) {
            let digest = pallet_core::model::digest(&std::fs::read(&entry).unwrap());
            let name = entry
                .strip_prefix(root().join("tests/fixtures/abi/kept"))
                .unwrap()
                .display()
                .to_string();
            assert!(
                sums.lines().any(|line| line == format!("{digest}  {name}")),
                "{name} is not the library that SHA256SUMS records"
            );
        }
    }
}
