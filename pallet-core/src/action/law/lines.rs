//! The law of the actions that change a part of a file.

use super::super::{IniSetting, LineInFile, Sed};
use super::*;
use crate::script::Script;

const TEXTS: [&str; 12] = [
    "",
    "\n",
    "a",
    "a\n",
    "a\nx\nb",
    "#x\na\n\nx=1\n#x",
    "x=1\nx=1\n",
    "\u{fc}\r\n  x = 'it''s'\\n\n\nlast",
    "a\r\nx=1\r\nx\r\n",
    "a\r\nx\r\nlast",
    "x=1\na\r\nx\r",
    "\r\n",
];

/// Checks the law from the observed text, and that a script planned from an unknown state has the
/// same result.
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
    let changes = action
        .plan(&mut place.observe(&action))
        .unwrap_or_else(|error| panic!("{text:?}: {error}"))
        .is_some();
    place.law(action.clone(), changes);
    let planned = fs::read(path).ok();
    before();
    place.law_of_unknown(action.clone(), changes);
    let found = fs::read(path).ok();
    let shown = |bytes: &Option<Vec<u8>>| {
        bytes.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    };
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
        actions.extend([
            new.clone().after(place),
            new.clone().before(place),
            new.matching(place),
            LineInFile::none_matching("", place),
        ]);
    }
    for (turn, place) in places().enumerate() {
        let path = place.path("it's a file");
        let each = TEXTS.iter().flat_map(|text| actions.iter().map(move |action| (text, action)));
        // all pairs would take minutes, so each shell gets some of them
        for (text, action) in each.skip(turn).step_by(13) {
            same_here_and_there(
                &place,
                &path,
                Some(text),
                LineInFile { path: path.clone(), ..action.clone() },
            );
        }
        same_here_and_there(&place, &path, None, LineInFile::new(&path, "x").create().mode(0o600));
        same_here_and_there(&place, &path, None, LineInFile::none_matching(&path, "x"));
        let emptied = LineInFile::new(&path, "").matching("^[^a]*$");
        same_here_and_there(&place, &path, Some("a\nx\nlast"), emptied);
    }
}

#[test]
fn fault_11_line_ends_are_kept() {
    for place in places() {
        let path = place.path("dos.conf");
        fs::write(&path, "x=1\r\ny=1\r\n").expect("it can be written");
        place.law(LineInFile::new(&path, "x=1"), false);
        place.law_of_unknown(LineInFile::new(&path, "x=1"), false);
        place.law(LineInFile::new(&path, "y=2").matching("^y=1$"), true);
        place.law_of_unknown(LineInFile::new(&path, "z=3").after("^x=1$"), true);
        place.law(IniSetting::new(&path, "", "x", "2").separator("="), true);
        place.law_of_unknown(IniSetting::new(&path, "s", "k", "1").separator("="), true);
        assert_eq!(
            fs::read_to_string(&path).expect("it is there"),
            "x=2\r\nz=3\r\ny=2\r\n\r\n\
            [s]\r\nk=1\r\n"
        );
        place.law(LineInFile::new(&path, "z=3").absent(), true);
        place.law_of_unknown(LineInFile::none_matching(&path, "^(y=2)?$"), true);
        place.law(IniSetting::new(&path, "s", "k", "").absent(), true);
        assert_eq!(fs::read_to_string(&path).expect("it is there"), "x=2\r\n[s]\r\n");
    }
}

