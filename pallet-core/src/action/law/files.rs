//! The law of the actions on files: what is remembered of them, and what was changed by hand.

use std::fs;

use super::super::{File, RemoteFile};
use super::*;
use crate::model::digest;
use crate::script::Script;

/// What Pallet remembers that it wrote to a path: the last line of it.
fn written(place: &Place, path: &str) -> Option<String> {
    let lines = fs::read_to_string(place.state.path().join("written")).unwrap_or_default();
    let last = lines.lines().filter_map(|line| line.split_once("  ")).filter(|(_, of)| *of == path).last();
    last.map(|(digest, _)| digest.to_owned())
}

/// Runs shell text with the library at hand.
fn run(place: &Place, script: &str) -> String {
    place.report(&Change::will("test", Script::new().raw(script))).unwrap_or_else(|said| panic!("{}: {said}", place.shell))
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
        // a change of a part of it
        fs::write(&path, "three\n").expect("it can be written");
        run(&place, &Script::new().call(["record_written", &path]).call(["record_written", &place.path("other")]).as_str());
        assert_eq!(written(&place, &path), Some(digest(b"three\n")), "{}", place.shell);
        assert_eq!(written(&place, &place.path("other")), None);
        place.law(RemoteFile::content(place.path("new\nline"), ""), true);
        assert_eq!(fs::read_to_string(place.state.path().join("written")).expect("it is there").lines().count(), 3);
        place.law(File::at(&path).absent(), true);
        assert_eq!(written(&place, &path), Some("-".to_owned()), "{}", place.shell);
    }
}

#[test]
fn the_record_is_compacted() {
    for place in places() {
        let lines: String = (0..6000).map(|n| format!("{}  /srv/a file/{}\n", digest(&[n as u8]), n % 40)).collect();
        fs::write(place.state.path().join("written"), format!("{lines}-  /srv/a file/7\n")).expect("it can be written");
        run(&place, &format!("record_written '/srv/a file/8' 0{}", "1".repeat(63)));
        let now = fs::read_to_string(place.state.path().join("written")).expect("it is there");
        assert_eq!(now.lines().count(), 39, "{}", place.shell);
        assert!(now.contains(&format!("0{}  /srv/a file/8\n", "1".repeat(63))), "{now}");
        assert!(now.contains(&format!("{}  /srv/a file/39\n", digest(&[(5999 % 256) as u8]))), "{now}");
        assert_eq!(mode(place.state.path().join("written").to_str().expect("it is UTF-8")), 0o600);
    }
}
