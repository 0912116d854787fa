//! A crate may do only what it declares; the project itself is not restricted.

use std::os::unix::fs::symlink;

use pallet_tests::{Output, Project, workspace};

/// A project whose crates are `confined`, which declares what it may do, and `greet`, which does
/// not.
fn project(configure: &str) -> Project {
    let project = Project::empty();
    let plugins = project.directory().join(".pallet/plugins");
    std::fs::create_dir_all(&plugins).unwrap();
    for library in ["crate_confined", "crate_greet"].map(|name| workspace().fixture(name)) {
        symlink(library, plugins.join(library.file_name().unwrap())).unwrap();
    }
    project.write("pallet.toml", "[services.here]\nprovider = \"localhost\"\ngroup = \"app\"\n");
    project.write("secret.txt", "of this machine\n");
    let load = "load(\"@confined\", \"confined\")\nload(\"@greet\", \"greet\")\n\
        load(\"@nginx\", \"nginx\")\n";
    let group = "group_spec(\"app\", phases = {\"configure\": configure})\n";
    project.write(
        "pallet.star",
        format!(
            "{load}def configure(request):\n    {configure}\n\n\
        {group}"
        ),
    );
    project
}

#[track_caller]
fn dry_run(configure: &str) -> Output {
    project(configure).run(&["lift", "--dry-run"])
}

#[test]
fn what_is_declared_is_done() {
    for (configure, planned) in [
        (r#"confined.make(request, "/srv/confined/a")"#, "/srv/confined/a"),
        (r#"confined.run(request, "test -e 'a; b'")"#, "test -e 'a; b'"),
        (r#"confined.when(request, "test -e /srv")"#, "directory /srv/confined"),
    ] {
        let parent = "directory(request, \"/srv/confined\")";
        dry_run(&format!("{parent}; {configure}")).exits(0).says(planned);
    }
}

#[test]
fn what_is_not_declared_is_one_clear_error() {
    for (configure, action, wanted) in [
        (
            r#"confined.make(request, "/srv/other")"#,
            "function make: remote_file /srv/other",
            "path /srv/other, and the crate declares /srv/confined/**",
        ),
        (
            r#"confined.make(request, "/srv/confined/../other")"#,
            "function make: remote_file",
            "/srv/confined/**",
        ),
        (
            r#"confined.run(request, "test -e /a; reboot")"#,
            "function run: exec_script",
            "command test -e /a; reboot, and the crate declares test -e *",
        ),
        (
            r#"confined.read(request, "secret.txt")"#,
            "function read: remote_file /srv/confined/copy",
            "local file secret.txt, and the crate declares no local file",
        ),
        (r#"confined.when(request, "reboot")"#, "function when: a condition", "command reboot"),
    ] {
        let output = dry_run(configure).exits(1);
        output.says("crate confined").says(action).says(wanted).says("tell the crate's author");
    }
}

#[test]
fn a_secret_is_no_part_of_the_error() {
    let project = project(r#"confined.make(request, "/srv/" + secret("place"))"#);
    project.edit(
        "pallet.toml",
        "[services",
        "[secrets]\nplace = { file = \"secret.txt\" }\n\n\
        [services",
    );
    let output = project.run(&["lift", "--dry-run"]).exits(1);
    output.says("crate confined, function make").never_says("of this machine");
}

#[test]
fn a_crate_acts_under_the_capabilities_of_the_one_that_it_calls() {
    // greet declares nothing, so it may do everything; afterwards confined is restricted again
    dry_run(r#"confined.greet(request, "/srv/other")"#)
        .exits(0)
        .says("/srv/other")
        .says("/srv/confined");
    dry_run(r#"confined.greet(request, "/srv/other"); confined.make(request, "/srv/other/a")"#)
        .exits(1)
        .says("function make");
    // but it may call only crates that it requires
    let output = dry_run(r#"confined.other(request, "nginx")"#).exits(1);
    output.says("crate confined, function other").says("crate nginx").says("greet");
}

#[test]
fn what_the_project_does_is_not_the_crates() {
    let both =
        r#"confined.run(request, "test -e /a"); remote_file(request, "/srv/mine", content = "")"#;
    dry_run(both).exits(0).says("/srv/mine");
    // a project's condition around the call of a crate belongs to the project
    let scope = r#"plan_when(request, "! test -e /none", lambda request: [confined.run(request, "test -e /a"), directory(request, "/srv/own")])"#;
    dry_run(scope).exits(0).says("/srv/own");
}
