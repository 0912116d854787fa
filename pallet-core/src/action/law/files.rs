//! The law of the actions on files: records, and changes by hand.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};

use super::super::{Directory, Fifo, File, RemoteFile};
use super::*;
use crate::model::digest;
use crate::script::Script;

/// What Pallet recorded as written to a path: its last entry.
fn written(place: &Place, path: &str) -> Option<String> {
    let lines = fs::read_to_string(place.state.path().join("written")).unwrap_or_default();
    let last = lines.lines().filter_map(|line| line.split_once("  ")).rfind(|(_, of)| *of == path);
    last.map(|(digest, _)| digest.to_owned())
}

/// Runs shell commands with the library.
fn run(place: &Place, script: &str) -> String {
    place
        .report(&Change::will("test", Script::new().raw(script)))
        .unwrap_or_else(|said| panic!("{}: {said}", place.shell))
}

#[test]
fn what_was_written_is_remembered() {
    for place in places() {
        let path = place.path("it's  [a] file");
        place.law(RemoteFile::content(&path, "one\n"), true);
        assert_eq!(written(&place, &path), Some(digest(b"one\n")), "{}", place.shell);
        assert_eq!(mode(place.state.path().join("written").to_str().expect("it is UTF-8")), 0o600);
        place.law_of_unknown(RemoteFile::content(&path, "two\n"), true);
        assert_eq!(written(&place, &path), Some(digest(b"two\n")), "{}", place.shell);
        // an edit of a part of it
        fs::write(&path, "three\n").expect("it can be written");
        run(
            &place,
            Script::new()
                .call(["record_written", &path])
                .call(["record_written", &place.path("other")])
                .as_str(),
        );
        assert_eq!(written(&place, &path), Some(digest(b"three\n")), "{}", place.shell);
        assert_eq!(written(&place, &place.path("other")), None);
        place.law(RemoteFile::content(place.path("new\nline"), ""), true);
        assert_eq!(
            fs::read_to_string(place.state.path().join("written"))
                .expect("it is there")
                .lines()
                .count(),
            // one before a file is replaced, and one after each write
            4
        );
        place.law(File::at(&path).absent(), true);
        assert_eq!(written(&place, &path), Some("-".to_owned()), "{}", place.shell);
    }
}

#[test]
fn a_run_that_is_killed_leaves_nothing_that_looks_like_a_change_by_hand() {
    for place in places() {
        for (name, last) in [("before it is replaced", "put"), ("after", "record_written")] {
            let path = place.path(name);
            place.law(RemoteFile::content(&path, "one\n"), true);
            let action = place.prepared(RemoteFile::content(&path, "two\n"));
            let change = action.plan(&mut place.observe(&action)).expect("it can be planned");
            let change = change.expect("it has something to do");
            let killed = format!("{last}() {{ exit 1; }}\n{}", change.script.as_str());
            let killed = Change { script: Script::new().raw(&killed), ..change };
            place.apply(&killed).expect_err("it is killed there");
            let now = if last == "put" { "one\n" } else { "two\n" };
            assert_eq!(fs::read_to_string(&path).expect("it is there"), now, "{}", place.shell);
            place.law(RemoteFile::content(&path, "three\n"), true);
            // which is noticed again from here on
            fs::write(&path, "by hand\n").expect("it can be written");
            let mut state = place.observe(&action);
            let change = action.plan(&mut state).expect("it can be planned");
            let change = change.expect("it is not right");
            assert_eq!(change.certainty, Certainty::Drifted, "{}", place.shell);
        }
    }
}

#[test]
fn the_record_is_compacted() {
    for place in places() {
        let lines: String = (0..6000)
            .map(|n| format!("{}  /srv/a file/{}\n", digest(&[n as u8]), n % 40))
            .collect();
        fs::write(place.state.path().join("written"), format!("{lines}-  /srv/a file/7\n"))
            .expect("it can be written");
        run(&place, &format!("record_written '/srv/a file/8' 0{}", "1".repeat(63)));
        let now = fs::read_to_string(place.state.path().join("written")).expect("it is there");
        assert_eq!(now.lines().count(), 39, "{}", place.shell);
        assert!(now.contains(&format!("0{}  /srv/a file/8\n", "1".repeat(63))), "{now}");
        assert!(
            now.contains(&format!("{}  /srv/a file/39\n", digest(&[(5999 % 256) as u8]))),
            "{now}"
        );
        assert_eq!(mode(place.state.path().join("written").to_str().expect("it is UTF-8")), 0o600);
    }
}

