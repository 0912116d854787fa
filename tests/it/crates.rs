//! The crates of this repository pass their scenarios on Debian 12 and, with `tests/run --slow`, on
//! Debian 13. What their dry runs leave open stands in `crates/NAME/tests/known-after-apply.txt`;
//! each entry was reviewed.
//!
//! Each crate is a test of its own: `crates::nginx::on_debian_12`. `tests/scenario` runs the same
//! by hand.

use std::fs;
use std::time::Duration;

use expect_test::expect_file;
use pallet_tests::{Project, root, workspace};

use super::author::tried;

// a module for each crate, and their names: TRIED
include!(concat!(env!("OUT_DIR"), "/crates.rs"));

/// What the dry runs of a crate's scenarios leave open. The scenarios must pass.
#[track_caller]
fn open(name: &str, system: &str) -> String {
    let package = root().join("crates").join(name);
    let plugin = workspace().plugins().find(|plugin| plugin.package == package);
    let library = &plugin.expect("it was built").file;
    let home = Project::empty().with_crate_nodes().timeout(Duration::from_secs(900));
    tried(&home, &package, library, &["--service", "nodes", "--system", system])
}

fn on_debian_12(name: &str) {
    let path = root().join("crates").join(name).join("tests/known-after-apply.txt");
    expect_file![path].assert_eq(&open(name, "debian 12"));
}

fn on_debian_13(name: &str) {
    open(name, "debian 13");
}

#[test]
fn every_crate_with_scenarios_is_tried() {
    let crates = fs::read_dir(root().join("crates")).unwrap().flatten();
    let mut names: Vec<_> = crates
        .filter(|entry| entry.path().join("tests").is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, TRIED, "build the tests again: touch tests/build.rs");
}
