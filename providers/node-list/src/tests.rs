//! Tests of valid and invalid lists.

use pallet_core::model::PackageManager;
use pallet_core::prelude::*;

use super::*;

fn context() -> ServiceContext {
    ServiceContext {
        service: "farm".into(),
        directory: "/project".into(),
        home: "/home/ada".into(),
        ..Default::default()
    }
}

fn list(nodes: Value) -> Result<NodeList, PluginError> {
    let options = serde_json::from_value(json!({ "nodes": nodes }))
        .map_err(|error| PluginError::invalid_input(error.to_string()))?;
    Ok(NodeList::connect(options, context())?)
}

fn refused(nodes: Value) -> String {
    let Err(error) = list(nodes) else { panic!("it was taken") };
    assert_eq!(error.kind, ErrorKind::InvalidInput, "{error}");
    error.to_string()
}

fn web() -> NodeList {
    list(json!({ "web-1": { "group": "web", "host": "192.0.2.1" }, "web-2": { "group": "web" } }))
        .unwrap()
}

#[test]
fn both_forms_mean_the_same() {
    let full = json!({
        "group": "web", "host": "192.0.2.1", "port": 2222, "user": "ops", "identity_files": [
            "~/.ssh/farm", "keys/farm", "/etc/key",
        ],
        "host_keys": ["ssh-ed25519 AAAA"], "address": "198.51.100.7",
        "tags": { "rack": "a" }, "os": "rocky 9.4",
    });
    let table = list(json!({ "web-1": full })).unwrap();
    let mut named = full.clone();
    named["name"] = "web-1".into();
    assert_eq!(table.nodes().unwrap(), list(json!([named])).unwrap().nodes().unwrap());

    let node = table.nodes().unwrap().remove(0);
    assert_eq!(
        (node.id.as_str(), node.group.as_deref(), node.address.as_deref()),
        ("web-1", Some("web"), Some("198.51.100.7"))
    );
    assert!(!node.taggable && node.permanent);
    let os = node.os.unwrap();
    assert_eq!(
        (os.id.as_str(), os.version.as_str(), os.package_manager),
        ("rocky", "9.4", PackageManager::Dnf)
    );
    let Connection::Ssh(ssh) = node.connection else { panic!("not over ssh") };
    assert_eq!(
        (ssh.host.as_str(), ssh.port, ssh.user.as_deref()),
        ("192.0.2.1", Some(2222), Some("ops"))
    );
    assert_eq!(ssh.identity_files, ["/home/ada/.ssh/farm", "/project/keys/farm", "/etc/key"]);
    assert_eq!(ssh.host_keys, ["ssh-ed25519 AAAA"]);
}

#[test]
fn a_host_is_by_default_the_name() {
    let nodes = web().nodes().unwrap();
    let Connection::Ssh(ssh) = &nodes[1].connection else { panic!("not over ssh") };
    assert_eq!((ssh.host.as_str(), ssh.port, nodes[1].address.as_deref()), ("web-2", None, None));
    assert_eq!(nodes[0].address.as_deref(), Some("192.0.2.1"));
}

