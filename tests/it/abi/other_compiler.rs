//! Plugins may be built with another compiler and other settings than Pallet.

use std::path::PathBuf;
use std::process::Command;

use pallet_tests::root;

use super::kept::load_and_run;

/// Builds the fixtures with these variables, and runs them.
fn built_with(variables: &[(&str, &str)]) {
    let out = tempfile::tempdir().unwrap();
    let mut build = Command::new(root().join("tests/fixtures/abi/build"));
    build.arg(out.path()).envs(variables.iter().copied());
    // variables of the cargo that runs this test do not apply to another package
    for (name, _) in std::env::vars()
        .filter(|(name, _)| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
    {
        build.env_remove(name);
    }
    let output = build.output().unwrap();
    assert!(output.status.success(), "{variables:?}: {}", String::from_utf8_lossy(&output.stderr));
    load_and_run(out.path());
}

/// Other compilers on this machine than the repository's: `PALLET_OTHER_RUSTC`, or that of the
/// distribution.
fn other_compilers() -> Vec<PathBuf> {
    let version = |rustc: &PathBuf| {
        Command::new(rustc).arg("--version").output().ok().map(|output| output.stdout)
    };
    let own = version(&PathBuf::from("rustc"));
    let named = std::env::var_os("PALLET_OTHER_RUSTC").map(PathBuf::from);
    let candidates = named.into_iter().chain([PathBuf::from("/usr/bin/rustc")]);
    candidates.filter(|rustc| version(rustc).is_some_and(|version| Some(version) != own)).collect()
}

#[test]
fn a_plugin_without_any_optimisation_loads() {
    built_with(&[
        ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0"),
        ("CARGO_PROFILE_RELEASE_LTO", "off"),
        ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "64"),
        ("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "true"),
        ("CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS", "true"),
    ]);
}

#[test]
fn a_plugin_of_another_compiler_loads() {
    for rustc in other_compilers() {
        let rustc = rustc.to_str().unwrap();
        built_with(&[
            ("RUSTC", rustc),
            ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "3"),
            ("CARGO_PROFILE_RELEASE_LTO", "off"),
        ]);
    }
}
