//! The law of directories that are unpacked from archives.

use std::fs;
use std::process::Command;

use super::super::unpacking::Unpack;
use super::super::{Directory, RemoteDirectory};
use super::*;

/// Packs `app-1/` into an archive of the project, with these options of `tar` or with `zip`;
/// returns false if the tools are missing.
fn pack(place: &Place, archive: &str, words: &[&str]) -> bool {
    let project = place.project.0.path();
    for (name, content) in
        [("bin/run", "run\n"), ("it's [a] *file", "weird\n"), ("etc/new\nline", "line\n")]
    {
        let path = project.join("app-1").join(name);
        fs::create_dir_all(path.parent().expect("it has one")).expect("it can be made");
        fs::write(path, content).expect("it can be written");
    }
    fs::set_permissions(project.join("app-1/bin/run"), fs::Permissions::from_mode(0o755))
        .expect("it is ours");
    let status = Command::new(words[0])
        .args(&words[1..])
        .args([archive, "app-1"])
        .current_dir(project)
        .status();
    status.is_ok_and(|status| status.success())
}

fn read(path: String) -> String {
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn an_archive_of_any_kind_is_unpacked_once() {
    for place in places() {
        let mut packed = 0;
        for (archive, words) in [
            ("app.tar", &["tar", "-cf"][..]),
            ("app.tar.gz", &["tar", "-czf"]),
            ("app.tar.bz2", &["tar", "-cjf"]),
            ("app.tar.xz", &["tar", "-cJf"]),
            ("app.zst", &["tar", "--zstd", "-cf"]),
            ("app.zip", &["zip", "-qr"]),
        ] {
            // busybox does not support zstd
            if !pack(&place, archive, words)
                || archive == "app.zst" && place.shell.to_string() == "busybox"
            {
                continue;
            }
            packed += 1;
            let zip = archive.ends_with("zip");
            // one of them gets a weird name
            for weird in if archive == "app.tar" { &WEIRD[..] } else { &WEIRD[1..2] } {
                let path = place.path(&format!("{weird}.{archive}"));
                let app = || RemoteDirectory::local_file(&path, archive).mode(0o750);
                place.law(app(), true);
                assert_eq!(read(format!("{path}/app-1/it's [a] *file")), "weird\n");
                assert_eq!(
                    (mode(&format!("{path}/app-1/bin/run")), mode(&path)),
                    (0o755, 0o750),
                    "{}",
                    place.shell
                );
                let ours =
                    |name: &String| name.starts_with(".pallet.") && name != ".pallet.directory";
                assert!(!names(Path::new(&path)).iter().any(ours), "{}", place.shell);
                // changes of the unpacked files do not matter
                fs::remove_file(format!("{path}/app-1/bin/run")).expect("it is there");
                place.law(app(), false);
                place.law_of_unknown(app(), false);
                place.law(app().mode(0o700), true);
                place.law_of_unknown(
                    app().extract_files([if zip { "app-1/bin/*" } else { "app-1/bin" }]),
                    true,
                );
                assert_eq!(read(format!("{path}/app-1/bin/run")), "run\n");
                if !zip {
                    place.law(app().strip_components(1).extract_files(["app-1/etc"]), true);
                    assert_eq!(read(format!("{path}/etc/new\nline")), "line\n");
                    assert!(!Path::new(&format!("{path}/bin")).exists());
                }
                place.law(Directory::at(&path).absent(), true);
            }
        }
        assert!(packed > 0, "there is nothing to pack with");
    }
}

#[test]
fn an_archive_of_the_node_is_unpacked_when_it_changes() {
    for place in places() {
        assert!(pack(&place, "app.tar", &["tar", "-cf"]), "there is no tar");
        let archive = place.path("archive: it's");
        fs::copy(place.project.0.path().join("app.tar"), &archive).expect("it can be copied");
        let app = || RemoteDirectory::remote_file(place.path("app"), &archive).strip_components(1);
        place.law(app(), true);
        place.law(app(), false);
        place.law_of_unknown(app(), false);
        fs::write(place.project.0.path().join("app-1/bin/run"), "new\n")
            .expect("it can be written");
        let status = Command::new("tar")
            .args(["-czf", &archive, "."])
            .current_dir(place.project.0.path().join("app-1"))
            .status();
        assert!(status.is_ok_and(|status| status.success()));
        // the archive has its own attributes for the directory itself
        place.law(app().strip_components(0).mode(0o711), true);
        assert_eq!(
            (read(place.path("app/bin/run")).as_str(), mode(&place.path("app"))),
            ("new\n", 0o711)
        );
        place.law_of_unknown(app(), true);
        let said = place.fails(app().unpack(Unpack::Zip).strip_components(0));
        assert!(said.contains("cannot unpack the archive into "), "{said}");
        assert_eq!(mode(&place.path("app")), 0o711);
        place.law(app(), false);
    }
}

/// An archive of the project with one file.
fn pack_one(place: &Place, archive: &str, name: &str, content: &str) {
    let project = place.project.0.path();
    fs::write(project.join(name), content).expect("it can be written");
    let status = Command::new("tar").args(["-cf", archive, name]).current_dir(project).status();
    assert!(status.is_ok_and(|status| status.success()));
}

#[test]
fn an_archive_with_nothing_left_to_unpack_fails() {
    for place in places() {
        pack_one(&place, "one.tar", "one", "one\n");
        let one = RemoteDirectory::local_file(place.path("one"), "one.tar").strip_components(1);
        let said = place.fails(one);
        assert!(said.contains("the archive has nothing for "), "{}: {said}", place.shell);
    }
}

#[test]
#[ignore = "needs root"]
fn fault_04_two_archives_go_to_one_directory() {
    for place in places() {
        let path = place.path("tools");
        let tool = |archive: &str| RemoteDirectory::local_file(&path, archive);
        pack_one(&place, "go.tar", "go", "1");
        pack_one(&place, "node.tar", "node", "1");
        place.law(tool("go.tar"), true);
        place.law(tool("node.tar"), true);
        place.law(tool("go.tar"), false);
        place.law(tool("node.tar"), false);
        place.law_of_unknown(tool("go.tar"), false);
        // a new version, and back
        pack_one(&place, "go-1.2.tar", "go", "1.2");
        pack_one(&place, "go-1.3.tar", "go", "1.3");
        for (archive, content) in
            [("go-1.2.tar", "1.2"), ("go-1.3.tar", "1.3"), ("go-1.2.tar", "1.2")]
        {
            place.law(tool(archive), true);
            assert_eq!(read(format!("{path}/go")), content);
        }
        place.law(tool("node.tar"), false);
        assert_eq!(names(Path::new(&path)).len(), 2, "{}", place.shell);
    }
}

/// Of archives whose names differ only in their version, those that are declared together are all
/// remembered.
#[test]
#[ignore = "needs root"]
fn archives_that_are_declared_together_stay_known() {
    for place in places() {
        let path = place.path("tools");
        pack_one(&place, "part1.tar", "one", "1");
        pack_one(&place, "part2.tar", "two", "2");
        let parts = ["part1.tar", "part2.tar"]
            .map(|part| place.prepared(RemoteDirectory::local_file(&path, part)));
        let mut wanted = Observation::default();
        parts.iter().for_each(|part| part.observe(&mut wanted));
        for changes in [2, 0] {
            let output = place.run(&compile(&wanted, TOKEN));
            let answer = String::from_utf8_lossy(&output.stdout)
                .replace(place.state.path().to_str().expect("it is UTF-8"), STATE);
            let mut state =
                parse(&wanted, TOKEN, answer.as_bytes()).expect("the answer can be read").state;
            let made = parts
                .iter()
                .filter_map(|part| part.plan(&mut state).expect("it can be planned"))
                .inspect(|change| {
                    assert_eq!(place.apply(change), Ok(true), "{}", place.shell);
                });
            assert_eq!(made.count(), changes, "{}", place.shell);
        }
    }
}

#[test]
#[ignore = "needs root"]
fn what_stands_in_the_way_of_an_archive() {
    for place in places() {
        let path = place.path("app");
        fs::create_dir_all(place.path("logs")).expect("it can be made");
        fs::create_dir_all(format!("{path}/deep")).expect("it can be made");
        fs::set_permissions(format!("{path}/deep"), fs::Permissions::from_mode(0o750))
            .expect("it is ours");
        symlink(place.path("logs"), format!("{path}/log")).expect("it can be made");
        let project = place.project.0.path();
        fs::create_dir_all(project.join("a/log")).expect("it can be made");
        fs::create_dir_all(project.join("a/deep")).expect("it can be made");
        for name in ["log/one", "deep/two"] {
            fs::write(project.join("a").join(name), name).expect("it can be written");
        }
        let packed = Command::new("tar")
            .args(["-cf", "../a.tar", "."])
            .current_dir(project.join("a"))
            .status();
        assert!(packed.is_ok_and(|status| status.success()));
        place.law(RemoteDirectory::local_file(&path, "a.tar"), true);
        // root's own link to a directory counts as one, and an existing directory keeps its
        // attributes
        assert_eq!(
            (read(place.path("logs/one")).as_str(), read(format!("{path}/deep/two")).as_str()),
            ("log/one", "deep/two")
        );
        assert!(
            fs::symlink_metadata(format!("{path}/log")).expect("it is there").is_symlink(),
            "{}",
            place.shell
        );
        assert_eq!(mode(&format!("{path}/deep")), 0o750);
        fs::remove_dir_all(format!("{path}/deep")).expect("it is there");
        fs::write(format!("{path}/deep"), "").expect("it can be written");
        pack_one(&place, "b.tar", "a/deep/two", "new");
        let said = place.fails(RemoteDirectory::local_file(&path, "b.tar").strip_components(1));
        assert!(said.contains("/deep is not a directory, as it is in the archive"), "{said}");
        assert_eq!(names(Path::new(&path)).len(), 2, "{}", place.shell);
    }
}

#[test]
fn a_zip_file_that_is_warned_of_is_unpacked() {
    let program = "import zipfile\nz = zipfile.ZipFile('w.zip', 'w')\n\
        z.writestr('dir\\\\file', 'x')\nz.close()\n";
    for place in places() {
        let made = Command::new("python3")
            .args(["-c", program])
            .current_dir(place.project.0.path())
            .status();
        if place.shell.to_string() == "busybox" || !made.is_ok_and(|status| status.success()) {
            continue;
        }
        place.law_of_unknown(RemoteDirectory::local_file(place.path("w"), "w.zip"), true);
        place.law(RemoteDirectory::local_file(place.path("w"), "w.zip"), false);
        assert_eq!(
            names(Path::new(&place.path("w"))).len(),
            if rustix::process::geteuid().is_root() { 1 } else { 2 },
            "{}",
            place.shell
        );
    }
}

/// A record that an older version of Pallet left in the directory.
#[test]
#[ignore = "needs root"]
fn a_record_of_an_older_version_is_read_once() {
    for place in places() {
        let path = place.path("tools");
        pack_one(&place, "go.tar", "go", "1");
        let go = || RemoteDirectory::local_file(&path, "go.tar");
        place.law(go(), true);
        let records = place.state.path().join("unpacked");
        let record = records.join(&names(&records)[0]);
        fs::rename(&record, format!("{path}/.pallet.directory")).expect("it is there");
        place.law(go(), false);
        place.law_of_unknown(go(), false);
        pack_one(&place, "go.tar", "go", "2");
        place.law(go(), true);
        assert_eq!(names(Path::new(&path)), ["go"], "{}", place.shell);
    }
}

#[test]
fn a_large_archive_travels_apart() {
    for place in places() {
        let noise: Vec<u8> =
            (0..200_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        fs::create_dir(place.project.0.path().join("app-1")).expect("it can be made");
        fs::write(place.project.0.path().join("app-1/noise"), &noise).expect("it can be written");
        assert!(pack(&place, "app.tar", &["tar", "-cf"]), "there is no tar");
        place.law_of_unknown(RemoteDirectory::local_file(place.path("app"), "app.tar"), true);
        assert!(fs::read(place.path("app/app-1/noise")).is_ok_and(|content| content == noise));
    }
}

#[test]
#[ignore = "needs root"]
fn what_is_unpacked_is_of_the_owner() {
    for place in places() {
        assert!(
            pack(&place, "app.tar", &["tar", "--owner=4242", "--group=4242", "-cf"]),
            "there is no tar"
        );
        let app = || RemoteDirectory::local_file(place.path("app"), "app.tar");
        place.law(app(), true);
        place.law(app().owner("root").group("root"), false);
        place.law(app().owner("daemon"), true);
        place.law_of_unknown(app().owner("daemon"), false);
        place.law_of_unknown(app().owner("daemon").group("adm").strip_components(1), true);
    }
}