#[test]
fn mistakes_in_the_list_are_named() {
    let cases = [
        (json!({ "Web": { "group": "web" } }), "node `Web` has no valid name"),
        (json!({ "web-1": { "group": "Web!" } }), "belongs to group `Web!`"),
        (json!({ "web-1": {} }), "node web-1: missing field `group`"),
        (json!({ "web-1": { "group": "web", "hots": "x" } }), "unknown field `hots`"),
        (
            json!({ "web-1": { "group": "web", "name": "web-2" } }),
            "node web-1: its key is its name",
        ),
        (json!({ "web-1": { "group": "web", "host": "" } }), "has an empty `host`"),
        (
            json!({ "web-1": { "group": "web", "host": "root@h" } }),
            r#"write host = "h" and user = "root""#,
        ),
        (
            json!({ "web-1": { "group": "web", "host": "10.0.0.1:22" } }),
            r#"write host = "10.0.0.1" and port = 22"#,
        ),
        (
            json!({ "web-1": { "group": "web", "host": "[2001:db8::1]:22" } }),
            r#"write host = "[2001:db8::1]" and port = 22"#,
        ),
        (
            json!({ "web-1": { "group": "web", "host": "-oProxyCommand=x" } }),
            r#"has the host "-oProxyCommand=x", which ssh cannot connect to"#,
        ),
        (json!({ "web-1": { "group": "web", "host": "ssh://h" } }), "which ssh cannot connect to"),
        (json!({ "web-1": { "group": "web", "user": "a b" } }), r#"has the user "a b""#),
        (json!({ "web-1": { "group": "web", "port": 0 } }), "has port 0"),
        (json!([{ "group": "web" }]), "node 1 of the list has no `name`"),
        (
            json!([{ "name": "a", "group": "web" }, { "name": "a", "group": "web", "host": "b" }]),
            "node `a` is listed twice",
        ),
        (
            json!({ "a": { "group": "web", "host": "h" }, "b": { "group": "db", "host": "h" } }),
            "is the same machine as `a`",
        ),
        (json!("web-1"), "a table of machines by name, or a list of them"),
    ];
    for (nodes, expected) in cases {
        let message = refused(nodes);
        assert!(message.contains(expected), "{message}");
    }
    let tunnels = json!({
        "a": { "group": "web", "host": "h", "port": 1 },
        "b": { "group": "web", "host": "h", "port": 2 },
    });
    assert_eq!(
        list(tunnels).unwrap().nodes().unwrap().len(),
        2,
        "ports tell machines behind one address apart"
    );
}

#[test]
fn fault_25_a_machine_is_the_same_however_its_host_is_written() {
    let same = [
        (
            json!({ "group": "b", "host": "10.78.1.1" }),
            json!({ "group": "b", "host": "10.78.1.1", "port": 22 }),
        ),
        (
            json!({ "group": "b", "host": "web.example.com" }),
            json!({ "group": "b", "host": "Web.Example.com." }),
        ),
        (
            json!({ "group": "b", "host": "2001:db8::1" }),
            json!({ "group": "b", "host": "[2001:0db8:0::0001]" }),
        ),
        (
            json!({ "group": "b", "host": "::ffff:10.78.1.1" }),
            json!({ "group": "b", "host": "10.78.1.1", "user": "ops" }),
        ),
        (
            json!({ "group": "b", "host": "h", "port": 2222 }),
            json!({ "group": "b", "host": "H", "port": 2222 }),
        ),
    ];
    for (one, two) in same {
        let message = refused(json!({ "web-1": one, "web-2": two }));
        assert!(message.contains("node `web-2` is the same machine as `web-1`"), "{message}");
    }
}

#[test]
fn machines_are_neither_made_nor_destroyed() {
    let list = web();
    let wanted = RunNodes {
        group: "web".into(),
        names: vec!["web-1".into(), "web-3".into()],
        ..Default::default()
    };
    let created = list.run_nodes(&wanted).unwrap();
    assert!(
        matches!(&created[0], Created::Node(node) if node.name == "web-1"),
        "what is listed is there"
    );
    let Created::Failed(error) = &created[1] else { panic!("it made one") };
    assert_eq!(error.kind, ErrorKind::Unsupported);
    let text = error.to_string();
    assert!(
        text.contains("not web-3")
            && text.contains("web-1 (192.0.2.1), web-2")
            && text.contains("services.farm.nodes"),
        "{text}"
    );

    let error = PluginError::from(list.destroy_nodes(&["web-1".into()]).unwrap_err());
    assert_eq!(error.kind, ErrorKind::Unsupported);
    assert!(error.to_string().contains("never destroys machines, so not web-1"), "{error}");
    list.destroy_nodes(&["unknown".into()]).unwrap();
}
