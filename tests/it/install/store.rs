//! The store: modified plugins are never loaded, and unused ones are removed.

use std::os::unix::fs::PermissionsExt;

use super::*;

fn installed() -> (TempDir, Project, PathBuf) {
    let (directory, source) = layout();
    let key = key();
    Plugin::new("greet", "1.0.0").publish(&source, Some(&key));
    let project = project(&[&key]);
    project.run(&["install", &format!("{source}#crate/greet")]).exits(0);
    project.write("pallet.star", "load(\"@greet\", \"greet\")\ngroup_spec(\"web\", count = 0)\n");
    project.run(&["check"]).exits(0);
    let store = stored(&project).remove(0);
    (directory, project, store)
}

/// Changes a byte of a file that is read-only.
fn change(file: &Path) {
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let mut bytes = std::fs::read(file).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(file, bytes).unwrap();
}

#[test]
fn a_changed_library_is_not_loaded_and_is_healed() {
    let (_directory, project, store) = installed();
    change(&store.join("libpallet_crate_greet.so"));
    project
        .run(&["check"])
        .exits(2)
        .says("crate greet 1.0.0 was changed since it was locked")
        .says("run `pallet-cli install`");
    project.run(&["verify"]).exits(2).says("greet 1.0.0 was changed in");
    let told = project.run(&["verify", "--offline", "--output", "json"]).exits(2);
    assert_eq!(serde_json::from_str::<Value>(&told.stdout).unwrap()["ok"], false);
    project.run(&["install"]).exits(0).says("1 of them now");
    project.run(&["verify"]).exits(0).says("greet 1.0.0: good");
    project.run(&["check"]).exits(0);
}

#[test]
fn any_changed_file_stops_it() {
    let (_directory, project, store) = installed();
    change(&store.join("plugin.json"));
    project.run(&["check"]).exits(2).says("was changed since it was locked");
    project.run(&["install"]).exits(0);
    std::fs::set_permissions(&store, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::write(store.join("more"), "").unwrap();
    project.run(&["verify"]).exits(2);
}

#[test]
fn what_is_not_there_is_told() {
    let (_directory, project, _) = installed();
    std::fs::remove_dir_all(data(&project)).unwrap();
    project
        .run(&["check"])
        .exits(2)
        .says("crate greet 1.0.0 is locked but not in the store; run `pallet-cli install`");
    project.run(&["list"]).exits(0).says("no");
    project.run(&["install"]).exits(0);
    project.run(&["check"]).exits(0);
}

#[test]
fn a_damaged_lock_stops_everything() {
    let (_directory, project, _) = installed();
    project.write(
        "pallet.lock",
        "<<<<<<< HEAD\nversion = 1\n=======\nversion = 1\n\
        >>>>>>> other\n",
    );
    for command in ["check", "crates", "install", "list", "verify", "gc"] {
        project.run(&[command]).exits(2).says("holds both sides of a merge");
    }
    assert_eq!(stored(&project).len(), 1);
}

#[test]
fn what_any_known_lock_names_is_kept() {
    let (_directory, project, _) = installed();
    // a project that was merely copied here, and used
    let copy = project.home().join("copy");
    std::fs::create_dir(&copy).unwrap();
    for file in ["pallet.toml", "pallet.lock", "pallet.star"] {
        std::fs::copy(project.directory().join(file), copy.join(file)).unwrap();
    }
    project.run(&["-C", copy.to_str().unwrap(), "check"]);
    project.run_in(&copy, &["check"]).exits(0);
    project.run(&["uninstall", "greet"]).exits(0);
    project.run(&["gc"]).exits(0).says("0 removed").says("1 kept for 2 locks");
    project.run_in(&copy, &["check"]).exits(0);
    std::fs::remove_dir_all(&copy).unwrap();
    project
        .run(&["gc", "--dry-run"])
        .exits(0)
        .says("copy/pallet.lock no longer exists")
        .says("1 would be removed");
    assert_eq!(stored(&project).len(), 1);
    project.run(&["gc"]).exits(0).says("1 removed");
    assert_eq!(stored(&project).len(), 0);
}
