//! The example programs of pallet-core and pallet-cli do what they claim.

use std::process::Command;
use std::time::Duration;

use pallet_tests::{Process, Project, root, workspace};

use crate::quickstart::alone;

/// The output of an example.
fn run(name: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let output =
        Process::start(workspace().example_in(name, directory.path()), Duration::from_secs(300))
            .wait();
    output.exits(0).stdout
}

#[test]
fn declaring() {
    assert_eq!(
        run("declare"),
        "shop-app: 3 nodes with bootstrap, settings, by default configure\n\
         shop-lb: 1 nodes with bootstrap, configure, by default configure\n"
    );
}

#[test]
fn converging() {
    let _alone = alone();
    let said = run("converge");
    for line in [
        "converge: 1 changed, 0 unchanged, 0 failed, 1 created",
        "web=2: 1 changed, 1 unchanged, 0 failed, 1 created",
        "lift: 2 changed, 0 unchanged, 0 failed",
        "again: 0 changed, 2 unchanged, 0 failed",
        "down: 0 changed, 0 unchanged, 0 failed, 2 destroyed",
    ] {
        assert!(said.lines().any(|said| said == line), "it should say {line:?}:\n{said}");
    }
}

#[test]
fn subscribing_to_events() {
    let _alone = alone();
    let said = run("events");
    for text in [
        "web-1: directory /srv/events\n",
        "web-1 says \"from the node\"\n",
        "\"result\":\"changed\",\"changes\":2",
        "\n2 changes\n",
    ] {
        assert!(said.contains(text), "it should say {text:?}:\n{said}");
    }
}

#[test]
fn a_dry_run() {
    let _alone = alone();
    let said = run("dry_run");
    assert!(
        said.starts_with("would create web-1, web-2\n") && said.ends_with("0 nodes are there\n"),
        "{said}"
    );
    for text in [
        "web-1: directory /srv/hello: ensure directory\n",
        "web-2: remote_file /srv/hello/index.html: ensure file\n",
    ] {
        assert!(said.contains(text), "it should say {text:?}:\n{said}");
    }
}

#[test]
fn a_provider_in_the_program() {
    let said = run("provider");
    assert_eq!(said, "web-1: I am web-1\nweb-2: I am web-2\n0 nodes are left\n");
}

#[test]
fn an_action_of_the_programs_own() {
    let _alone = alone();
    let said = run("action");
    for text in [
        "web-1: changed: purpose to try things: set\n",
        "first: 1 changed, 0 unchanged, 0 failed",
        "again: 0 changed, 1 unchanged, 0 failed",
    ] {
        assert!(said.contains(text), "it should say {text:?}:\n{said}");
    }
}

#[test]
fn loads_a_project() {
    let _alone = alone();
    let project = Project::quickstart().timeout(Duration::from_secs(400));
    let load = |words: &[&str]| {
        let mut command = Command::new(workspace().example("load_project"));
        command.arg(project.directory()).args(words).env_clear().envs(project.variables());
        Process::start(command, Duration::from_secs(300)).wait()
    };
    project.run(&["converge"]).exits(0);
    project.edit("pallet.toml", "hello from", "changed by");
    let said = load(&[]).exits(0).stdout;
    for text in ["group web: 2 nodes\n", "remote_file /srv/hello/index.html", "2 changed"] {
        assert!(said.contains(text), "it should say {text:?}:\n{said}");
    }
    // a dry run writes nothing
    assert!(load(&["apply"]).exits(0).stdout.contains("2 changed"));
    assert!(load(&["apply"]).exits(0).stdout.contains("2 unchanged"));
    project.write("pallet.star", "group_spec(\"web\", cuont = 1)\n");
    load(&[]).exits(1).says("did you mean `count`?");
}

#[test]
fn the_guide_names_every_command_and_every_example() {
    let guide = std::fs::read_to_string(root().join("docs/from-code.md")).unwrap();
    let help = Project::empty().run(&["help"]).exits(0).stdout;
    let commands = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty());
    // the statement continues on indented lines
    let commands = commands.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let commands: Vec<_> = commands
        .map(|line| line.split_whitespace().next().unwrap())
        .filter(|name| *name != "help")
        .collect();
    assert!(commands.len() > 20, "{help}");
    for command in commands {
        let is_named = [format!("`{command}`"), format!("`{command} ")]
            .iter()
            .any(|name| guide.contains(name));
        assert!(is_named, "docs/from-code.md says of no call, or of none, for `{command}`");
    }
    for package in ["pallet-core", "pallet-cli"] {
        for file in std::fs::read_dir(root().join(package).join("examples")).unwrap() {
            let name = file.unwrap().file_name().into_string().unwrap();
            assert!(
                !name.ends_with(".rs") || guide.contains(&format!("{package}/examples/{name}")),
                "docs/from-code.md leads by {name}"
            );
        }
    }
}
