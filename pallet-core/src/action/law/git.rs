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
    assert_eq!(
        state.contradictions(&place.observe(&action)),
        Vec::<String>::new(),
        "{}",
        place.shell
    );
    Ok(reported)
}

#[test]
fn checkouts() {
    for place in places() {
        let (path, origin) = (place.path("it's a checkout"), place.path("origin"));
        let commit = |text: &str| {
            let identity = "-c user.name=x -c user.email=x@example.com";
            printed(
                &place,
                &format!(
                    "cd {origin}; echo {text} >file; git add file; git {identity} \
                commit -qm {text}; git rev-parse HEAD"
                ),
            )
        };
        let file = || fs::read_to_string(format!("{path}/file")).expect("it is there");
        printed(
            &place,
            &format!(
                "git init -q -b main {origin}; git -C {origin} config \
            uploadpack.allowAnySHA1InWant true"
            ),
        );
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
        assert_eq!(
            decided(&place, checkout().revision("main").depth(1)),
            Ok(true),
            "{}",
            place.shell
        );
        assert_eq!(file(), "three\n");

        fs::write(format!("{path}/file"), "mine\n").expect("it can be written");
        let said = decided(&place, checkout().revision("v1")).expect_err("it was changed");
        assert_eq!(
            said,
            format!(
                "files in {path} were changed, such as file; force = True throws the changes away\n"
            ),
            "{}",
            place.shell
        );
        assert_eq!(file(), "mine\n");
        place.law(checkout().revision(&one).force(), true);
        assert_eq!(file(), "one\n");
        assert!(decided(&place, checkout().revision("none")).is_err(), "{}", place.shell);

        fs::create_dir(place.path("full")).expect("it can be made");
        fs::write(place.path("full/x"), "").expect("it can be written");
        let said =
            decided(&place, GitCheckout::new(format!("file://{origin}"), place.path("full")))
                .expect_err("it is not empty");
        assert!(said.contains("is not empty and no checkout of git"), "{said}");
    }
}

#[test]
fn fault_3_a_checkout_of_another_user_is_left_to_that_user() {
    for place in places() {
        let (path, origin, marker) =
            (place.path("theirs"), place.path("origin"), place.path("ran-as"));
        let identity = "-c user.name=x -c user.email=x@example.com";
        printed(
            &place,
            &format!(
                "git init -q -b main {origin}; cd {origin}; echo one >file; git \
            add file; git {identity} commit -qm one"
            ),
        );
        let checkout = || GitCheckout::new(format!("file://{origin}"), &path);
        // an owner with a name, and one without
        printed(&place, &format!("chmod 755 $(dirname {path})"));
        for owner in ["nobody", "54321"] {
            assert!(decided(&place, checkout()).is_ok());
            printed(&place, &format!(": >{marker}; chmod 666 {marker}; chown -R {owner} {path}"));
            // git runs as the owner of the checkout
            printed(
                &place,
                &format!(
                    "printf '#!/bin/sh\\nid -u >>{marker}\\n' >{path}/.git/hooks/post-checkout; \
                     chmod 755 {path}/.git/hooks/post-checkout"
                ),
            );
            let first = decided(&place, checkout());
            if owner == "54321" && place.shell.to_string() == "busybox" {
                // busybox can switch to a user without a name
                assert!(
                    first.is_err_and(|said| said.contains("who has no name")),
                    "{}",
                    place.shell
                );
                printed(&place, &format!("rm -rf {path}"));
                continue;
            }
            assert_eq!(first, Ok(false), "{} {owner}", place.shell);
            printed(
                &place,
                &format!("cd {origin}; echo {owner} >file; git {identity} commit -qam more"),
            );
            assert_eq!(decided(&place, checkout()), Ok(true), "{} {owner}", place.shell);
            assert_eq!(
                fs::read_to_string(format!("{path}/file")).expect("it is there"),
                format!("{owner}\n")
            );
            let ran = printed(&place, &format!("cat {marker}; stat -c %u {path}/file"));
            let uid = printed(&place, &format!("stat -c %u {path}"));
            assert_eq!(ran, format!("{uid}\n{uid}"), "{}", place.shell);
            let commit = printed(&place, &format!("git -C {origin} rev-parse HEAD"));
            place.law(checkout().revision(&commit), false);
            printed(&place, &format!("rm -rf {path}"));
        }
        // if another user is given, the error is git's own
        assert!(decided(&place, checkout()).is_ok());
        printed(&place, &format!("chown -R nobody {path}"));
        let said = decided(&place, checkout().user("root")).expect_err("it is not root's");
        assert!(
            said.starts_with(&format!("{path} can be changed by others (it belongs to nobody")),
            "{}: {said}",
            place.shell
        );
        assert_eq!(said.lines().count(), 1, "{said}");
        // hooks and configuration can run programs
        printed(
            &place,
            &format!(
                "chown -R 0:0 {path}; chgrp 54321 {path}/.git/hooks; chmod g+w {path}/.git/hooks"
            ),
        );
        let said = decided(&place, checkout()).expect_err("others may write there");
        assert!(said.contains(".git/hooks can be changed by others"), "{}: {said}", place.shell);
    }
}

