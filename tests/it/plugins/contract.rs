//! The contract of every plugin in the workspace. They are found by cargo's output, not by name.

use std::fs;

use pallet_core::abi::abi_stable::erased_types::TD_Opaque;
use pallet_core::abi::abi_stable::library::lib_header_from_path;
use pallet_core::abi::abi_stable::std_types::{RArc, RResult, RSlice, RStr, RVec};
use pallet_core::abi::{HostApi, HostApi_TO, Outcome, PluginModuleRef};
use pallet_core::model::{ABI_VERSION, PluginKind};
use pallet_core::plugin::{ErrorKind, ServiceContext};
use pallet_core::plugins::FoundPlugin;
use pallet_tests::workspace;
use serde_json::{Map, Value, json};
use toml::Table;

use super::{Plugins, is_one_line, nobody};

fn all() -> Plugins {
    Plugins::of(workspace().plugins().map(|artifact| artifact.file.as_path()))
}

/// The plugins of one kind, by name.
fn of_kind(plugins: &Plugins, kind: PluginKind) -> Vec<&FoundPlugin> {
    let found: Vec<_> =
        plugins.registry.plugins().iter().filter(|found| found.summary.kind == kind).collect();
    assert!(!found.is_empty(), "the workspace has no {kind:?}");
    found
}

#[test]
fn every_library_is_found() {
    let plugins = all();
    assert!(plugins.registry.problems().is_empty(), "{:?}", plugins.registry.problems());
    assert_eq!(plugins.registry.plugins().len(), workspace().plugins().count());
}

#[test]
fn the_summary_says_what_the_package_says() {
    let plugins = all();
    for artifact in workspace().plugins() {
        let file = artifact.file.file_name().unwrap();
        let found = plugins
            .registry
            .plugins()
            .iter()
            .find(|found| found.path.file_name() == Some(file))
            .unwrap();
        let package: Table =
            fs::read_to_string(artifact.package.join("Cargo.toml")).unwrap().parse().unwrap();
        let (folder, parent) = (
            artifact.package.file_name().unwrap(),
            artifact.package.parent().unwrap().file_name().unwrap(),
        );
        assert_eq!(found.summary.name.as_str(), folder, "{}", artifact.package.display());
        assert_eq!(
            found.summary.version.to_string(),
            package["package"]["version"].as_str().unwrap(),
            "{}",
            artifact.package.display()
        );
        assert_eq!(found.summary.abi.to_string(), ABI_VERSION, "{}", artifact.package.display());
        let kind = if parent == "providers" { PluginKind::Provider } else { PluginKind::Crate };
        assert_eq!(found.summary.kind, kind, "{}", artifact.package.display());
    }
}

#[test]
fn every_requirement_is_met() {
    let plugins = all();
    for found in plugins.registry.plugins() {
        plugins.registry.check_requirements(found).unwrap();
    }
}

#[test]
fn every_crate_documents_its_functions_and_their_parameters() {
    let plugins = all();
    for found in of_kind(&plugins, PluginKind::Crate) {
        let name = &found.summary.name;
        let manifest = plugins.registry.crate_manifest(name).unwrap();
        assert_eq!((&manifest.name, &manifest.version), (name, &found.summary.version.to_string()));
        is_one_line(&manifest.about);
        manifest.check_names().unwrap();
        assert!(!manifest.functions.is_empty(), "{name} has no functions");
        for function in &manifest.functions {
            let place = format!("{name}.{}", function.name);
            assert!(
                function.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'),
                "{place}: not snake_case"
            );
            let first = function.doc.split("\n\n").next().unwrap_or_default();
            assert!(
                first.len() > 10 && first.ends_with('.'),
                "{place}: its documentation begins with no sentence: {first:?}"
            );
            assert_documented(&place, &function.parameters);
            assert_eq!(
                function.parameters["additionalProperties"], false,
                "{place} takes arguments that it does not know"
            );
        }
    }
}

#[test]
fn every_provider_documents_its_options() {
    let plugins = all();
    for found in of_kind(&plugins, PluginKind::Provider) {
        let name = &found.summary.name;
        let manifest = plugins.registry.provider_manifest(name).unwrap();
        assert_eq!((&manifest.name, &manifest.version), (name, &found.summary.version.to_string()));
        is_one_line(&manifest.about);
        assert_documented(name, &manifest.options);
    }
}

/// Asserts that a JSON schema is that of an object, and that all properties have descriptions.
#[track_caller]
fn assert_documented(place: &str, schema: &Value) {
    assert_eq!(schema["type"], "object", "{place}: its parameters are no object");
    for (parameter, schema) in schema["properties"].as_object().unwrap_or(&Map::new()) {
        let description = schema["description"].as_str().unwrap_or_default();
        assert!(description.len() > 5, "{place}: the parameter {parameter} has no documentation");
    }
}

