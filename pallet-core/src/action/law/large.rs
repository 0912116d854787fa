//! Edits of files that are too large to transfer: the node tells what would become of them, or that
//! it cannot.

use std::os::unix::fs::PermissionsExt;

use super::super::{IniSetting, LineInFile};
use super::*;

/// Observes with programs that come first in `PATH`.
fn observed(place: &Place, action: &impl Action, programs: &Path) -> NodeState {
    let mut wanted = Observation::default();
    action.observe(&mut wanted);
    let path = format!("PATH={}:$PATH\nexport PATH\n", programs.display());
    let output = place.run(&(path + &compile(&wanted, TOKEN)));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{}", place.shell);
    parse(&wanted, TOKEN, &output.stdout).expect("the answer can be read").state
}

#[test]
fn an_edit_that_fails_has_no_result() {
    for place in places() {
        let path = place.path("large.ini");
        fs::write(&path, "[s]\nk = 1\n".to_owned() + &"# x\n".repeat(20_000))
            .expect("it is written");
        let setting = place.prepared(IniSetting::new(&path, "s", "k", "2"));
        let programs = tempfile::tempdir().expect("a temporary directory");
        let plan = |state: &mut NodeState| {
            let change = setting.plan(state).expect("it can be planned");
            (change.expect("it has something to do").certainty, state.file(&path).cloned())
        };
        let (certainty, known) = plan(&mut observed(&place, &setting, programs.path()));
        assert_eq!(certainty, Certainty::Will, "{}", place.shell);
        assert!(format!("{known:?}").contains("digest: Some"), "{known:?}");
        // one that says something before it fails
        let awk = programs.path().join("awk");
        fs::write(&awk, "#!/bin/sh\necho half\nexit 5\n").expect("it is written");
        fs::set_permissions(&awk, fs::Permissions::from_mode(0o755)).expect("it can be changed");
        let (certainty, known) = plan(&mut observed(&place, &setting, programs.path()));
        assert_eq!(certainty, Certainty::May, "{}", place.shell);
        assert!(format!("{known:?}").contains("digest: None"), "{known:?}");
    }
}

#[test]
fn what_is_not_text_is_not_edited() {
    for place in places() {
        let path = place.path("large");
        let content = "a\n".repeat(40_000) + "\0\n";
        fs::write(&path, &content).expect("it is written");
        let line = place.prepared(LineInFile::new(&path, "b"));
        let change = line
            .plan(&mut place.observe(&line))
            .expect("it can be planned")
            .expect("it has something to do");
        // the node says why
        assert_eq!(change.certainty, Certainty::May, "{}", place.shell);
        let said = place.apply(&change).expect_err("it is no text");
        assert!(said.contains("is not text: it holds a NUL character"), "{said}");
        assert_eq!(fs::read_to_string(&path).expect("it is there"), content);
    }
}
