//! The reference of actions: it is current, and its examples work.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use pallet_tests::{Bed, Project};
use serde_json::Value;

use crate::lift::project;

/// The pages of the reference that the program generates; `UPDATE_EXPECT=1` writes them.
#[test]
fn the_pages_are_current() {
    let project = Project::empty();
    for (page, file) in [
        ("actions", "actions.md"),
        ("declarations", "declarations.md"),
        ("request", "request.md"),
        ("pallet.toml", "pallet-toml.md"),
        ("commands", "commands.md"),
        ("repl", "repl-functions.md"),
        ("providers", "providers.md"),
        ("crates", "crates.md"),
    ] {
        let text = project.run(&["doc", &format!("--markdown={page}")]).exits(0).stdout;
        expect_file![Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(file)]
            .assert_eq(&text);
    }
    let actions = project.run(&["doc", "--markdown"]).exits(0).stdout;
    assert_eq!(actions, project.run(&["doc", "--markdown=actions"]).exits(0).stdout);
    project.run(&["doc", "--markdown=nothing"]).exits(2);
}

#[test]
fn every_command_has_a_manual_page() {
    let project = Project::empty();
    let pages = project.directory().join("manual/pages");
    project.run(&["man", pages.to_str().unwrap()]).exits(0);
    let read = |page: &str| std::fs::read_to_string(pages.join(page)).unwrap();
    assert!(read("pallet-cli.1").contains(".SH SUBCOMMANDS"));
    let converge = read("pallet-cli-converge.1");
    assert!(converge.contains("\\-\\-dry\\-run"), "{converge}");
    project.write("file", "");
    let below = project.directory().join("file/pages");
    project.run(&["man", below.to_str().unwrap()]).exits(2).says("cannot create");
}

#[test]
fn actions_and_functions_are_explained() {
    let project = Project::empty();
    let all = project.run(&["doc"]).exits(0);
    all.says("symbolic_link").says("group_spec").says("request.settings").says("[connect]");
    project.run(&["doc", "request"]).exits(0).says("request.targets_in_group(name)");
    project.run(&["doc", "environment"]).exits(0).says("request.environment").says("[environment]");
    let converge = project.run(&["doc", "converge"]).exits(0);
    converge.says("converge(").says("`pallet-cli help converge`");
    project.run(&["doc", "install"]).exits(2).says("see `pallet-cli help install`");
    project.run(&["doc", "group_spec"]).exits(0).says("node_spec");
    project.run(&["doc", "admin_user"]).exits(0).says("sudo_password");
    project.run(&["doc", "pallet.toml"]).exits(0).says("age_identities").says("no_sudo");
    let one = project.run(&["doc", "symbolic_link"]).exits(0);
    one.says("symbolic_link(request, path, ...)").says("flag_on_change").says("Example:");
    project.run(&["doc", "nginx.site"]).exits(0).says("nginx.site(request, name, ...)");
    project.run(&["doc", "nginx.sites"]).exits(2).says("did you mean `site`?");
    project.run(&["doc", "symbolic_lnk"]).exits(2).says("did you mean `symbolic_link`?");
}

/// Every example of the reference, with the name of its action.
fn examples() -> Vec<(String, String)> {
    let listed = Project::empty().run(&["doc", "--output", "json"]).exits(0);
    let listed: Vec<Value> = serde_json::from_str(&listed.stdout).unwrap();
    let of = |entry: &Value| -> Vec<(String, String)> {
        let doc = entry["doc"].as_str().unwrap_or_default();
        let examples =
            doc.split("\n\n").filter_map(|paragraph| paragraph.trim().strip_prefix("Example: "));
        let name = entry["name"].as_str().unwrap_or_default();
        examples
            .map(|example| (name.to_owned(), example.trim_matches('`').replace('\n', " ")))
            .collect()
    };
    listed.iter().filter(|entry| entry["kind"] == "action").flat_map(of).collect()
}

#[test]
fn every_example_can_be_planned_on_a_node() {
    let bed = Bed::of(1);
    let project = project(&bed, 1, "root", "group_spec(\"app\")\n");
    // the environment of the examples
    let there = r#"
package(request, "nginx")
user(request, "app")
for path in ["/etc/nginx/sites-enabled", "/run/app", "/etc/php/8.2/cli"]:
    directory(request, path)
for path in ["/etc/default/app", "/etc/php/8.2/cli/php.ini"]:
    remote_file(request, path, content = "[PHP]\n")
"#;
    project.run(&["lift", "-e", there]).exits(0);
    // older package lists may lack packages of the examples
    bed.ssh(1, "touch /var/lib/pallet/package-sources").exits(0);
    project.write("site/index.html", "hello\n");
    let before = files(&bed.disk(1));
    let mut failed = Vec::new();
    for (action, example) in examples() {
        let output = project.run(&["lift", "--dry-run", "-e", &example]);
        // examples for other systems are skipped with a message
        let elsewhere = ["add_rpm", "package_repository"].contains(&action.as_str())
            && format!("{output}").contains("debian 12 (x86_64)");
        // nodes of the bed have no disks, and the kernel of this machine
        let not_here = ["filesystem", "kernel_module", "swap"].contains(&action.as_str());
        if output.code() != 0 && !elsewhere && !not_here {
            failed.push(format!("{action}: {output}"));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    // a dry run writes nothing, for any example
    let after = files(&bed.disk(1));
    let written: Vec<_> =
        after.iter().filter(|(path, state)| before.get(*path) != Some(state)).collect();
    assert!(written.is_empty(), "{written:#?}");
    let lost: Vec<_> = before.keys().filter(|path| !after.contains_key(*path)).collect();
    assert!(lost.is_empty(), "{lost:#?}");
}

/// Size, times and mode of every file below a directory, except files that a login itself writes.
fn files(directory: &Path) -> BTreeMap<PathBuf, (u64, i64, i64, u32)> {
    let mut found = BTreeMap::new();
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let entry = entry.unwrap();
            let data = entry.metadata().unwrap();
            if data.is_dir() {
                open.push(entry.path());
            }
            if !["lastlog", "wtmp", "btmp"].iter().any(|name| entry.file_name() == *name) {
                found.insert(
                    entry.path(),
                    (data.size(), data.mtime(), data.mtime_nsec(), data.mode()),
                );
            }
        }
    }
    found
}