#[test]
fn wrong_arguments_are_an_error() {
    let plugins = all();
    for found in of_kind(&plugins, PluginKind::Crate) {
        let name = &found.summary.name;
        for function in plugins.registry.crate_manifest(name).unwrap().functions {
            for arguments in
                [json!({"no-such-argument": 1}), json!([1, 2]), json!("text"), json!(null)]
            {
                let error =
                    plugins.registry.call(name, &function.name, nobody(), &arguments).unwrap_err();
                assert_eq!(
                    error.kind,
                    ErrorKind::InvalidInput,
                    "{name}.{} with {arguments}: {error}",
                    function.name
                );
                assert!(
                    error.message.contains(&function.name),
                    "{error} does not name {}",
                    function.name
                );
                is_one_line(&error.to_string());
            }
        }
    }
}

#[test]
fn a_function_passes_on_that_the_host_fails() {
    let plugins = all();
    for found in of_kind(&plugins, PluginKind::Crate) {
        let name = &found.summary.name;
        for function in plugins.registry.crate_manifest(name).unwrap().functions {
            let arguments = required(&function.parameters);
            let error =
                plugins.registry.call(name, &function.name, nobody(), &arguments).unwrap_err();
            // what stands in for a parameter may be none of its choices
            assert!(
                error.kind != ErrorKind::Panicked,
                "{name}.{} with {arguments}: {error:?}",
                function.name
            );
            is_one_line(&error.to_string());
        }
    }
}

/// An argument of the right type for each required parameter.
fn required(schema: &Value) -> Value {
    let names = schema["required"].as_array().cloned().unwrap_or_default();
    let value = |name: &str| match schema["properties"][name]["type"].as_str() {
        Some("integer" | "number") => json!(80),
        Some("boolean") => json!(true),
        Some("array") => json!([]),
        Some("object") => json!({}),
        _ => json!("/srv/text"),
    };
    names
        .iter()
        .filter_map(Value::as_str)
        .map(|name| (name.to_owned(), value(name)))
        .collect::<Map<_, _>>()
        .into()
}

#[test]
fn an_unknown_function_is_an_error() {
    let plugins = all();
    for found in of_kind(&plugins, PluginKind::Crate) {
        let error = plugins
            .registry
            .call(&found.summary.name, "no_such_function", nobody(), &json!({}))
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::NotFound);
        assert!(
            error.message.contains("no_such_function")
                && error.message.contains(&found.summary.name),
            "{error}"
        );
        is_one_line(&error.to_string());
    }
}

#[test]
fn unknown_options_are_an_error() {
    let plugins = all();
    for found in of_kind(&plugins, PluginKind::Provider) {
        let options = Map::from_iter([("no-such-option".to_owned(), json!(1))]);
        let Err(error) =
            plugins.registry.service(&found.summary.name, options, ServiceContext::default())
        else {
            panic!("{} takes options that it does not know", found.summary.name)
        };
        assert!(error.to_string().contains("no-such-option"), "{error}");
        is_one_line(&error.to_string());
    }
}

#[test]
fn a_missing_plugin_is_an_error_that_says_what_there_is() {
    let plugins = all();
    for found in plugins.registry.plugins() {
        let near = &found.summary.name[..found.summary.name.len() - 1];
        let error = match found.summary.kind {
            PluginKind::Crate => plugins.registry.crate_manifest(near).unwrap_err(),
            _ => plugins.registry.provider_manifest(near).unwrap_err(),
        };
        assert!(error.to_string().contains(&found.summary.name), "{error}");
    }
}

/// A newer host may request an operation that an older plugin does not have. It is called directly
/// at the boundary, because there is no method for it.
#[test]
fn an_unknown_operation_is_unsupported() {
    #[derive(Clone)]
    struct NoHost;
    impl HostApi for NoHost {
        fn invoke(&self, _: RStr<'_>, _: RSlice<'_, u8>) -> Outcome {
            RResult::RErr(RVec::new())
        }
    }
    let plugins = all();
    for found in of_kind(&plugins, PluginKind::Provider) {
        let header = lib_header_from_path(&found.path).unwrap();
        let module = header.init_root_module::<PluginModuleRef>().unwrap();
        let service = serde_json::to_vec(&json!({"options": {}})).unwrap();
        let host = HostApi_TO::from_ptr(RArc::new(NoHost), TD_Opaque);
        // a provider with required options reports them; a test above checks that it does not panic
        let RResult::ROk(provider) = (module.provider())(host, RSlice::from_slice(&service)) else {
            continue;
        };
        let answer = provider.invoke("no_such_operation".into(), RSlice::from_slice(b"null"));
        let error: Value = serde_json::from_slice(&answer.unwrap_err()).unwrap();
        assert_eq!(error["kind"], "unsupported", "{error}");
        assert!(error["message"].as_str().unwrap().contains("no_such_operation"), "{error}");
    }
}
