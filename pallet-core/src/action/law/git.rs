//! The law of checkouts of git repositories.

use super::super::GitCheckout;
use super::*;

fn printed(place: &Place, script: &str) -> String {
    let output = place.shell.run(&format!("set -e\nPATH=$PATH:/usr/bin:/bin\n{script}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

/// A change that is decided on the node: whether it reports one.
fn decided(place: &Place, action: GitCheckout) -> Result<bool, String> {
    let action = place.prepared(action);
    let mut state = place.observe(&action);
    let change = action.plan(&mut state).expect("it can be planned").expect("it may change");
    let reported = place.apply(&change)?;
    assert_eq!(state.contradictions(&place.observe(&action)), Vec::<String>::new(), "{}", place.shell);
    Ok(reported)
}

#[test]
fn checkouts() {
    for place in places() {
        let (path, origin) = (place.path("it's a checkout"), place.path("origin"));
        let commit = |text: &str| {
            let identity = "-c user.name=x -c user.email=x@example.com";
            printed(&place, &format!("cd {origin}; echo {text} >file; git add file; git {identity} commit -qm {text}; git rev-parse HEAD"))
        };
        let file = || fs::read_to_string(format!("{path}/file")).expect("it is there");
        printed(&place, &format!("git init -q -b main {origin}; git -C {origin} config uploadpack.allowAnySHA1InWant true"));
        let one = commit("one");
        printed(&place, &format!("git -C {origin} tag v1"));
        let two = commit("two");
        let checkout = || GitCheckout::new(format!("file://{origin}"), &path);

        place.law(checkout().revision(&one), true);
        assert_eq!(file(), "one\n");
        place.law(checkout().revision(&one), false);
        place.law_of_unknown(checkout().revision(&one), false);
        place.law(checkout().revision(&two).depth(1), true);
        assert_eq!(file(), "two\n");
        assert_eq!(decided(&place, checkout()), Ok(false), "{}", place.shell);
        assert_eq!(decided(&place, checkout().revision("v1")), Ok(true), "{}", place.shell);
        assert_eq!(file(), "one\n");
        commit("three");
        assert_eq!(decided(&place, checkout().revision("main").depth(1)), Ok(true), "{}", place.shell);
        assert_eq!(file(), "three\n");

        fs::write(format!("{path}/file"), "mine\n").expect("it can be written");
        let said = decided(&place, checkout().revision("v1")).expect_err("it was changed");
        assert_eq!(said, format!("files in {path} were changed, such as file; force = True throws the changes away\n"), "{}", place.shell);
        assert_eq!(file(), "mine\n");
        place.law(checkout().revision(&one).force(), true);
        assert_eq!(file(), "one\n");
        assert!(decided(&place, checkout().revision("none")).is_err(), "{}", place.shell);

        fs::create_dir(place.path("full")).expect("it can be made");
        fs::write(place.path("full/x"), "").expect("it can be written");
        let said = decided(&place, GitCheckout::new(format!("file://{origin}"), place.path("full"))).expect_err("it is not empty");
        assert!(said.contains("is not empty and no checkout of git"), "{said}");
    }
}
