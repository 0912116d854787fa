//! The law of the actions that change a part of a file.

use super::super::{IniSetting, LineInFile};
use super::*;
use crate::script::Script;

const TEXTS: [&str; 8] = ["", "\n", "a", "a\n", "a\nx\nb", "#x\na\n\nx=1\n#x", "x=1\nx=1\n", "\u{fc}\r\n  x = 'it''s'\\n\nlast"];

/// The law from the observed text, and the very same result from a state that is not known.
fn same_here_and_there(place: &Place, path: &str, text: Option<&str>, action: impl Action) {
    let before = || {
        fs::remove_file(path).ok();
        if let Some(text) = text {
            fs::write(path, text).expect("it can be written");
            fs::set_permissions(path, fs::Permissions::from_mode(0o640)).expect("it is ours");
        }
    };
    before();
    let action = place.prepared(action);
    let changes = action.plan(&mut place.observe(&action)).unwrap_or_else(|error| panic!("{text:?}: {error}")).is_some();
    place.law(action.clone(), changes);
    let planned = fs::read(path).ok();
    before();
    place.law_of_unknown(action.clone(), changes);
    let found = fs::read(path).ok();
    let shown = |bytes: &Option<Vec<u8>>| bytes.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    assert_eq!(shown(&found), shown(&planned), "{}: {action:?} on {text:?}", place.shell);
    if text.is_some() && changes {
        assert_eq!(mode(path), 0o640);
    }
}

#[test]
fn line_in_file_is_the_same_here_and_on_the_node() {
    let mut actions = Vec::new();
    for line in ["x", "x=1", "", "a", "-e \\n $x `id` it's", "1.0"] {
        let new = LineInFile::new("", line);
        actions.extend([new.clone(), new.clone().absent(), new.matching("^#?x(=.*)?$")]);
    }
    for place in ["^x", "a", "^$", "last|b", "^.{3}$"] {
        let new = LineInFile::new("", "new");
        actions.extend([new.clone().after(place), new.clone().before(place), new.matching(place), LineInFile::none_matching("", place)]);
    }
    for (turn, place) in places().enumerate() {
        let path = place.path("it's a file");
        let each = TEXTS.iter().flat_map(|text| actions.iter().map(move |action| (text, action)));
        // every pair would take minutes: each shell has some of its own
        for (text, action) in each.skip(turn).step_by(13) {
            same_here_and_there(&place, &path, Some(text), LineInFile { path: path.clone(), ..action.clone() });
        }
        same_here_and_there(&place, &path, None, LineInFile::new(&path, "x").create().mode(0o600));
        same_here_and_there(&place, &path, None, LineInFile::none_matching(&path, "x"));
    }
}

#[test]
fn what_pallet_wrote_and_edits_is_not_changed_by_hand() {
    for place in places() {
        let path = place.path("file");
        place.law(RemoteFile::content(&path, "a\n"), true);
        place.law(LineInFile::new(&path, "b"), true);
        place.law_of_unknown(LineInFile::new(&path, "c"), true);
        let written = fs::read_to_string(place.state.path().join("written")).expect("it is there");
        assert!(written.ends_with(&format!("{}  {path}\n", crate::model::digest(b"a\nb\nc\n"))), "{}: {written}", place.shell);
    }
}

#[test]
fn a_line_of_a_large_file_is_changed_on_the_node() {
    for place in places() {
        let path = place.path("large");
        fs::write(&path, "x\n".repeat(40_000)).expect("it can be written");
        let action = place.prepared(LineInFile::new(&path, "y").before("^x$"));
        let change = action.plan(&mut place.observe(&action)).expect("it can be planned").expect("it may change");
        assert_eq!((change.certainty, place.apply(&change)), (Certainty::May, Ok(true)));
        assert_eq!(place.apply(&change), Ok(false));
        assert!(fs::read_to_string(&path).expect("it is there").ends_with("x\ny\nx\n"));
    }
}