/// Git works with path names, so whoever can rename a parent directory can redirect root's git.
#[test]
#[ignore = "needs root"]
fn root_runs_git_only_where_nobody_else_can_turn_a_name() {
    for place in places() {
        let (yard, origin) = (place.path("yard"), place.path("origin"));
        let path = format!("{yard}/sub/checkout");
        let identity = "-c user.name=x -c user.email=x@example.com";
        printed(
            &place,
            &format!(
                "git init -q -b main {origin}; cd {origin}; echo one >file; git \
            add file; git {identity} commit -qm one"
            ),
        );
        printed(&place, &format!("chmod 711 $(dirname {yard}); mkdir {yard}; chown 1:1 {yard}"));
        let checkout = || GitCheckout::new(format!("file://{origin}"), &path);
        let commit = printed(&place, &format!("git -C {origin} rev-parse HEAD"));

        // what it creates there belongs to the owner of that directory
        place.law(checkout().revision(&commit), true);
        assert_eq!(
            printed(&place, &format!("stat -c %u:%g {path} {path}/.git/HEAD {path}/file")),
            "1:1\n1:1\n1:1",
            "{}",
            place.shell
        );
        place.law(checkout().revision(&commit), false);

        printed(&place, &format!("chown -R 0:0 {yard}/sub"));
        let refusal = format!("{yard} can be changed by others (it belongs to daemon:daemon)");
        let said = decided(&place, checkout()).expect_err("its name can be turned");
        assert!(said.starts_with(&refusal), "{}: {said}", place.shell);
        // nor is it read
        let exact = place.prepared(checkout().revision(&commit));
        let change = exact
            .plan(&mut place.observe(&exact))
            .expect("it can be planned")
            .expect("nothing is known of it");
        assert!(
            place.apply(&change).expect_err("its name can be turned").starts_with(&refusal),
            "{}",
            place.shell
        );
        printed(&place, &format!("chown 0:0 {yard}"));
        place.law(exact, false);
        // in a sticky directory, others cannot rename root's entries
        printed(&place, &format!("chmod 1777 {yard}"));
        place.law(checkout().revision(&commit), false);
    }
}

