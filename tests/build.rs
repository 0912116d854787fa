//! Lists the crates that have scenarios, so that each is a test of its own: `it/crates.rs` includes
//! the list.

// a build that cannot begin says why
#![allow(clippy::expect_used)]

use std::fmt::Write;
use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    // a new crate has a line there
    println!("cargo::rerun-if-changed=../Cargo.lock");
    println!("cargo::rerun-if-changed=build.rs");
    let mut names: Vec<String> = fs::read_dir("../crates")?
        .flatten()
        .filter(|entry| entry.path().join("tests").is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    let mut list = String::new();
    for name in &names {
        println!("cargo::rerun-if-changed=../crates/{name}/tests");
        let module = name.replace('-', "_");
        let _ = write!(
            list,
            "mod {module} {{\n    \
             #[test]\n    fn on_debian_12() {{ super::on_debian_12({name:?}); }}\n    \
             #[test]\n    #[ignore = \"slow: tests/run --slow\"]\n    \
             fn on_debian_13() {{ super::on_debian_13({name:?}); }}\n}}\n"
        );
    }
    let _ = writeln!(list, "const TRIED: &[&str] = &{names:?};");
    let place = env::var_os("OUT_DIR").unwrap_or_default();
    fs::write(Path::new(&place).join("crates.rs"), list)
}
