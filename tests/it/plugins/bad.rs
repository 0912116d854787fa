//! Invalid libraries, as seen by the registry and reported by pallet-cli.

use std::fs;
use std::path::Path;

use pallet_core::model::ABI_VERSION;
use pallet_tests::{Output, Project, workspace};
use tempfile::TempDir;

use super::{Plugins, is_one_line};

/// The bytes of a library that works.
fn good() -> Vec<u8> {
    fs::read(workspace().fixture("crate_greet")).unwrap()
}

/// A directory with one library, named as a crate `bad` would be.
fn directory_of(content: &[u8]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("libpallet_crate_bad.so"), content).unwrap();
    directory
}

/// Replaces all occurrences of some bytes; there must be at least one.
fn replace(library: &mut [u8], from: &[u8], to: &[u8]) {
    assert_eq!(from.len(), to.len());
    let places: Vec<_> = library
        .windows(from.len())
        .enumerate()
        .filter(|(_, bytes)| *bytes == from)
        .map(|(at, _)| at)
        .collect();
    assert!(!places.is_empty(), "the library holds no {}", String::from_utf8_lossy(from));
    for at in places {
        library[at..at + to.len()].copy_from_slice(to);
    }
}

/// Asserts that the registry and pallet-cli report one problem in a directory of plugins, in one
/// line with all of `words`.
#[track_caller]
fn is_told(directory: TempDir, words: &[&str]) {
    let plugins = Plugins::scan(directory);
    let problems: Vec<_> = plugins.registry.problems().iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 1, "{problems:?}");
    is_one_line(&problems[0]);
    assert_words(&problems[0], words);

    let project = Project::empty().set("PALLET_PLUGIN_PATH", plugins.directory.path());
    assert_output(&project.run(&["crates"]), words);
}

/// Asserts that a command failed with one line that contains all of `words`.
#[track_caller]
fn assert_output(output: &Output, words: &[&str]) {
    assert_ne!(output.code(), 0, "it should fail\n{output}");
    assert!(!output.stderr.contains("panicked at"), "it panicked\n{output}");
    let telling: Vec<_> =
        output.stderr.lines().filter(|line| words.iter().all(|word| line.contains(word))).collect();
    assert_eq!(telling.len(), 1, "one line should say {words:?}\n{output}");
    assert!(output.stderr.lines().count() <= 3, "it says too much\n{output}");
}

#[track_caller]
fn assert_words(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{text:?} does not say {word:?}");
    }
}

#[test]
fn a_text_file() {
    is_told(directory_of(b"this is not a library\n"), &["libpallet_crate_bad.so", "not a library"]);
}

#[test]
fn an_empty_file() {
    is_told(directory_of(b""), &["libpallet_crate_bad.so", "not a library"]);
}

#[test]
fn a_truncated_library() {
    let library = good();
    is_told(
        directory_of(&library[..library.len() * 2 / 3]),
        &["libpallet_crate_bad.so", "truncated"],
    );
}

#[test]
fn a_library_truncated_anywhere_is_never_opened() {
    let library = good();
    let lengths = (1..64)
        .chain((1..100).map(|hundredth| library.len() * hundredth / 100))
        .chain([library.len() - 1]);
    for length in lengths {
        let plugins = Plugins::scan(directory_of(&library[..length]));
        let problem = plugins
            .registry
            .problems()
            .first()
            .unwrap_or_else(|| panic!("{length} of {} bytes pass as a plugin", library.len()));
        is_one_line(&problem.to_string());
    }
}

#[test]
fn a_library_for_another_architecture() {
    const MACHINE: usize = 18; // e_machine of the ELF header
    const S390: u16 = 22;
    let mut library = good();
    library[MACHINE..MACHINE + 2].copy_from_slice(&S390.to_le_bytes());
    is_told(
        directory_of(&library),
        &["libpallet_crate_bad.so", "built for", std::env::consts::ARCH],
    );
}

