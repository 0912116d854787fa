//! The law of directories that are unpacked from archives.

use std::fs;
use std::process::Command;

use super::super::remote_directory::Unpack;
use super::super::{Directory, RemoteDirectory};
use super::*;

/// Packs `app-1/` into an archive of the project, as the options of `tar` or as `zip` do it; not where the tools are missing.
fn pack(place: &Place, archive: &str, words: &[&str]) -> bool {
    let project = place.project.0.path();
    for (name, content) in [("bin/run", "run\n"), ("it's [a] *file", "weird\n"), ("etc/new\nline", "line\n")] {
        let path = project.join("app-1").join(name);
        fs::create_dir_all(path.parent().expect("it has one")).expect("it can be made");
        fs::write(path, content).expect("it can be written");
    }
    fs::set_permissions(project.join("app-1/bin/run"), fs::Permissions::from_mode(0o755)).expect("it is ours");
    let status = Command::new(words[0]).args(&words[1..]).args([archive, "app-1"]).current_dir(project).status();
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
            // busybox knows of no zstd
            if !pack(&place, archive, words) || archive == "app.zst" && place.shell.to_string() == "busybox" {
                continue;
            }
            packed += 1;
            let zip = archive.ends_with("zip");
            // any name will do for one of them
            for weird in if archive == "app.tar" { &WEIRD[..] } else { &WEIRD[1..2] } {
                let path = place.path(&format!("{weird}.{archive}"));
                let app = || RemoteDirectory::local_file(&path, archive).mode(0o750);
                place.law(app(), true);
                assert_eq!(read(format!("{path}/app-1/it's [a] *file")), "weird\n");
                assert_eq!((mode(&format!("{path}/app-1/bin/run")), mode(&path)), (0o755, 0o750), "{}", place.shell);
                assert!(!names(Path::new(&path)).iter().any(|name| name.starts_with(".pallet.") && name != ".pallet.directory"));
                // whatever became of what was unpacked
                fs::remove_file(format!("{path}/app-1/bin/run")).expect("it is there");
                place.law(app(), false);
                place.law_of_unknown(app(), false);
                place.law(app().mode(0o700), true);
                place.law_of_unknown(app().extract_files([if zip { "app-1/bin/*" } else { "app-1/bin" }]), true);
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
        fs::write(place.project.0.path().join("app-1/bin/run"), "new\n").expect("it can be written");
        let status = Command::new("tar").args(["-czf", &archive, "."]).current_dir(place.project.0.path().join("app-1")).status();
        assert!(status.is_ok_and(|status| status.success()));
        // the archive says of the directory itself what it likes
        place.law(app().strip_components(0).mode(0o711), true);
        assert_eq!((read(place.path("app/bin/run")).as_str(), mode(&place.path("app"))), ("new\n", 0o711));
        place.law_of_unknown(app(), true);
        let said = place.fails(app().unpack(Unpack::Zip).strip_components(0));
        assert!(said.contains("cannot unpack the archive into "), "{said}");
        assert_eq!(mode(&place.path("app")), 0o711);
        place.law(app(), false);
    }
}

#[test]
fn a_large_archive_travels_apart() {
    for place in places() {
        let noise: Vec<u8> = (0..200_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
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
        assert!(pack(&place, "app.tar", &["tar", "--owner=4242", "--group=4242", "-cf"]), "there is no tar");
        let app = || RemoteDirectory::local_file(place.path("app"), "app.tar");
        place.law(app(), true);
        place.law(app().owner("root").group("root"), false);
        place.law(app().owner("daemon"), true);
        place.law_of_unknown(app().owner("daemon"), false);
        place.law_of_unknown(app().owner("daemon").group("adm").strip_components(1), true);
    }
}
