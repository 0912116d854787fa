//! Tests of new files that are put in place together, in all shells.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use super::library_for;
use super::shells::shells;

/// Runs the parts of a batch. Returns the output, whether it succeeded, and the content of the
/// directory afterwards.
fn run(
    shell: &super::shells::Shell,
    directory: &Path,
    parts: &[&str],
) -> (String, bool, Vec<String>) {
    let mut script = "token=T\n(\nset -e\nbatch_begin\n".to_owned();
    for (number, part) in parts.iter().enumerate() {
        script += &format!("part={number} change=\n{part}\nbatch_say \"$part:$change \"\n");
    }
    script += "batch_end\n)\n";
    let script = format!("cd {}\n{}\n{script}", directory.display(), library_for(&script));
    let output = shell.run(&script);
    let mut names: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.success(), names)
}

#[test]
fn all_of_a_batch_is_there_afterwards() {
    for shell in shells() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        std::fs::write(at("old"), "old").unwrap();
        let write = |name: &str, mode: &str| {
            format!(
                "content() {{ printf %s {name}; }}\n\
                ensure_content {} 0{name} '' '' {mode} ''",
                at(name).display()
            )
        };
        let (said, succeeded, names) = run(
            &shell,
            directory.path(),
            &[&write("a", "0600"), &write("b", "0600"), &write("old", "0644"), &write("c", "4755")],
        );
        assert_eq!((said.as_str(), succeeded), ("0:1 1:1 2:1 3:1 ", true), "{shell}");
        assert_eq!(names, ["a", "b", "c", "old"], "{shell}");
        for (name, mode) in [("a", 0o600), ("b", 0o600), ("c", 0o4755), ("old", 0o644)] {
            assert_eq!(std::fs::read_to_string(at(name)).unwrap(), name, "{shell}");
            let metadata = std::fs::metadata(at(name)).unwrap();
            assert_eq!(
                (metadata.permissions().mode() & 0o7777, metadata.uid()),
                (mode, rustix::process::geteuid().as_raw()),
                "{shell}"
            );
        }
    }
}

#[test]
fn what_fails_says_which_part_it_was_and_what_came_before_is_there() {
    for shell in shells() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, content: &str, owner: &str| {
            let path = directory.path().join(name);
            format!(
                "content() {{ {content}; }}\nensure_content {} 0{name} '{owner}' '' 0600 ''",
                path.display()
            )
        };
        let parts = [
            &write("a", "echo a", ""),
            &write("b", "echo b", ""),
            &write("c", "false", ""),
            &write("d", "echo d", ""),
        ];
        let (said, succeeded, names) = run(&shell, directory.path(), &parts.map(String::as_str));
        assert_eq!((said.as_str(), succeeded), ("0:1 1:1 \nT end 2 1\n", false), "{shell}");
        assert_eq!(names, ["a", "b"], "{shell}");

        // a missing owner is noticed only when the files are put in place
        let nobody = [
            &write("e", "echo e", ""),
            &write("f", "echo f", "no-such-user"),
            &write("g", "echo g", "no-such-user"),
        ];
        let (said, succeeded, names) = run(&shell, directory.path(), &nobody.map(String::as_str));
        assert_eq!((said.as_str(), succeeded), ("0:1 \nT end 1 1\n", false), "{shell}");
        assert_eq!(names, ["a", "b", "e"], "{shell}");
    }
}
