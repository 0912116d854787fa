//! The law of directories that mirror one of the project.

use std::fs;

use super::super::Rsync;
use super::*;

/// Creates a directory of the project.
fn site(place: &Place) -> std::path::PathBuf {
    let site = place.project.0.path().join("site");
    let files = WEIRD.iter().filter(|name| !name.contains('\n'));
    for name in files.map(|name| name.to_string()).chain([
        "deep/er/file".to_owned(),
        "empty/.keep".to_owned(),
        "run.sh".to_owned(),
    ]) {
        let path = site.join(&name);
        fs::create_dir_all(path.parent().expect("it has one")).expect("it can be made");
        fs::write(&path, format!("content of {name}\n")).expect("it can be written");
    }
    fs::write(site.join("large"), "x".repeat(80_000)).expect("it can be written");
    fs::set_permissions(site.join("run.sh"), fs::Permissions::from_mode(0o755))
        .expect("it is ours");
    site
}

#[test]
fn a_mirror_has_all_that_the_project_has() {
    for place in places() {
        for weird in WEIRD {
            let site = site(&place);
            let path = place.path(weird);
            let mirror = || Rsync::new("site", &path);
            place.law(mirror(), true);
            assert_eq!(
                fs::read_to_string(format!("{path}/deep/er/file")).expect("it is there"),
                "content of deep/er/file\n"
            );
            assert_eq!(
                (mode(&format!("{path}/run.sh")), mode(&format!("{path}/large"))),
                (0o755, 0o644)
            );
            place.law(mirror(), false);
            place.law_of_unknown(mirror(), false);
            fs::write(site.join("deep/er/file"), format!("new for {weird}"))
                .expect("it can be written");
            fs::remove_file(format!("{path}/run.sh")).expect("it is there");
            place.law(mirror(), true);
            fs::write(site.join("large"), weird.repeat(20_000)).expect("it can be written");
            place.law_of_unknown(mirror(), true);
            fs::remove_dir_all(&path).expect("it is there");
            place.law_of_unknown(mirror().mode(0o600), true);
            assert_eq!(mode(&format!("{path}/run.sh")), 0o600);
            fs::write(format!("{path}/run.sh"), "by hand").expect("it can be written");
            if weird.contains('\n') {
                // there is no record for such a path
                place.law(mirror().mode(0o600), true);
                continue;
            }
            let action = place.prepared(mirror().mode(0o600));
            let mut state = place.observe(&action);
            let change = action.plan(&mut state).expect("it can be planned").expect("it differs");
            assert_eq!(change.certainty, Certainty::Drifted);
            fs::remove_file(format!("{path}/large")).expect("it is there");
            let change = action
                .plan(&mut place.observe(&action))
                .expect("it can be planned")
                .expect("it differs");
            assert_eq!(
                (change.certainty, place.report(&change).as_deref()),
                (Certainty::Will, Ok("1 1")),
                "{}",
                place.shell
            );
            assert_eq!(
                fs::read_to_string(format!("{path}/run.sh")).expect("it is there"),
                "by hand"
            );
            place.law(mirror().mode(0o600).overwrite_changes(), true);
        }
    }
}

#[test]
fn a_mirror_has_nothing_else_if_it_is_told_so() {
    for place in places() {
        site(&place);
        for weird in WEIRD {
            let path = place.path(weird);
            let mirror = || Rsync::new("site", &path).delete().exclude(["*.tmp", "it's ? file"]);
            let others = || {
                for name in [
                    "old/deep/file",
                    "-old",
                    "it's\\",
                    "a.tmp/kept",
                    "deep/x.tmp",
                    "old/kept/it's a file",
                    "deep/$(x) *?",
                ] {
                    let path = format!("{path}/{name}");
                    fs::create_dir_all(Path::new(&path).parent().expect("it has one"))
                        .expect("it can be made");
                    fs::write(&path, "").expect("it can be written");
                }
                std::os::unix::fs::symlink("/etc", format!("{path}/link")).expect("it can be made");
            };
            place.law(mirror(), true);
            others();
            place.law(mirror(), true);
            let mut kept = Vec::new();
            for name in [
                "old",
                "old/deep",
                "-old",
                "it's\\",
                "a.tmp/kept",
                "deep/x.tmp",
                "old/kept/it's a file",
                "deep/$(x) *?",
                "link",
            ] {
                kept.extend(fs::symlink_metadata(format!("{path}/{name}")).map(|_| name));
            }
            assert_eq!(
                kept,
                ["old", "a.tmp/kept", "deep/x.tmp", "old/kept/it's a file"],
                "{}",
                place.shell
            );
            assert!(Path::new("/etc/passwd").exists());
            place.law(mirror(), false);
            fs::remove_dir_all(format!("{path}/old")).expect("it is there");
            others();
            place.law_of_unknown(mirror(), true);
            place.law_of_unknown(mirror(), false);
            place.law(mirror().exclude(Vec::<String>::new()), true);
            assert!(!Path::new(&format!("{path}/a.tmp")).exists());
        }
    }
}
