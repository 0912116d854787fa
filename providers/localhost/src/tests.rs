//! Tests of the only node and its stored role.

use super::*;

fn context(data: &std::path::Path, project: &str) -> ServiceContext {
    ServiceContext {
        project: project.into(),
        service: "here".into(),
        data_directory: data.join("localhost"),
        ..Default::default()
    }
}

fn service(group: Option<&str>, context: ServiceContext) -> Localhost {
    Localhost::connect(Options { group: group.map(str::to_owned) }, context).unwrap()
}

fn wish(group: &str, names: &[&str]) -> RunNodes {
    RunNodes {
        group: group.into(),
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        ..Default::default()
    }
}

#[test]
fn it_becomes_the_first_node_that_is_asked_for_until_that_is_destroyed() {
    let data = tempfile::tempdir().unwrap();
    let here = service(None, context(data.path(), "a/b"));
    assert_eq!(here.nodes().unwrap(), vec![]);
    let created = here.run_nodes(&wish("web", &["web-1", "web-2"])).unwrap();
    let Created::Node(node) = &created[0] else { panic!("{created:?}") };
    assert_eq!(
        (node.name.as_str(), node.group.as_deref(), &node.connection),
        ("web-1", Some("web"), &Connection::Local)
    );
    let Created::Failed(error) = &created[1] else { panic!("{created:?}") };
    assert!(
        error.to_string().contains("one machine, which is web-1 of group web; not web-2"),
        "{error}"
    );

    // another process finds it, another project does not
    assert_eq!(service(None, context(data.path(), "a/b")).nodes().unwrap(), [(**node).clone()]);
    assert_eq!(service(None, context(data.path(), "a.b")).nodes().unwrap(), vec![]);
    assert!(matches!(
        &here.run_nodes(&wish("web", &["web-1"])).unwrap()[0],
        Created::Node(again) if again == node
    ));
    assert!(matches!(&here.run_nodes(&wish("db", &["web-1"])).unwrap()[0], Created::Failed(_)));

    here.destroy_nodes(&["another".into()]).unwrap();
    assert_eq!(here.nodes().unwrap().len(), 1);
    here.destroy_nodes(std::slice::from_ref(&node.id)).unwrap();
    assert_eq!(here.nodes().unwrap(), vec![]);
    here.clean_up().unwrap();
    assert_eq!(std::fs::read_dir(data.path()).unwrap().count(), 0, "nothing is left");
}

#[test]
fn an_option_says_what_it_is() {
    let data = tempfile::tempdir().unwrap();
    let here = service(Some("web"), context(data.path(), "shop"));
    let node = here.nodes().unwrap().remove(0);
    assert_eq!((node.name.as_str(), node.group.as_deref()), ("localhost", Some("web")));
    assert!(matches!(
        &here.run_nodes(&wish("db", &["db-1"])).unwrap()[0],
        Created::Failed(error) if error.kind == ErrorKind::Unsupported
    ));
    here.destroy_nodes(&[node.id]).unwrap();
    assert_eq!(std::fs::read_dir(data.path()).unwrap().count(), 0, "nothing is remembered");
    let wrong =
        Localhost::connect(Options { group: Some("Web".into()) }, context(data.path(), "shop"));
    assert!(wrong.is_err());
}

#[test]
fn a_file_that_is_no_memory_is_named() {
    let data = tempfile::tempdir().unwrap();
    let here = service(None, context(data.path(), "shop"));
    std::fs::create_dir_all(data.path().join("localhost")).unwrap();
    std::fs::write(&here.memory, "no json").unwrap();
    let error = here.nodes().unwrap_err();
    assert!(error.to_string().contains("shop+here.json"), "{error}");
}
