//! A panic in a plugin is an error with its message, and the program continues.

use pallet_core::plugin::{ErrorKind, ServiceContext};
use pallet_tests::workspace;
use serde_json::{Map, json};

use super::{Plugins, is_one_line, nobody};

#[test]
fn a_function_that_panics_is_an_error() {
    let plugins = Plugins::of([workspace().fixture("crate_panics")]);
    let texts = [
        ("with_text", "a plain text"),
        ("with_format", "index out of bounds: the len is 0 but the index is 7"),
        ("with_value", "without a message"),
        ("with_a_bomb", "without a message"),
    ];
    let functions = plugins.registry.crate_manifest("panics").unwrap().functions;
    assert_eq!(functions.len(), texts.len());
    for (function, text) in texts {
        let error = plugins.registry.call("panics", function, nobody(), &json!({})).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Panicked);
        assert!(
            error.to_string().contains(text) && error.to_string().contains(function),
            "{error}"
        );
        is_one_line(&error.to_string());
    }
}

#[test]
fn a_crate_that_panics_before_anything_is_called_is_an_error() {
    let plugins = Plugins::of([workspace().fixture("crate_panics_early")]);
    let error = plugins.registry.crate_manifest("panics-early").unwrap_err().to_string();
    assert!(error.contains("panics-early") && error.contains("no functions today"), "{error}");
    is_one_line(&error);
}

#[test]
fn a_provider_that_panics_is_an_error_wherever_it_does() {
    let plugins = Plugins::of([workspace().fixture("provider_panics")]);
    let service = |at: &str| {
        let options = Map::from_iter([("at".to_owned(), json!(at))]);
        plugins.registry.service("panics", options, ServiceContext::default())
    };
    let Err(error) = service("connect") else { panic!("it did not panic") };
    assert!(error.to_string().contains("connect is where I stop"), "{error}");
    is_one_line(&error.to_string());

    let error = service("nodes").unwrap().nodes().unwrap_err();
    assert!(
        error.kind == ErrorKind::Panicked && error.to_string().contains("nodes is where I stop"),
        "{error}"
    );
    let error = service("destroy_nodes").unwrap().destroy_nodes(&[]).unwrap_err();
    assert!(
        error.kind == ErrorKind::Panicked
            && error.to_string().contains("destroy_nodes is where I stop"),
        "{error}"
    );

    // a plugin that does not panic continues to work
    assert_eq!(service("nowhere").unwrap().nodes().unwrap(), []);
}
