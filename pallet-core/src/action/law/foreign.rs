//! The law for files with unusual properties: owners without a name, ACLs, extended attributes,
//! mount points, directories of other users, large values.

use std::os::unix::fs::{MetadataExt, chown};
use std::process::Command;

use super::super::{Fifo, IniSetting, LineInFile, Rsync, Sed};
use super::*;

/// What tools report about a file, as far as they are installed.
fn said(words: &[&str], path: &str) -> Option<String> {
    let output = Command::new(words[0]).args(&words[1..]).arg(path).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

fn acl(path: &str) -> Option<String> {
    said(&["getfacl", "-cnp", "--"], path)
}

/// Each action that writes a file, with a change of its content.
fn edits(place: &Place, path: &str, check: &mut dyn FnMut(&str, &dyn Fn() -> bool)) {
    let begin = || fs::write(path, "[a]\nx = 1\n").expect("it can be written");
    begin();
    place.law(RemoteFile::content(path, "[a]\nx = 2\n"), true);
    check("remote_file", &|| fs::read_to_string(path).is_ok_and(|text| text.contains("x = 2")));
    place.law_of_unknown(RemoteFile::content(path, "[a]\nx = 3\n").max_versions(0), true);
    check("remote_file that decides on the node", &|| {
        fs::read_to_string(path).is_ok_and(|text| text.contains("x = 3"))
    });
    place.law(LineInFile::new(path, "x = 4").matching("^x ="), true);
    check("line_in_file", &|| fs::read_to_string(path).is_ok_and(|text| text.contains("x = 4")));
    place.law_of_unknown(LineInFile::new(path, "x = 5").matching("^x ="), true);
    check("line_in_file that decides on the node", &|| {
        fs::read_to_string(path).is_ok_and(|text| text.contains("x = 5"))
    });
    place.law(IniSetting::new(path, "a", "x", "6"), true);
    check("ini_setting", &|| fs::read_to_string(path).is_ok_and(|text| text.contains('6')));
    place.law_of_unknown(Sed::new(path, ["s/6/7/"]), true);
    check("sed", &|| fs::read_to_string(path).is_ok_and(|text| text.contains('7')));
    place.law_of_unknown(RemoteFile::content(path, "x = 8\n").overwrite_changes(), true);
    check("remote_file over it", &|| fs::read_to_string(path).is_ok_and(|text| text == "x = 8\n"));
}

#[test]
#[ignore = "needs root"]
fn fault_01_owners_without_a_name_are_kept() {
    for place in places() {
        let path = place.path("file");
        fs::write(&path, "").expect("it can be written");
        chown(&path, Some(4321), Some(4322)).expect("we are root");
        edits(&place, &path, &mut |label, holds| {
            let data = fs::metadata(&path).expect("it is there");
            assert_eq!(
                (data.uid(), data.gid(), holds()),
                (4321, 4322, true),
                "{}: {label}",
                place.shell
            );
        });
        for path in ["directory", "pipe"] {
            let path = place.path(path);
            if path.ends_with("pipe") {
                place.law(Fifo::at(&path), true)
            } else {
                place.law(Directory::at(&path), true)
            }
            chown(&path, Some(4321), Some(4322)).expect("we are root");
        }
        place.law(Directory::at(place.path("directory")).mode(0o700), true);
        place.law_of_unknown(Directory::at(place.path("directory")).group("adm"), true);
        place.law(Fifo::at(place.path("pipe")).mode(0o600), true);
        place.law(File::at(&path).mode(0o604).group("adm"), true);
        let data = fs::metadata(&path).expect("it is there");
        assert_eq!((data.uid(), data.gid()), (4321, 4), "{}", place.shell);
    }
}

#[test]
#[ignore = "needs root"]
fn fault_13_acl_and_extended_attributes_are_kept() {
    for place in places() {
        let path = place.path("file");
        fs::write(&path, "").expect("it can be written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("it is ours");
        if said(&["setfacl", "-m", "u:daemon:rw"], &path).is_none() || acl(&path).is_none() {
            continue;
        }
        let more = said(&["setfattr", "-n", "user.note", "-v", "kept"], &path).is_some();
        let before = acl(&path);
        assert!(
            before
                .as_ref()
                .is_some_and(|acl| acl.contains("user:1:rw-") && acl.contains("group::r--")),
            "{before:?}"
        );
        edits(&place, &path, &mut |label, holds| {
            assert_eq!((acl(&path), holds()), (before.clone(), true), "{}: {label}", place.shell);
            let note =
                said(&["getfattr", "--only-values", "--absolute-names", "-n", "user.note"], &path);
            assert!(!more || note.as_deref() == Some("kept"), "{}: {label}: {note:?}", place.shell);
        });
        // the declared mode wins; with an ACL, it sets the mask
        place.law(
            RemoteFile::content(&path, "other\n").owner("daemon").mode(0o600).overwrite_changes(),
            true,
        );
        let after = acl(&path).expect("it has one");
        assert!(
            after.contains("user:1:rw-") && after.contains("mask::---"),
            "{}: {after}",
            place.shell
        );
    }
}

/// Each runs in its own mount namespace, so that no mount persists.
#[test]
#[ignore = "needs root"]
fn fault_02_files_that_are_mount_points_are_written_in_place() {
    #[expect(
        deprecated,
        reason = "this thread shares nothing that it could surprise, and the other form is unsafe"
    )]
    rustix::thread::unshare(rustix::thread::UnshareFlags::NEWNS).expect("we are root");
    rustix::mount::mount_change(
        "/",
        rustix::mount::MountPropagationFlags::PRIVATE | rustix::mount::MountPropagationFlags::REC,
    )
    .expect("we are root");
    for place in places() {
        for name in ["hosts", "with a space"] {
            let (path, below) = (place.path(name), place.path("below"));
            fs::write(&path, "under it\n").expect("it can be written");
            fs::write(&below, "").expect("it can be written");
            rustix::mount::mount_bind(&below, &path).expect("we are root");
            edits(&place, &path, &mut |label, holds| {
                let same = fs::metadata(&path).expect("it is there").ino()
                    == fs::metadata(&below).expect("it is there").ino();
                assert!(same && holds(), "{}: {label}", place.shell);
            });
            place.law(RemoteFile::content(&path, "other\n").owner("daemon").mode(0o600), true);
            assert_eq!(
                (fs::metadata(&below).expect("it is there").uid(), mode(&below)),
                (1, 0o600),
                "{}",
                place.shell
            );
            rustix::mount::unmount(&path, rustix::mount::UnmountFlags::empty())
                .expect("it is mounted");
            assert_eq!(fs::read_to_string(&path).expect("it is there"), "under it\n");
        }
    }
}

