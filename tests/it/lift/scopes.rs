//! Scopes of actions: options, conditions on the node, and the order that actions ask for.

use pallet_tests::Bed;

use super::project;

const APP: &str = r##"
def as_operator(request):
    exec_script(request, "id -un > who; pwd >> who; echo $COLOUR >> who", creates = "/home/operator/who")
    remote_file(request, "/home/operator/mine", content = "mine\n")

def fresh(request):
    remote_file(request, "/srv/first", content = "1\n")
    remote_file(request, "/srv/mark", content = "1\n")
    exec_script(request, "echo once >> /srv/second", creates = "/srv/second")

def configure(request):
    with_action_options(request, as_operator, user = "operator", directory = "/home/operator", environment = {"COLOUR": "red"})
    plan_when(request, "! test -e /srv/mark", fresh)
    plan_when_not(request, "test -e /etc/passwd", lambda request: remote_file(request, "/srv/never", content = ""))
    exec_script(request, "cat /srv/early > /srv/late", creates = "/srv/late", always_after = ["remote_file /srv/early"])
    remote_file(request, "/srv/early", content = "early\n")

group_spec("app", phases = {"configure": configure})
"##;

#[test]
fn scopes_and_order_hold_on_a_node() {
    let bed = Bed::of(1);
    let project = project(&bed, 1, "root", APP);
    let first = project.run(&["lift"]).exits(0);
    let seen = bed.ssh(
        1,
        "cat /home/operator/who /srv/first /srv/mark /srv/second /srv/late; stat -c %U \
         /home/operator/who /home/operator/mine; ls /srv",
    );
    let seen = seen.exits(0);
    let lines: Vec<_> = seen.stdout.lines().collect();
    assert_eq!(
        lines[..9],
        ["operator", "/home/operator", "red", "1", "1", "once", "early", "operator", "operator"],
        "{seen}\n{first}"
    );
    assert!(!lines.contains(&"never"), "{seen}");
    let again = project.run(&["lift"]).exits(0);
    again.says("nothing to change on 1 node");
    // the condition no longer holds: actions under it are skipped
    bed.ssh(1, "rm /srv/first").exits(0);
    let third = project.run(&["lift", "--dry-run"]).exits(0);
    third.says("nothing to change on 1 node");
}

#[test]
fn what_cannot_be_a_scope_is_refused() {
    let bed = Bed::of(1);
    let circle = "remote_file(request, \"/srv/a\", content = \"\", always_before = [\"remote_file \
        /srv/b\"]); remote_file(request, \"/srv/b\", content = \"\", always_before = \
        [\"remote_file /srv/a\"])";
    let project = project(&bed, 1, "root", "group_spec(\"app\")\n");
    let refused = project.run(&["lift", "-e", circle]).exits(1);
    refused.says("in a circle: remote_file /srv/a, remote_file /srv/b");
    let called = project.run(&["lift", "-e", "plan_when(request, \"true\", 7)"]);
    called.exits(1).says("`function` must be a function of the request, not 7");
}