#[test]
fn fault_3_submodules_are_checked_out_or_left_out() {
    for place in places() {
        let (path, origin, part) = (place.path("whole"), place.path("origin"), place.path("part"));
        let identity = "-c user.name=x -c user.email=x@example.com -c protocol.file.allow=always";
        let commit = |directory: &str, text: &str| {
            printed(
                &place,
                &format!(
                    "cd {directory}; echo {text} >file; git add -A; git \
                {identity} commit -qm {text}; git rev-parse HEAD"
                ),
            )
        };
        printed(&place, &format!("git init -q -b main {part}; git init -q -b main {origin}"));
        commit(&part, "one");
        commit(&origin, "one");
        printed(&place, &format!("cd {origin}; git {identity} submodule -q add ../part lib/part"));
        let one = commit(&origin, "with");
        let checkout = || GitCheckout::new(format!("file://{origin}"), &path);
        let file = || fs::read_to_string(format!("{path}/lib/part/file")).ok();

        place.law(checkout().revision(&one).without_submodules(), true);
        assert_eq!(file(), None, "{}", place.shell);
        place.law(checkout().revision(&one).without_submodules(), false);
        place.law(checkout().revision(&one), true);
        assert_eq!(file().as_deref(), Some("one\n"), "{}", place.shell);
        place.law(checkout().revision(&one), false);
        assert_eq!(decided(&place, checkout()), Ok(false), "{}", place.shell);

        commit(&part, "two");
        printed(&place, &format!("cd {origin}/lib/part; git {identity} pull -q"));
        let two = commit(&origin, "more");
        place.law(checkout().revision(&two), true);
        assert_eq!(file().as_deref(), Some("two\n"), "{}", place.shell);
        assert_eq!(decided(&place, checkout().revision("main")), Ok(false), "{}", place.shell);
        printed(&place, &format!("rm -rf {path}"));
        assert_eq!(decided(&place, checkout().revision("main")), Ok(true), "{}", place.shell);
        assert_eq!(file().as_deref(), Some("two\n"), "{}", place.shell);
    }
}

#[test]
fn an_agent_is_shown_to_one_user_and_taken_back() {
    for place in places() {
        let directory = place.path("of the login user");
        fs::create_dir(&directory).expect("it can be made");
        let listener = std::os::unix::net::UnixListener::bind(format!("{directory}/agent"))
            .expect("it can be made");
        printed(
            &place,
            &format!(
                "chmod 700 '{directory}'; chown 1 '{directory}' \
            '{directory}/agent'; chmod 600 '{directory}/agent'"
            ),
        );
        let state = "stat -c '%u %a' \"$SSH_AUTH_SOCK\" \"${SSH_AUTH_SOCK%/*}\"";
        let after = format!(
            "stat -c '%u %a' '{directory}/agent' '{directory}'; [ ! -e \"$(cat \
            '{directory}/lent')\" ]"
        );
        let lend = |uid: &str, then: &str| {
            let script = format!(
                "lend_agent {uid}\n\
                echo \"${{SSH_AUTH_SOCK%/*}}\" >'{directory}/lent'\n{state}\n{then}"
            );
            let library = library_for(&script);
            printed(
                &place,
                &format!(
                    "temporaries=\nagent='{directory}/agent'\n{library}\n\
                ( {script} ) || echo failed\n{after}"
                ),
            )
        };
        assert_eq!(lend("65534", ""), "65534 600\n0 711\n1 600\n1 700", "{}", place.shell);
        assert_eq!(
            lend("65534", "exit 3"),
            "65534 600\n0 711\nfailed\n1 600\n1 700",
            "{}",
            place.shell
        );
        let ended = lend("65534", "sh -c 'kill -TERM $PPID'; sleep 1");
        assert_eq!(ended, "65534 600\n0 711\nfailed\n1 600\n1 700", "{}", place.shell);
        for uid in ["0", "1"] {
            let library = library_for("lend_agent");
            let script = format!("agent='{directory}/agent'\n{library}\nlend_agent {uid}\n{state}");
            assert_eq!(printed(&place, &script), "1 600\n1 700", "{}", place.shell);
        }
        drop(listener);
        printed(&place, &format!("rm -rf '{directory}'"));
        let none = place.shell.run(&format!(
            "agent='{directory}/agent'\n{}\nset -e\nlend_agent 0",
            library_for("lend_agent")
        ));
        let said = String::from_utf8_lossy(&none.stderr);
        assert!(
            !none.status.success() && said.contains("there is no SSH_AUTH_SOCK"),
            "{}: {said}",
            place.shell
        );
    }
}