#[test]
#[ignore = "needs root"]
fn directories_of_other_users_are_like_any() {
    for place in places() {
        fs::set_permissions(place.root.path(), fs::Permissions::from_mode(0o711))
            .expect("it is ours");
        for (name, mode_of) in [("theirs", 0o755), ("anybody's", 0o1777), ("group's\n", 0o2775)] {
            let yard = place.path(name);
            fs::create_dir(&yard).expect("it can be made");
            chown(&yard, if mode_of == 0o755 { Some(1) } else { None }, Some(4))
                .expect("we are root");
            fs::set_permissions(&yard, fs::Permissions::from_mode(mode_of)).expect("it is ours");
            let at = |name: &str| format!("{yard}/{name}");
            for weird in WEIRD {
                let path = at(weird);
                edits(&place, &path, &mut |label, holds| {
                    assert!(holds(), "{}: {label}", place.shell)
                });
                place.law(File::at(&path).mode(0o600).owner("daemon"), true);
                place.law_of_unknown(File::at(&path).mode(0o640), true);
                place.law(File::at(&path).absent(), true);
                place.law(Directory::at(&path), true);
                place.law(Directory::at(format!("{path}/a/b/c")).owner("daemon").mode(0o750), true);
                place.law_of_unknown(
                    Directory::at(format!("{path}/d/{weird}")).owner("daemon"),
                    true,
                );
                place.law(Directory::at(&path).owner("daemon").group("adm").recursive(), true);
                place.law(RemoteFile::content(format!("{path}/a/b/c/file"), "x"), true);
                place.law(SymbolicLink::new(format!("{path}/link"), weird), true);
                place.law_of_unknown(SymbolicLink::new(format!("{path}/link"), "/"), true);
                place.law(Fifo::at(format!("{path}/pipe")).mode(0o622), true);
                place.law_of_unknown(Directory::at(format!("{path}/a")).absent(), true);
                place.law(RemoteFile::link(format!("{path}/link"), "x"), true);
                place.law_of_unknown(RemoteFile::content(format!("{path}/link"), "x"), true);
                place.law(Directory::at(&path).absent(), true);
            }
            fs::create_dir_all(place.project.0.path().join("site/deep")).expect("it can be made");
            fs::write(place.project.0.path().join("site/deep/page"), "x")
                .expect("it can be written");
            place.law(Rsync::new("site", at("site")).delete().owner("daemon"), true);
            fs::write(at("site/deep/other"), "x").expect("it can be written");
            place.law(Rsync::new("site", at("site")).delete().owner("daemon"), true);
            assert_eq!(names(Path::new(&at("site/deep"))), ["page"]);
            assert!(
                !names(Path::new(&yard)).iter().any(|name| name.starts_with(".pallet")),
                "{}",
                place.shell
            );
        }
    }
}

#[test]
fn a_megabyte_is_a_value_like_any() {
    for place in places() {
        let path = place.path("file");
        let line = "x".repeat(99) + "\n";
        let text = line.repeat(10_500);
        place.law_of_unknown(RemoteFile::content(&path, &text), true);
        assert!(fs::read_to_string(&path).is_ok_and(|found| found == text), "{}", place.shell);
        place.law(RemoteFile::content(&path, &text), false);
        for (number, action) in
            [LineInFile::new(&path, "y").create(), LineInFile::new(&path, "z").matching("^y$")]
                .into_iter()
                .enumerate()
        {
            let action = place.prepared(action);
            let change = action
                .plan(&mut place.observe(&action))
                .expect("it can be planned")
                .expect("it changes");
            assert_eq!(place.apply(&change), Ok(true), "{}: {number}", place.shell);
        }
        assert!(
            fs::read_to_string(&path).is_ok_and(|found| found == format!("{text}z\n")),
            "{}",
            place.shell
        );
        place.law_of_unknown(RemoteFile::content(&path, &text).overwrite_changes(), true);
        place.law(RemoteFile::copy(place.path("copy"), &path), true);
        assert!(
            fs::read_to_string(place.path("copy")).is_ok_and(|found| found == text),
            "{}",
            place.shell
        );
    }
}