/// Nothing large is passed in arguments or environment variables, which Linux limits to 128 KiB
/// each.
#[test]
fn values_of_a_megabyte_travel() {
    let large = "it's % \\ ".repeat(120_000);
    let large = large.trim_end();
    for place in places() {
        let path = place.path("large");
        fs::write(&path, "[s]\nk=1\n").expect("it can be written");
        let holds = |text: &str| {
            assert!(fs::read_to_string(&path).expect("it is there") == text, "{}", place.shell)
        };
        let applied = |change: Result<Option<Change>, ActionError>| {
            let change = change.expect("it can be planned").expect("it may change");
            [place.apply(&change), place.apply(&change)]
                .map(|changed| changed.expect("it can be applied"))
        };
        let new = || NodeState::new(place.observe(&RemoteFile::content(&path, "")).os);
        let setting = place.prepared(IniSetting::new(&path, "s", "k", large).separator("="));
        assert_eq!(applied(setting.plan(&mut new())), [true, false]);
        holds(&format!("[s]\nk={large}\n"));
        let line = place.prepared(LineInFile::new(&path, large));
        assert_eq!(applied(line.plan(&mut new())), [true, false]);
        holds(&format!("[s]\nk={large}\n{large}\n"));
        assert_eq!(applied(line.absent().plan(&mut new())), [true, false]);
        let sed = place.prepared(super::super::Sed::new(
            &path,
            [format!("s/^k=.*/k=2/\n/{}/d", "x".repeat(20_000))],
        ));
        assert_eq!(applied(sed.plan(&mut new())), [true, false]);
        holds("[s]\nk=2\n");
    }
}

/// The law of files that sed edits is in `edits.rs`; sed's commands see lines without carriage
/// returns, unless they mention them.
#[test]
fn fault_11_sed_keeps_line_ends() {
    for place in places() {
        let path = place.path("it's dos.conf");
        let sed = |command: &str| super::super::Sed::new(&path, [command.to_owned()]);
        for unknown in [false, true] {
            let law = |command: &str, changes| {
                if unknown {
                    place.law_of_unknown(sed(command), changes)
                } else {
                    place.law(sed(command), changes)
                }
            };
            fs::write(&path, "x=1\r\ny=1\r\n").expect("it can be written");
            law("s/^x=1$/x=2/", true);
            law("$!b\n/^z/b\na\\\nz=3\n", true);
            assert_eq!(
                fs::read_to_string(&path).expect("it is there"),
                "x=2\r\ny=1\r\nz=3\r\n",
                "{}",
                place.shell
            );
            law("s/\\r$//", true);
            assert_eq!(
                fs::read_to_string(&path).expect("it is there"),
                "x=2\ny=1\nz=3\n",
                "{}",
                place.shell
            );
            fs::write(&path, "x\r\nx\n").expect("it can be written");
            law("s/^x$/y/", true);
            assert_eq!(
                fs::read_to_string(&path).expect("it is there"),
                "x\r\ny\n",
                "{}",
                place.shell
            );
        }
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
        assert!(
            written.ends_with(&format!("{}  {path}\n", crate::model::digest(b"a\nb\nc\n"))),
            "{}: {written}",
            place.shell
        );
    }
}

#[test]
fn a_line_of_a_large_file_is_planned_like_any() {
    for place in places() {
        let path = place.path("large");
        fs::write(&path, "x\n".repeat(40_000)).expect("it can be written");
        let action = place.prepared(LineInFile::new(&path, "y").before("^x$"));
        let change = action
            .plan(&mut place.observe(&action))
            .expect("it can be planned")
            .expect("it may change");
        assert_eq!((change.certainty, place.apply(&change)), (Certainty::Will, Ok(true)));
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
            assert_eq!(
                said,
                format!("{path} is not text: it holds a NUL character\n"),
                "{}",
                place.shell
            );
            assert_eq!(fs::read(&path).expect("it is there"), content, "{}", place.shell);
        };
        let lines = |action: LineInFile| {
            action
                .plan(&mut place.observe(&place.prepared(action.clone())))
                .expect("it can be planned")
        };
        kept(lines(LineInFile::none_matching(&path, "^a")));
        kept(lines(LineInFile::new(&path, "a").absent()));
        kept(lines(LineInFile::new(&path, "a=1").matching("^a")));
        let setting = place.prepared(IniSetting::new(&path, "s", "k", "v"));
        kept(setting.plan(&mut place.observe(&setting)).expect("it can be planned"));
        let only =
            Change::may("", Script::new().call(["ensure_keys", &path, "", "", "", "", "only"]));
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
        "\u{feff}[ a ] # x\r\nk=1\r\n",
        "\u{feff}",
        "[a]\nk = 1\n   b\n\n   c=2\n # d\n[b]\n k: 2\n",
        "[b]\n\tk = 3\n\tj = 2\n\t\tk = 1\n[x]y]\nnew:1\n",
        "[a] \nk=1 \\\n k=2\nj=1\n[b];\nk\n",
    ];
    let mut actions = Vec::new();
    for section in ["", "a", "b", "1.0"] {
        for (key, value) in
            [("k", "1"), ("k", ""), ("new", "it's \\n $x & \\\\"), ("k", "\u{fc} = y")]
        {
            let new = IniSetting::new("", section, key, value);
            actions.extend([
                new.clone(),
                new.clone().absent(),
                IniSetting { value: None, ..new.separator("=") },
            ]);
        }
    }
    for (turn, place) in places().enumerate() {
        let path = place.path("it's a file");
        let each = texts.iter().flat_map(|text| actions.iter().map(move |action| (text, action)));
        for (text, action) in each.clone().skip(turn * 5).step_by(19) {
            same_here_and_there(
                &place,
                &path,
                Some(text),
                IniSetting { path: path.clone(), ..action.clone() },
            );
        }
        let unit = place.path("it's a.service");
        // a value that ends with a backslash would continue on the next line
        for (text, action) in each
            .filter(|(_, action)| !action.value.as_ref().is_some_and(|value| value.ends_with('\\')))
            .skip(turn * 5)
            .step_by(83)
        {
            same_here_and_there(
                &place,
                &unit,
                Some(text),
                IniSetting { path: unit.clone(), ..action.clone() },
            );
        }
        same_here_and_there(
            &place,
            &path,
            None,
            IniSetting::new(&path, "a", "k", "v").create().mode(0o600),
        );
        same_here_and_there(&place, &path, None, IniSetting::new(&path, "a", "k", "v").absent());
    }
}