/// The contents of the older versions of a file, by name.
fn versions(place: &Place, path: &str) -> Vec<(String, String)> {
    let path = format!("{}/versions{path}", place.state.path().display());
    let (directory, name) = path.rsplit_once('/').expect("it is absolute");
    let mut names: Vec<_> =
        fs::read_dir(directory).map(|_| names(Path::new(directory))).unwrap_or_default();
    names.sort();
    let content =
        |of: &String| fs::read_to_string(format!("{directory}/{of}")).expect("it is there");
    let found = names.iter().filter(|of| of.starts_with(name));
    found.map(|of| (of[name.len()..].to_owned(), content(of))).collect()
}

#[test]
fn older_versions_are_kept() {
    for place in places() {
        for weird in WEIRD {
            let path = place.path(weird);
            fs::write(&path, "by hand").expect("it can be written");
            for number in 1..=8 {
                place.law_of_unknown(
                    RemoteFile::content(&path, format!("{number}")).max_versions(3).mode(0o4755),
                    true,
                );
            }
            let kept: Vec<_> =
                [6, 7, 8].map(|number| (format!(".~{number}~"), format!("{}", number - 1))).into();
            assert_eq!(versions(&place, &path), kept, "{}", place.shell);
            let kept = format!("{}/versions{path}.~8~", place.state.path().display());
            assert_eq!(mode(&kept), 0o600, "{}", place.shell);
            assert_eq!(mode(kept.rsplit_once('/').expect("it is absolute").0), 0o700);
            place.law(RemoteFile::content(&path, "none").max_versions(0), true);
            assert_eq!(versions(&place, &path).len(), 3);
            place.fails(RemoteFile::content(&path, "refused").verify("false"));
            assert_eq!(versions(&place, &path).len(), 3);
            place.law(RemoteFile::content(&path, "").mode(0o600), true);
            place.law(RemoteFile::content(&path, "10"), true);
            place.law(RemoteFile::content(&path, "11"), true);
            let names: Vec<_> = versions(&place, &path).into_iter().map(|(name, _)| name).collect();
            assert_eq!(names, [".~10~", ".~11~", ".~7~", ".~8~", ".~9~"], "{}", place.shell);
        }
    }
}

#[test]
fn what_was_changed_by_hand_is_kept() {
    for place in places() {
        for weird in ["plain", "it's a \"file\"  of\tmine"] {
            let path = place.path(weird);
            place.law(RemoteFile::content(&path, "one\n"), true);
            fs::write(&path, "by hand\n").expect("it can be written");
            let kept = |action: RemoteFile| {
                let action = place.prepared(action);
                let mut state = place.observe(&action);
                let before = state.clone();
                let change =
                    action.plan(&mut state).expect("it can be planned").expect("it differs");
                assert_eq!(
                    (change.certainty, &state),
                    (Certainty::Drifted, &before),
                    "{}",
                    place.shell
                );
                // the script finds the drift too, if the state was unknown
                let change = action
                    .plan(&mut NodeState::new(state.os.clone()))
                    .expect("it can be planned")
                    .expect("it may differ");
                assert_eq!(place.report(&change).as_deref(), Ok(" 1"), "{}", place.shell);
                assert_eq!(fs::read_to_string(&path).expect("it is there"), "by hand\n");
            };
            kept(RemoteFile::content(&path, "two\n").mode(0o600));
            kept(RemoteFile::content(&path, "one\n"));
            // a file with the right content is not drift
            place.law(RemoteFile::content(&path, "by hand\n"), false);
            place.law(RemoteFile::content(&path, "two\n").overwrite_changes(), true);
            fs::write(&path, "by hand\n").expect("it can be written");
            place.law_of_unknown(RemoteFile::content(&path, "one\n").overwrite_changes(), true);
            let last = versions(&place, &path).last().cloned().expect("there is one").1;
            assert_eq!(last, "by hand\n", "{}", place.shell);
            // the result of an edit, of a part or of the whole, counts as written by Pallet
            fs::write(&path, "a part\n").expect("it can be written");
            run(&place, Script::new().call(["record_written", &path]).as_str());
            place.law(RemoteFile::content(&path, "two\n"), true);
            place.law(File::at(&path).absent(), true);
            fs::write(&path, "of a package\n").expect("it can be written");
            place.law(RemoteFile::content(&path, "one\n"), true);
            fs::remove_file(&path).expect("it is there");
            place.law(RemoteFile::content(&path, "two\n"), true);
        }
    }
}

