//! What pallet.toml says: environments, services and secrets.

use super::bed::{Bed, star};
use crate::project::LoadOptions;
use expect_test::expect;
use serde_json::json;

#[test]
fn environments_are_merged_in_order() {
    let bed = Bed::new(&[
        (
            "user.toml",
            "[environment]\na = 'user'\nb = 'user'\nc = 'user'\nd = 'user'\n\
             [services.lab]\ntoken = { env = 'T' }\n",
        ),
        (
            "pallet.toml",
            "[services.lab]\nprovider = 'docker'\n\
             environment = { b = 'service', c = 'service', d = 'service' }\n[environment]\n\
             c = 'project'\nd = 'project'\n",
        ),
        ("pallet.star", "group_spec('web', count = 1)\n"),
    ]);
    let options = LoadOptions {
        user_config: Some(bed.path().join("user.toml")),
        environment_override: json!({"d": "command line"}).as_object().unwrap().clone(),
        ..LoadOptions::default()
    };
    let project = bed.load_with(options).unwrap();
    assert_eq!(
        json!(project.environment),
        json!({"a": "user", "b": "service", "c": "project", "d": "command line"})
    );
    assert_eq!(json!(project.config.services["lab"].options), json!({"token": {"env": "T"}}));
    assert_eq!(project.config.service(None).unwrap().0, "lab");
    assert_eq!(
        project.config.service(Some("lap")).unwrap_err().one_line(),
        "there is no service `lap`; did you mean `lab`?"
    );
}

#[test]
fn a_service_without_provider_and_a_default_that_is_none() {
    let toml = "default_service = 'lap'\n[services.lab]\nsocket = 'x'\n";
    Bed::new(&[("pallet.toml", toml), ("pallet.star", "")]).wrong(expect![[r#"
        error: service `lab` has no provider
         --> pallet.toml:2:11
          |
        2 | [services.lab]
          |           ^^^
          = help: set `provider = "..."`

        error: there is no service `lap`
         --> pallet.toml:1:19
          |
        1 | default_service = 'lap'
          |                   ^^^^^
          = help: did you mean `lab`?
    "#]]);
}

#[test]
fn the_embedded_sandbox_needs_no_configuration() {
    let (name, service) = star("group_spec('web')").load().config.service(None).unwrap();
    assert_eq!((name.as_str(), service.provider.as_str()), ("sandbox", "sandbox"));
}

#[test]
fn a_provider_that_is_misspelt_is_found_where_it_stands() {
    Bed::new(&[
        ("pallet.toml", "[services.lab]\nnetwork = \"x\"\nprovder = \"sandbox\"\n"),
        ("pallet.star", ""),
    ])
    .wrong(expect![[r#"
        error: service `lab` has no provider
         --> pallet.toml:3:1
          |
        3 | provder = "sandbox"
          | ^^^^^^^
          = help: did you mean `provider` instead of `provder`?
    "#]]);
}

#[test]
fn a_secret_that_is_not_defined_is_named_with_its_line() {
    let function = "def configure(request):\n    exec_script(request, secret(\"nosuch\"))\n\n\
        group_spec(\"web\", phases = {\"configure\": configure})\n";
    Bed::new(&[("pallet.toml", ""), ("pallet.star", function)]).wrong(expect![[r#"
        error: secret: `name` is the string "nosuch", which [secrets] of pallet.toml does not have
         --> pallet.star:2:33
          |
        2 |     exec_script(request, secret("nosuch"))
          |                                 ^^^^^^^^
          = help: add one there, such as `nosuch = { env = "NAME" }`
    "#]]);
    Bed::new(&[
        ("pallet.toml", "[secrets]\nnosuhc = { env = \"X\" }\n"),
        ("pallet.star", function),
    ])
    .wrong(expect![[r#"
        error: secret: `name` is the string "nosuch", which [secrets] of pallet.toml does not have
         --> pallet.star:2:33
          |
        2 |     exec_script(request, secret("nosuch"))
          |                                 ^^^^^^^^
          = help: did you mean `nosuhc`?
    "#]]);
}
