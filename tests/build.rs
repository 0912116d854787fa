//! Lists the crates that have scenarios, so that each is a test of its own: `it/crates.rs` includes
//! the list.

// a build that cannot begin says why
#![allow(clippy::expect_used)]

use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

fn main() {
    // a new crate has a line there
    println!("cargo::rerun-if-changed=../Cargo.lock");
    println!("cargo::rerun-if-changed=build.rs");
    let mut names: Vec<String> = fs::read_dir("../crates")
        .expect("the crates are beside the tests")
        .flatten()
        .filter(|entry| entry.path().join("tests").is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    let mut list = String::new();
    for name in &names {
        println!("cargo::rerun-if-changed=../crates/{name}/tests");
        let module = name.replace('-', "_");
        let write = write!(
            list,
            "mod {module} {{\n    \
             #[test]\n    fn on_debian_12() {{ super::on_debian_12({name:?}); }}\n    \
             #[test]\n    fn on_debian_13() {{ super::on_debian_13({name:?}); }}\n}}\n"
        );
        write.expect("a string can be written to");
    }
    let _ = writeln!(list, "const TRIED: &[&str] = &{names:?};");
    let place = env::var_os("OUT_DIR").expect("cargo sets it");
    fs::write(Path::new(&place).join("crates.rs"), list).expect("the list can be written");
}