#[test]
fn a_file_of_the_node_is_copied() {
    for place in places() {
        for weird in WEIRD {
            let (from, to) = (place.path(&format!("{weird}.from")), place.path(weird));
            fs::write(&from, b"\0one").expect("it can be written");
            let copy = || RemoteFile::copy(&to, &from).mode(0o640);
            place.law(copy(), true);
            assert_eq!(
                (fs::read(&to).expect("it is there").as_slice(), mode(&to)),
                (&b"\0one"[..], 0o640)
            );
            place.law(copy(), false);
            place.law_of_unknown(copy(), false);
            fs::write(&from, b"two").expect("it can be written");
            place.law_of_unknown(copy(), true);
            fs::write(&from, b"three").expect("it can be written");
            place.law(copy(), true);
            fs::write(&to, b"by hand").expect("it can be written");
            place.law(copy().overwrite_changes(), true);
        }
        let said = place.apply(
            &place
                .prepared(RemoteFile::copy(place.path("to"), place.path("none")))
                .plan(&mut NodeState::new(os(&place)))
                .unwrap()
                .unwrap(),
        );
        assert!(said.expect_err("there is none").contains("none"));
    }
}

fn os(place: &Place) -> crate::model::Os {
    place.observe(&place.prepared(File::at("/"))).os
}

#[test]
fn a_link_takes_the_place_of_a_file() {
    for place in places() {
        let path = place.path("link");
        fs::write(&path, "").expect("it can be written");
        place.law(RemoteFile::link(&path, "it's"), true);
        place.law(RemoteFile::link(&path, "it's"), false);
        place.law_of_unknown(RemoteFile::link(&path, "other"), true);
        place.law(RemoteFile::content(&path, "a file again"), true);
    }
}

#[test]
fn fifo_of_any_name() {
    for place in places() {
        for weird in WEIRD {
            let path = place.path(weird);
            place.law(Fifo::at(&path), true);
            place.law(Fifo::at(&path), false);
            place.law_of_unknown(Fifo::at(&path), false);
            place.law(Fifo::at(&path).mode(0o620), true);
            place.law_of_unknown(Fifo::at(&path).mode(0o600), true);
            place.law(Fifo::at(&path).absent(), true);
            place.law_of_unknown(Fifo::at(&path).mode(0o622), true);
            assert_eq!(mode(&path), 0o622);
            place.law_of_unknown(Fifo::at(&path).absent(), true);
        }
    }
}

#[test]
#[ignore = "needs root"]
fn all_that_is_in_a_directory_changes_hands() {
    for place in places() {
        for weird in WEIRD {
            let path = place.path(weird);
            let theirs = || Directory::at(&path).owner("daemon").group("adm").recursive();
            place.law(theirs(), true);
            place.law(theirs(), false);
            fs::create_dir_all(format!("{path}/deep/{weird}")).expect("it can be made");
            symlink("/etc/passwd", format!("{path}/deep/link")).expect("it can be made");
            place.law(theirs(), true);
            place.law(theirs(), false);
            fs::write(format!("{path}/deep/{weird}/file"), "").expect("it can be written");
            place.law_of_unknown(theirs(), true);
            place.law_of_unknown(theirs(), false);
            place.law(Directory::at(&path).group("root").recursive(), true);
            let owner = |path: &str| {
                fs::symlink_metadata(path)
                    .map(|data| (data.uid(), data.gid()))
                    .expect("it is there")
            };
            assert_eq!(
                (owner(&format!("{path}/deep/link")), owner("/etc/passwd")),
                ((1, 0), (0, 0)),
                "{}",
                place.shell
            );
        }
        let action =
            place.prepared(Directory::at(place.path("x")).owner("no-such-user").recursive());
        let change = action
            .plan(&mut place.observe(&action))
            .expect("it can be planned")
            .expect("it may change");
        assert!(place.apply(&change).expect_err("there is no such user").contains("no-such-user"));
    }
}

#[test]
#[ignore = "needs root"]
fn what_is_made_in_a_directory_with_a_group_of_its_own() {
    for place in places() {
        let path = place.path("shared");
        place.law(Directory::at(&path).group("adm").mode(0o2775), true);
        place.law(File::at(format!("{path}/file")), true);
        place.law(
            RemoteFile::content(format!("{path}/content"), "x").owner("daemon").mode(0o4750),
            true,
        );
        place.law(Directory::at(format!("{path}/directory")), true);
        place.law(Directory::at(format!("{path}/a/b/c")).owner("daemon"), true);
        place.law(Fifo::at(format!("{path}/pipe")).mode(0o666), true);
        place.law(Directory::at(&path).mode(0o755), true);
    }
}
