//! A session keeps its connections between operations, and across `reload()`.

use pallet_tests::Bed;

use crate::lift::project;

const STAR: &str = r##"
def configure(request):
    remote_file(request, "/srv/first", content = "first\n")

app = group_spec("app", phases = {"configure": configure})
"##;

#[test]
fn a_node_is_connected_once_and_again_when_it_was_away() {
    let bed = Bed::of(2);
    let project = project(&bed, 2, "root", STAR);
    // the number of logins, according to the node
    let sessions = "pgrep -f '[s]shd.*: root@notty' | sort | tr '\\n' ' '";
    let mut terminal = project.repl(&[]);
    assert!(terminal.enter("lift()").contains("nodes: 2 changed"));
    let before = run(&mut terminal, sessions);
    assert!(!before.is_empty(), "nobody is logged in");
    project.edit("pallet.star", "first\\n", "second\\n");
    assert!(terminal.enter("reload()").contains("reloaded; groups: app"));
    assert!(terminal.enter("lift()").contains("nodes: 2 changed"));
    assert_eq!(run(&mut terminal, sessions), before, "another connection was made");

    // another user has another connection, or none
    let shown = terminal.enter("with_admin_user(\"nobody-there\", lambda: lift()).ok");
    assert!(shown.contains("as nobody-there") && shown.ends_with("\nFalse"), "{shown}");
    assert!(terminal.enter("lift()").contains("nothing to change on 2 nodes"));

    bed.kill(1);
    bed.start(1);
    let shown = terminal.enter("lift()");
    assert!(shown.contains("nothing to change on 2 nodes"), "{shown}");
    project.edit("pallet.star", "remote_file", "remote_fil");
    let shown = terminal.enter("reload()");
    assert!(
        shown.contains("there is no `remote_fil`")
            && shown.contains("the session keeps the old project"),
        "{shown}"
    );
    assert!(terminal.enter("lift(\"node2\")").contains("nothing to change on 1 node"));
}

/// The output of a command on the second node.
#[track_caller]
fn run(terminal: &mut pallet_tests::Terminal, command: &str) -> String {
    let shown = terminal.enter(&format!("run(\"node2\", {command:?}).nodes[0].stdout"));
    shown.lines().last().unwrap().to_owned()
}
