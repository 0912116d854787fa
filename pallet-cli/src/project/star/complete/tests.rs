//! Tests of completion at a position marked with `|`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::project::star::language::Language;
use crate::project::star::scope::KnownName;
use crate::project::star::signature::Parameter;

/// The candidates at `|`.
fn offered(marked: &str) -> Vec<String> {
    let language = Language::new(["db"].into_iter());
    let mut scope = CompletionScope {
        names: language
            .known()
            .iter()
            .map(|(name, known)| (name.clone(), Name::known(known)))
            .collect(),
        ..CompletionScope::default()
    };
    let mut lift = super::super::functions::plain_signature("lift");
    let parameter = |name: &str, kind, positional| Parameter {
        name: name.to_owned(),
        kind,
        required: false,
        positional,
    };
    lift.parameters =
        vec![parameter("what", Kind::Targets, true), parameter("phase", Kind::PhaseChoices, false)];
    scope.names.insert("lift".into(), Name::known(&KnownName::Function(Arc::new(lift))));
    let nginx = BTreeMap::from([
        ("install".to_owned(), Name::default()),
        ("site".to_owned(), Name::default()),
    ]);
    scope.names.insert("nginx".into(), Name { attributes: nginx, ..Name::default() });
    scope.groups = vec!["web".into()];
    scope.nodes = vec!["web-1".into()];
    scope.phases = vec!["configure".into(), "restart".into()];
    scope.crates = vec!["nginx".into()];
    let at = marked.find('|').unwrap();
    complete(&marked.replacen('|', "", 1), at, &scope)
        .candidates
        .into_iter()
        .map(|candidate| candidate.text)
        .collect()
}

#[test]
fn names_attributes_and_keywords() {
    assert_eq!(offered("remote_f|"), ["remote_file"]);
    assert_eq!(offered("nginx.s|"), ["site"]);
    assert_eq!(offered("x = nginx.|"), ["install", "site"]);
    assert_eq!(offered("remote_file(request, \"/x\", co|"), ["content = ", "continue"]);
    assert_eq!(offered("request.target.os.v|"), ["version"]);
    assert_eq!(offered("def f(request, portal):\n    directory(request, por|"), ["portal"]);
    assert_eq!(offered("f().x.|"), Vec::<String>::new());
    assert_eq!(offered("# remote_f|"), Vec::<String>::new());
    assert!(offered("lift(|").contains(&"phase = ".to_owned()));
    assert!(!offered("lift(phase = \"x\", |").contains(&"phase = ".to_owned()));
}

#[test]
fn what_stands_in_strings() {
    assert_eq!(offered("lift(\"w|"), ["web", "web-1"]);
    assert_eq!(offered("lift([\"web-1\", \"|"), ["web", "web-1"]);
    assert_eq!(offered("lift(web, phase = \"re|"), ["restart"]);
    assert_eq!(offered("load(\"@ng|"), ["@nginx"]);
    assert_eq!(offered("service(request, \"x\", action = \"res|"), ["restart"]);
    assert_eq!(offered("secret(\"|"), ["db"]);
    assert_eq!(offered("directory(request, \"/w|"), Vec::<String>::new());
}

#[test]
fn the_call_around_a_place() {
    let scope = CompletionScope::default();
    let call = call_at("f(1, g(2), lambda a, b = 1: 2, c = [", 36, &scope).unwrap();
    assert_eq!(
        (call.function.as_str(), call.positional, call.keyword.as_deref()),
        ("f", 3, Some("c"))
    );
    assert!(call_at("f(1)", 4, &scope).is_none());
    let (range, name, _) = name_at("x = nginx.site(1)", 12, &scope).unwrap();
    assert_eq!((range, name.as_str()), (4..14, "nginx.site"));
}
