//! Plans of the crates' scenarios on systems that no node of the tests has. They are kept in
//! `crates/NAME/tests/systems.txt`, and were reviewed against the documentation of these systems.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use pallet_tests::{Project, root, workspace};

/// What an image of each system has in its os-release.
const SYSTEMS: [(&str, &str); 5] = [
    ("ubuntu 24.04", "ID=ubuntu\nID_LIKE=debian\nVERSION_ID=\"24.04\"\n"),
    ("rocky 9", "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\nVERSION_ID=\"9.4\"\n"),
    (
        "opensuse-leap 15.6",
        "ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\nVERSION_ID=\"15.6\"\n",
    ),
    ("arch", "ID=arch\n"),
    ("alpine 3.20", "ID=alpine\nVERSION_ID=3.20.3\n"),
];

#[test]
fn the_plans_on_other_systems_are_the_reviewed_ones() {
    let images = tempfile::tempdir().unwrap();
    for (system, release) in SYSTEMS {
        let image = image(images.path(), system);
        for directory in ["etc", "bin"] {
            fs::create_dir_all(image.join(directory)).unwrap();
        }
        fs::write(image.join("etc/os-release"), release).unwrap();
        symlink("/bin/sh", image.join("bin/sh")).unwrap();
        // by what a system runs its services and installs its packages
        for program in ["usr/lib/systemd/systemd", "usr/bin/dnf", "sbin/openrc-run"] {
            if has_systemd(&image) != program.contains("openrc") {
                fs::create_dir_all(image.join(program).parent().unwrap()).unwrap();
                fs::write(image.join(program), "").unwrap();
            }
        }
    }
    let mut packages: Vec<PathBuf> = workspace()
        .plugins()
        .map(|plugin| plugin.package.clone())
        .filter(|package| package.parent().is_some_and(|parent| parent.ends_with("crates")))
        .filter(|package| !scenarios(package).is_empty())
        .collect();
    packages.sort();
    assert!(packages.len() >= 3);
    for package in packages {
        // systems with equal plans together
        let mut equal: Vec<(Vec<&str>, Vec<String>)> = Vec::new();
        for (system, _) in SYSTEMS {
            let plans = plans(&package, &image(images.path(), system));
            match equal.iter_mut().find(|(_, known)| *known == plans) {
                Some((systems, _)) => systems.push(system),
                None => equal.push((vec![system], plans)),
            }
        }
        let mut text = String::new();
        for (systems, plans) in equal {
            let lines: String = plans.iter().map(|line| format!("  {line}\n")).collect();
            let _ = write!(text, "{}\n{lines}", systems.join(", "));
        }
        let name = package.file_name().unwrap();
        expect_file![root().join("crates").join(name).join("tests/systems.txt")].assert_eq(&text);
    }
}

fn image(images: &Path, system: &str) -> PathBuf {
    images.join(system.replace(' ', "-"))
}

/// All have systemd but Alpine, which has OpenRC.
fn has_systemd(image: &Path) -> bool {
    let name = image.file_name().unwrap().to_str().unwrap();
    !name.starts_with("alpine")
}

fn scenarios(package: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(package.join("tests")).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "star"))
        .collect();
    found.sort();
    found
}

/// What a converge of all scenarios would change on new nodes of an image, each change once, with
/// the phases that make it; or why it would not.
fn plans(package: &Path, image: &Path) -> Vec<String> {
    let project = Project::empty();
    for entry in fs::read_dir(package.join("tests")).unwrap() {
        let path = entry.unwrap().path();
        symlink(&path, project.directory().join(path.file_name().unwrap())).unwrap();
    }
    let own = fs::read_to_string(package.join("tests/pallet.toml")).unwrap_or_default();
    let _ = fs::remove_file(project.directory().join("pallet.toml"));
    let init = if has_systemd(image) { "init = \"systemd\"\n" } else { "" };
    let service = format!(
        "{own}\n[services.other]\nprovider = \"sandbox\"\n{init}image = {:?}\n",
        image.display().to_string()
    );
    project.write("pallet.toml", service);
    let mut phases: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut changes = Vec::new();
    for scenario in scenarios(package) {
        let _ = fs::remove_file(project.directory().join("pallet.star"));
        symlink(&scenario, project.directory().join("pallet.star")).unwrap();
        let output = project.run(&["converge", "--dry-run", "--service", "other"]);
        for line in output.stdout.lines().filter(|line| !line.starts_with([' ', '-'])) {
            let (phase, change) = match line.split_once(" (predicted): ") {
                Some((_, rest)) => rest.split_once(": ").unwrap_or(("", rest)),
                None => match line.split_once(" failed: ") {
                    Some((_, why)) => ("refused", why),
                    None => continue,
                },
            };
            if phase == "bootstrap" {
                continue;
            }
            let change = change.trim_end_matches(" (known after apply)");
            if !changes.iter().any(|known| known == change) {
                changes.push(change.to_owned());
            }
            let phases = phases.entry(change.to_owned()).or_default();
            if !phases.iter().any(|known| known == phase) {
                phases.push(phase.to_owned());
            }
        }
        assert!(output.code() < 2, "{output}");
    }
    changes.into_iter().map(|change| format!("{}: {change}", phases[&change].join(", "))).collect()
}