#[test]
fn what_is_not_text_stays_as_it_is() {
    let content = b"a\n[s]\nb\0c\n";
    for place in places() {
        let path = place.path("binary");
        fs::write(&path, content).expect("it can be written");
        let kept = |change: Option<Change>| {
            let said = place.apply(&change.expect("it may change")).expect_err("it is not text");
            assert_eq!(said, format!("{path} is not text: it holds a NUL character\n"), "{}", place.shell);
            assert_eq!(fs::read(&path).expect("it is there"), content, "{}", place.shell);
        };
        let lines = |action: LineInFile| action.plan(&mut place.observe(&place.prepared(action.clone()))).expect("it can be planned");
        kept(lines(LineInFile::none_matching(&path, "^a")));
        kept(lines(LineInFile::new(&path, "a").absent()));
        kept(lines(LineInFile::new(&path, "a=1").matching("^a")));
        let setting = place.prepared(IniSetting::new(&path, "s", "k", "v"));
        kept(setting.plan(&mut place.observe(&setting)).expect("it can be planned"));
        let only = Change::may("", Script::new().call(["ensure_only_line", &path, "", "", "", "", "x", "^x"]));
        kept(Some(only));
    }
}

#[test]
fn ini_setting_is_the_same_here_and_on_the_node() {
    let texts = [
        "",
        "\n",
        "k=1",
        "k = 1\n",
        "[a]",
        "[a]\n\n[b]\nk=2\n",
        "# x\n\n[a]\n k\t= 1 \n\n\n",
        "\n[b]\r\nk=01\r\n[a]\nj\nk\n[b]\nk=1",
        "[a]\n;k=1\nk=3\nk=1\n[ a ]\nk=\\n\n",
        "k=1.0\n[1]\nk=1\n[1.0]\nk=1\n",
    ];
    let mut actions = Vec::new();
    for section in ["", "a", "b", "1.0"] {
        for (key, value) in [("k", "1"), ("k", ""), ("new", "it's \\n $x & \\\\"), ("k", "\u{fc} = y")] {
            let new = IniSetting::new("", section, key, value);
            actions.extend([new.clone(), new.clone().absent(), IniSetting { value: None, ..new.separator("=") }]);
        }
    }
    for (turn, place) in places().enumerate() {
        let path = place.path("it's a file");
        let each = texts.iter().flat_map(|text| actions.iter().map(move |action| (text, action)));
        for (text, action) in each.skip(turn * 5).step_by(19) {
            same_here_and_there(&place, &path, Some(text), IniSetting { path: path.clone(), ..action.clone() });
        }
        same_here_and_there(&place, &path, None, IniSetting::new(&path, "a", "k", "v").create().mode(0o600));
        same_here_and_there(&place, &path, None, IniSetting::new(&path, "a", "k", "v").absent());
    }
}

/// Every awk that is to be found here.
#[test]
fn ini_setting_needs_no_more_than_posix_awk() {
    let place = Place::of(shells().remove(0));
    let text = "k=1\n\n[b]\n  k = 01\n#c\n[a]\nx\\n=1\n";
    for awk in ["mawk", "gawk", "original-awk", "busybox awk"] {
        let program = awk.split(' ').next().unwrap_or_default();
        if !place.shell.run(&format!("command -v {program}")).status.success() {
            continue;
        }
        for (section, key, value) in [("b", "k", "1"), ("c", "k", "\\n & \u{fc}"), ("a", "x\\n", "2"), ("", "j", "2")] {
            let path = place.path("file");
            fs::write(&path, text).expect("it can be written");
            let action = place.prepared(IniSetting::new(&path, section, key, value));
            let mut state = place.observe(&action);
            let change = action.plan(&mut state).expect("it can be planned").expect("it has something to do");
            let with_awk = Script::new().raw(&format!("awk() {{ {awk} \"$@\"; }}")).raw(change.script.as_str());
            assert_eq!(place.apply(&Change { script: with_awk, ..change }), Ok(true), "{awk}");
            assert_eq!(state.contradictions(&place.observe(&action)), Vec::<String>::new(), "{awk}");
        }
    }
}
