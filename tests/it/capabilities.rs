//! A crate does what it declares and nothing else; what the project does is the project's.

use std::path::Path;

use pallet_tests::{Output, Project, workspace};

/// A project whose crates are `confined`, which declares what it may do, and `greet`, which does not.
fn project(configure: &str) -> Project {
    let plugins = ["crate_confined", "crate_greet"].map(|name| workspace().fixture(name).parent().unwrap());
    let project = Project::empty().set("PALLET_PLUGIN_PATH", Path::new(plugins[0]));
    project.write("pallet.toml", "[services.here]\nprovider = \"localhost\"\n");
    project.write("secret.txt", "of this machine\n");
    let load = "load(\"@confined\", \"confined\")\nload(\"@greet\", \"greet\")\nload(\"@nginx\", \"nginx\")\n";
    project.write(
        "pallet.star",
        format!("{load}def configure(request):\n    {configure}\n\ngroup_spec(\"localhost\", phases = {{\"configure\": configure}})\n"),
    );
    project
}

#[track_caller]
fn dry_run(configure: &str) -> Output {
    project(configure).run(&["lift", "--dry-run"])
}

#[test]
fn what_is_declared_is_done() {
    for configure in [
        "confined.make(request, \"/srv/confined/a/b\")",
        "confined.run(request, \"test -e 'a; b'\")",
        "confined.when(request, \"test -e /srv\")",
    ] {
        dry_run(configure).exits(0);
    }
}

#[test]
fn what_is_not_declared_is_one_clear_error() {
    for (configure, action, wanted) in [
        (
            "confined.make(request, \"/srv/other\")",
            "function make: remote_file /srv/other",
            "path /srv/other, and the crate declares /srv/confined/**",
        ),
        ("confined.make(request, \"/srv/confined/../other\")", "function make: remote_file", "/srv/confined/**"),
        (
            "confined.run(request, \"test -e /a; reboot\")",
            "function run: exec_script",
            "command test -e /a; reboot, and the crate declares test -e *",
        ),
        (
            "confined.read(request, \"secret.txt\")",
            "function read: remote_file /srv/confined/copy",
            "local file secret.txt, and the crate declares no local file",
        ),
        ("confined.when(request, \"reboot\")", "function when: a condition", "command reboot"),
    ] {
        let output = dry_run(configure).exits(1);
        output.says("crate confined").says(action).says(wanted).says("tell the crate's author");
    }
}

#[test]
fn a_secret_is_no_part_of_the_error() {
    let project = project("confined.make(request, \"/srv/\" + secret(\"place\"))");
    project.edit("pallet.toml", "[services", "[secrets.place]\nfile = \"secret.txt\"\n\n[services");
    let output = project.run(&["lift", "--dry-run"]).exits(1);
    output.says("crate confined, function make").never_says("of this machine");
}

#[test]
fn a_crate_acts_under_the_capabilities_of_the_one_that_it_calls() {
    // greet declares nothing, so it may do everything; when it is done, confined is confined again
    dry_run("confined.greet(request, \"/srv/other\")").exits(0).says("/srv/other").says("/srv/confined/after");
    // but only of those that it says it requires
    let output = dry_run("confined.other(request, \"nginx\")").exits(1);
    output.says("crate confined, function other").says("crate nginx").says("greet");
}

#[test]
fn what_the_project_does_is_not_the_crates() {
    let around =
        "with_action_options(request, lambda request: confined.make(request, \"/srv/confined/a\"), owner = \"root\") if False else None";
    dry_run(&format!("confined.make(request, \"/srv/confined/a\"); remote_file(request, \"/srv/mine\", content = \"\"); {around}"))
        .exits(0)
        .says("/srv/mine");
    let scope = "plan_when(request, \"! test -e /none\", lambda request: [confined.make(request, \"/srv/confined/a\"), directory(request, \"/srv/own\")])";
    dry_run(scope).exits(0).says("/srv/own");
}
