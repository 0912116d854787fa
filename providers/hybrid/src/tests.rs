//! Tests of which service gets which request, with services that record them.

use std::sync::{Arc, Mutex};

use pallet_core::plugin::operation::InvokeService;
use pallet_core::prelude::*;

use super::Hybrid;

/// Services `one` and `two`, each with one node. `two` is leased by somebody else.
#[derive(Default)]
struct Host {
    asked: Mutex<Vec<String>>,
}

impl RequestHost for Host {
    fn invoke(&self, operation: &str, payload: Value) -> Result<Value, PluginError> {
        assert_eq!(operation, "service");
        let asked: InvokeService = serde_json::from_value(payload).unwrap();
        self.asked
            .lock()
            .unwrap()
            .push(format!("{} {} {}", asked.service, asked.operation, asked.payload));
        let node = Node {
            group: Some("web".into()),
            ..Node::new("i-1", format!("{}-1", asked.service), Connection::Local)
        };
        Ok(match asked.operation.as_str() {
            "nodes" => json!([node]),
            "run_nodes" => json!([{"node": node}, {"failed": {"message": "no room"}}]),
            "offers" => json!({"images": [{"id": "debian", "name": ""}]}),
            "take_lease" if asked.service == "two" => json!({"holder": "somebody"}),
            "destroy_nodes" if asked.service == "one" => {
                return Err(PluginError::transient("busy"));
            }
            "clean_up" => {
                return Err(PluginError::transient("in use").with_help("wait"));
            }
            _ => Value::Null,
        })
    }
}

fn hybrid(options: Value) -> (Result<Hybrid>, Arc<Host>) {
    let host = Arc::new(Host::default());
    let context = ServiceContext {
        service: "all".into(),
        host: ServiceHost::new(host.clone()),
        ..ServiceContext::default()
    };
    (Hybrid::connect(serde_json::from_value(options).unwrap(), context), host)
}

fn both() -> (Hybrid, Arc<Host>) {
    let (hybrid, host) = hybrid(json!({"groups": {"web": "one"}, "default": "two"}));
    (hybrid.unwrap(), host)
}

#[test]
fn nodes_of_all_services_are_told_apart() {
    let ids: Vec<_> = both().0.nodes().unwrap().into_iter().map(|node| node.id).collect();
    assert_eq!(ids, ["one/i-1", "two/i-1"]);
}

#[test]
fn a_group_is_made_where_it_belongs() {
    let (hybrid, host) = both();
    let run = |group: &str| {
        hybrid.run_nodes(&RunNodes { group: group.into(), ..RunNodes::default() }).unwrap()
    };
    let web = run("web");
    assert!(matches!(&web[0], Created::Node(node) if node.id == "one/i-1"), "{web:?}");
    assert!(
        matches!(&web[1], Created::Failed(error) if error.message == "service one: no room"),
        "{web:?}"
    );
    assert!(matches!(&run("database")[0], Created::Node(node) if node.id == "two/i-1"));
    let asked: Vec<_> = host
        .asked
        .lock()
        .unwrap()
        .iter()
        .map(|asked| asked.split(' ').take(2).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(asked, ["one run_nodes", "two run_nodes"]);
}

#[test]
fn a_service_that_fails_keeps_no_other() {
    let (hybrid, host) = both();
    let ids = ["one/i-1".into(), "one/i-9".into(), "two/i-1".into(), "two/i-2".into()];
    let error = PluginError::from(hybrid.destroy_nodes(&ids).unwrap_err());
    assert_eq!(error.to_string(), "service one: busy");
    let asked = [
        r#"one destroy_nodes [["i-1","i-9"]]"#,
        "one nodes null",
        r#"two destroy_nodes [["i-1","i-2"]]"#,
    ];
    assert_eq!(*host.asked.lock().unwrap(), asked);
    // nodes that still exist have failed; of the others, one was already gone, and two were
    // destroyed
    let left: Vec<_> =
        error.nodes.iter().map(|(id, error)| (id.as_str(), error.to_string())).collect();
    assert_eq!(left, [("one/i-1", "service one: busy".to_owned())]);
    assert!(
        hybrid.destroy_nodes(&["three/i-1".into()]).unwrap_err().to_string().contains("three/i-1")
    );
}

#[test]
fn errors_of_several_services_are_all_told() {
    let error = both().0.clean_up().unwrap_err().to_string();
    assert_eq!(error, "service one: in use; wait; service two: in use; wait");
}

#[test]
fn a_lease_is_taken_everywhere_or_nowhere() {
    let (hybrid, host) = both();
    let other =
        hybrid.take_lease(&Lease { token: "mine".into(), ..Lease::default() }).unwrap().unwrap();
    assert_eq!(other.holder, "somebody");
    let asked = host.asked.lock().unwrap();
    assert_eq!(asked[2..], [r#"one release_lease ["mine"]"#, r#"two release_lease ["mine"]"#]);
}

#[test]
fn offers_are_those_of_the_groups_service() {
    let (hybrid, _) = both();
    let ids = |group: Option<&str>| -> Vec<_> {
        let wanted = WantedOffers { group: group.map(str::to_owned), ..WantedOffers::default() };
        hybrid.offers(&wanted).unwrap().images.into_iter().map(|image| image.id).collect()
    };
    assert_eq!(ids(Some("web")), ["debian"]);
    assert_eq!(ids(None), ["one/debian", "two/debian"]);
}

#[test]
fn what_is_at_no_service_is_an_error() {
    let (only, _) = hybrid(json!({"groups": {"web": "one"}}));
    let error = only
        .unwrap()
        .run_nodes(&RunNodes { group: "db".into(), ..RunNodes::default() })
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("no service for group db") && error.contains("services.all.groups"),
        "{error}"
    );
    let error = hybrid(json!({"groups": {}})).0.err().unwrap().to_string();
    assert!(error.contains("services.all names no other service"), "{error}");
}