/// Every awk that is installed here.
#[test]
fn ini_setting_needs_no_more_than_posix_awk() {
    let place = Place::of(shells().remove(0));
    let text = "k=1\n\n[b]\n  k = 01\n#c\n[a]\nx\\n=1\n";
    for awk in ["mawk", "gawk", "original-awk", "busybox awk"] {
        let program = awk.split(' ').next().unwrap_or_default();
        if !place.shell.run(&format!("command -v {program}")).status.success() {
            continue;
        }
        for (section, key, value) in
            [("b", "k", "1"), ("c", "k", "\\n & \u{fc}"), ("a", "x\\n", "2"), ("", "j", "2")]
        {
            let path = place.path("file");
            fs::write(&path, text).expect("it can be written");
            let action = place.prepared(IniSetting::new(&path, section, key, value));
            let mut state = place.observe(&action);
            let change = action
                .plan(&mut state)
                .expect("it can be planned")
                .expect("it has something to do");
            let with_awk = Script::new()
                .raw(&format!("awk() {{ {awk} \"$@\"; }}"))
                .raw(change.script.as_str());
            assert_eq!(place.apply(&Change { script: with_awk, ..change }), Ok(true), "{awk}");
            assert_eq!(
                state.contradictions(&place.observe(&action)),
                Vec::<String>::new(),
                "{awk}"
            );
        }
    }
}

/// The plan of a change to a large file, or to one that is not UTF-8 text, is as certain as that of
/// any other.
#[test]
fn edits_of_large_files_and_of_other_encodings_are_known() {
    let large = "# a line\nx = 1\n[part]\nkey = 1\n".repeat(3000);
    let latin = b"# caf\xe9\nx = 1\n[part]\nkey = 1\n".to_vec();
    for place in places() {
        let path = place.path("it's large");
        let write = |content: &[u8]| {
            fs::write(&path, content).expect("it can be written");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("it is ours");
        };
        for content in [large.as_bytes(), &latin] {
            write(content);
            place.law(LineInFile::new(&path, "y = 1"), true);
            place.law(LineInFile::new(&path, "y = 1"), false);
            place.law(LineInFile::new(&path, "y = 2").matching("^y ="), true);
            place.law(LineInFile::none_matching(&path, "^y ="), true);
            place.law(LineInFile::none_matching(&path, "^y ="), false);
            place.law(IniSetting::new(&path, "part", "other", "2"), true);
            place.law(IniSetting::new(&path, "part", "other", "2"), false);
        }
        write(large.as_bytes());
        place.law(Sed::new(&path, ["s/^x = 1$/x = 2/"]), true);
        place.law(Sed::new(&path, ["s/^x = 1$/x = 2/"]), false);
    }
}