#[test]
fn a_library_that_is_no_plugin() {
    let any = fs::read_dir("/lib/x86_64-linux-gnu").or_else(|_| fs::read_dir("/lib")).unwrap();
    let libc = any
        .map(|entry| entry.unwrap().path())
        .find(|path| path.file_name().unwrap() == "libc.so.6")
        .expect("a libc");
    is_told(
        directory_of(&fs::read(libc).unwrap()),
        &["libpallet_crate_bad.so", "not a pallet plugin"],
    );
}

#[test]
fn a_library_for_another_abi() {
    let mut library = good();
    let major = ABI_VERSION.split('.').next().unwrap();
    let summary = |version: &str| format!("{{\"abi\":\"{version}\",\"kind\":").into_bytes();
    let theirs = ABI_VERSION.replacen(major, &"9".repeat(major.len()), 1);
    replace(&mut library, &summary(ABI_VERSION), &summary(&theirs));
    is_told(directory_of(&library), &["libpallet_crate_bad.so", &theirs, ABI_VERSION]);
}

#[test]
fn a_kind_of_plugin_that_nobody_knows() {
    let mut library = good();
    replace(&mut library, b"\"kind\":\"crate\"", b"\"kind\":\"craft\"");
    is_told(directory_of(&library), &["libpallet_crate_bad.so", "newer pallet"]);
}

#[test]
fn two_libraries_that_claim_one_name() {
    let directory = tempfile::tempdir().unwrap();
    let mut library = good();
    fs::write(directory.path().join("libpallet_crate_greet.so"), &library).unwrap();
    // another one, not a copy
    replace(&mut library, b"Makes a directory.", b"Makes 1 directory.");
    fs::write(directory.path().join("libpallet_crate_greet_too.so"), &library).unwrap();
    is_told(
        directory,
        &["greet", "libpallet_crate_greet.so", "libpallet_crate_greet_too.so", "remove one"],
    );
}

#[test]
fn a_copy_of_a_library_on_the_path_does_no_harm() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["libpallet_crate_greet.so", "libpallet_crate_greet_too.so"] {
        fs::copy(workspace().fixture("crate_greet"), directory.path().join(name)).unwrap();
    }
    let plugins = Plugins::scan(directory);
    assert!(plugins.registry.problems().is_empty(), "{:?}", plugins.registry.problems());
    assert_eq!(plugins.registry.plugins().len(), 1);
}

#[test]
fn a_crate_that_requires_a_missing_one() {
    let words = ["needy", "nowhere", "^2.1", "not installed"];
    let plugins = Plugins::of([workspace().fixture("crate_needy")]);
    let error = plugins.registry.crate_manifest("needy").unwrap_err().to_string();
    is_one_line(&error);
    assert_words(&error, &words);

    let project = Project::empty().set("PALLET_PLUGIN_PATH", plugins.directory.path());
    assert_output(&project.run(&["crates"]), &words);
}

/// A project that loads one function of a crate in `directory`.
fn project_that_loads(directory: &Path, name: &str, function: &str) -> Project {
    let project = Project::empty().set("PALLET_PLUGIN_PATH", directory);
    project.write("pallet.toml", "");
    project.write("pallet.star", format!("load(\"@{name}\", \"{function}\")\n"));
    project
}

#[test]
fn check_tells_of_a_bad_library_that_the_project_loads() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("libpallet_crate_bad.so"), "text").unwrap();
    let output = project_that_loads(directory.path(), "bad", "hello").run(&["check"]);
    assert_ne!(output.code(), 0, "{output}");
    output.says("libpallet_crate_bad.so").says("not a library").never_says("panicked at");
}

#[test]
fn check_tells_of_a_crate_that_panics_early() {
    let plugins = Plugins::of([workspace().fixture("crate_panics_early")]);
    let output =
        project_that_loads(plugins.directory.path(), "panics-early", "anything").run(&["check"]);
    assert_ne!(output.code(), 0, "{output}");
    output.says("panics-early").says("no functions today").never_says("Backtrace");
}
