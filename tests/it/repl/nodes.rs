//! An interactive session on sandbox nodes.

use std::time::Duration;

use pallet_tests::{END, Project};

use crate::quickstart::{alone, names};

#[test]
fn a_session_from_the_first_node_to_the_last() {
    let _alone = alone();
    let project = Project::quickstart().timeout(Duration::from_secs(300));
    let mut terminal = project.repl(&[]);
    assert!(terminal.enter("nodes()").ends_with("\n[]"));
    let shown = terminal.enter("converge({web: 1})");
    assert!(
        shown.contains("web-1: created") && shown.contains("nodes: 1 created, 1 changed"),
        "{shown}"
    );
    assert_eq!(shown.matches("1 created").count(), 1, "told once\n{shown}");
    assert!(terminal.enter("[node.name for node in _.nodes if not node.failed]").ends_with(
        "\n\
        [\"web-1\"]"
    ));
    let shown = terminal.enter("nodes()");
    assert!(shown.contains("NAME") && shown.contains("web-1"), "{shown}");
    assert_eq!(names(&project), ["web-1"]);

    // phases can be new functions, lambdas, and functions in a spec
    terminal.enter(
        "def note(request):\r    remote_file(request, \"/srv/note\", content = \"I am \
        \" + request.target.name + \"\\n\")\r",
    );
    assert!(terminal.enter("lift(web, phase = note)").contains("inline: remote_file /srv/note"));
    assert!(terminal.enter("run(web, \"cat /srv/note\").nodes[0].stdout").ends_with(
        "\n\
        \"I am web-1\\n\""
    ));
    let shown = terminal.enter(
        "lift(\"web-1\", phase = lambda request: directory(request, \
        \"/srv/new\"), dry_run = True).plan[0].subject",
    );
    assert!(shown.ends_with("\n\"/srv/new\""), "{shown}");
    terminal.enter(
        "again = group_spec(\"web\", phases = \
            {\"configure\": note, \"other\": lambda request: directory(request, \"/srv/o\")})",
    );
    assert!(terminal.enter("lift(again)").contains("nothing to change on 1 node"));
    assert!(
        terminal
            .enter("lift(again, phase = [\"other\", note])")
            .contains("other: directory /srv/o")
    );
    let shown =
        terminal.enter("lift(again, phase = lambda request: fail(\"not \" + request.target.name))");
    assert!(shown.contains("web-1 failed: not web-1"), "{shown}");
    let shown = terminal.enter(
        "explain_session(lift(web, phase = lambda request: directory(request, \"/srv/told\")))",
    );
    assert!(shown.contains("inline: directory /srv/told: create directory  (input "), "{shown}");
    assert!(terminal.enter("explain_plan(note, \"web-1\")").contains("remote_file /srv/note"));

    // a group defined in the session, as in the first Pallet's demo
    terminal.enter("box = defnode(\"box\", configure = note)");
    assert!(
        terminal.enter("converge({box: 1})").contains("box-1: configure: remote_file /srv/note")
    );
    assert_eq!(names(&project), ["box-1", "web-1"]);

    // Ctrl-C ends the lift, and nothing else
    terminal.press(
        "r = lift(web, phase = lambda request: exec_checked_script(request, \"slow\", \
        \"sleep 60\"))\r",
    );
    terminal.wait_for("exec_checked_script slow");
    std::thread::sleep(Duration::from_millis(300));
    let shown = terminal.interrupt();
    assert!(shown.contains("stopping") && shown.contains("stopped"), "{shown}");
    assert!(terminal.enter("r.cancelled").ends_with("\nTrue"));
    assert!(terminal.enter("lift(web, phase = note)").contains("nothing to change on 1 node"));

    // it asks before it destroys
    terminal.press("converge({web: 0})\r");
    terminal.wait_for("Destroy web-1? [y/N]");
    assert!(terminal.enter("n").contains("cancelled"));
    assert_eq!(names(&project), ["box-1", "web-1"]);
    terminal.press("down()\r");
    terminal.wait_until_last("Destroy box-1, web-1? [y/N]");
    assert!(terminal.enter("y").contains("2 destroyed"));
    assert_eq!(names(&project), Vec::<String>::new());
    terminal.press(END);
    assert_eq!(terminal.ends(), 0);
}

#[test]
fn piped_operations_have_their_exit_codes() {
    let _alone = alone();
    let project = Project::quickstart().timeout(Duration::from_secs(300));
    let piped = |input: &str| project.start_with_input(&["repl"], input);
    piped("converge({web: 1})\n").wait().exits(0).says("1 created");
    // a node that failed does not end the script, and is not forgotten
    let script = "r = lift(web, phase = lambda request: fail(\"no\"))\n\
        [node.error for node in r.nodes]\nlift(web).ok\n";
    let output = piped(script).wait().exits(1).says("web-1 failed: no");
    assert!(output.stdout.contains("[\"no\"]") && output.stdout.ends_with("True\n"), "{output}");
    piped("converge({web: 0})\n1\n")
        .wait()
        .exits(2)
        .says("this destroys web-1; pass yes = True to confirm")
        .never_says("\n1\n");
    assert_eq!(names(&project), ["web-1"]);
    let running = piped(
        "lift(web, phase = lambda request: exec_checked_script(request, \"slow\", \
        \"echo on; sleep 60\"))\n7\n",
    );
    std::thread::sleep(Duration::from_secs(3));
    running.interrupt();
    let output = running.wait().exits(130).never_says("\n7\n");
    assert!(output.took < Duration::from_secs(40), "{output}");
    piped("down(yes = True).destroyed\n").wait().exits(0);
    assert_eq!(names(&project), Vec::<String>::new());
}
