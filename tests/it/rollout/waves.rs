//! Waves, and what ends them.

use pallet_tests::Bed;

use super::{project, text};

const WEB: [(&str, &str); 4] =
    [("web-1", "web"), ("web-2", "web"), ("web-3", "web"), ("web-4", "web")];

const PLAIN: &str = r#"
def configure(request):
    if request.target.name in request.environment.get("broken", []):
        exec_script(request, "echo broken >&2; exit 7")
    exec_script(request, "echo done >>/srv/done")

group_spec("web", phases = {"configure": configure})
"#;

fn done(bed: &Bed) -> [usize; 4] {
    [1, 2, 3, 4].map(|node| text(bed, node, "/srv/done").lines().count())
}

#[test]
fn a_failure_ends_the_waves_and_tells_which_nodes_were_not_reached() {
    let bed = Bed::of(4);
    let project = project(&bed, &WEB, PLAIN);
    let broken = "broken=[\"web-2\"]";
    let output = project
        .run(&["lift", "--waves", "1,50%,100%", "--env", broken])
        .exits(1)
        .says("wave 1 of 3: web-1")
        .says("wave 2 of 3: web-2")
        .never_says("wave 3 of 3")
        .says("web-2 failed")
        .says("1 changed, 1 failed, 2 not reached")
        .says("web-3, web-4 were not reached: 1 node of group web failed, and max_failures is 0");
    assert_eq!(done(&bed), [1, 0, 0, 0], "{output}");

    // whoever expects a failure says so; a percentage is of the group
    let arguments = ["lift", "--waves", "1,50%,100%", "--env", broken, "--max-failures", "25%"];
    project.run(&arguments).exits(1).says("wave 3 of 3: web-[3:4]").says("3 changed, 1 failed");
    assert_eq!(done(&bed), [2, 0, 1, 1]);

    // one after the other, without waves: nothing begins after a failure
    let arguments = ["lift", "--parallel", "1", "--max-failures", "0", "--env", broken];
    project.run(&arguments).exits(1).says("1 changed, 1 failed, 2 not reached");
    assert_eq!(done(&bed), [3, 0, 1, 1]);

    // waves of one size
    let output = project.run(&["lift", "--waves", "2"]).exits(0).says("wave 2 of 2: web-[3:4]");
    assert_eq!(done(&bed), [4, 1, 2, 2], "{output}");

    // a dry run shows the waves, and changes nothing
    project.run(&["lift", "--waves", "2", "--dry-run"]).exits(0).says("wave 2 of 2: web-[3:4]");
    assert_eq!(done(&bed), [4, 1, 2, 2]);

    for (waves, problem) in [
        ("0", "a wave of 0 has no nodes"),
        ("1,50%", "the last one must be 100%"),
        ("50%,10%,100%", "do not rise"),
        ("many", "is not a number of nodes"),
    ] {
        project.run(&["lift", "--waves", waves]).exits(2).says(problem);
    }
    project.run(&["lift", "--waves", "1", "--confirm-waves"]).exits(2).says("needs a terminal");
    assert_eq!(done(&bed), [4, 1, 2, 2]);
}

const CHECKED: &str = r#"
def configure(request):
    remote_file(request, "/srv/version", content = str(request.environment.version) + "\n")
    exec_script(request, "echo done >>/srv/done", if_flag = "none")

def healthy(request):
    wait_for_file(request, "/srv/healthy", timeout = 2)

group_spec("web", phases = {"configure": configure}, rollout = rollout(
    waves = ["1", "50%", "100%"], health = healthy, pause = "1s",
))
"#;

fn versions(bed: &Bed) -> [String; 4] {
    [1, 2, 3, 4].map(|node| text(bed, node, "/srv/version").trim().to_owned())
}

#[test]
fn a_wave_must_be_healthy_before_the_next_begins() {
    let bed = Bed::of(4);
    let project = project(&bed, &WEB, CHECKED);
    project
        .run(&["lift", "--env", "version=1"])
        .exits(1)
        .says("health check")
        .says("1 failed, 3 not reached");
    assert_eq!(versions(&bed), ["1", "", "", ""]);

    for node in 1..=3 {
        bed.ssh(node, "touch /srv/healthy").exits(0);
    }
    let output = project.run(&["lift", "--env", "version=2"]).exits(1).says("wave 3 of 3");
    output.says("3 changed, 1 failed").says("pausing for 1s before the next wave");
    assert_eq!(versions(&bed), ["2", "2", "2", "2"]);

    // where nothing changes, nothing is waited for
    bed.ssh(1, "rm /srv/healthy").exits(0);
    project.run(&["lift", "--env", "version=2"]).exits(0).says("nothing to change on 4 nodes");

    // an unreachable node is a failure, and known before anything begins
    bed.kill(4);
    let output = project.run(&["lift", "--env", "version=3"]).exits(1);
    output.says("web-4 failed").says("1 failed, 3 not reached");
    assert_eq!(versions(&bed), ["2", "2", "2", "2"]);
}

#[test]
fn a_health_check_only_waits() {
    let bed = Bed::of(1);
    let changes = "def healthy(request):\n    file(request, \"/srv/x\")\n\n\
        group_spec(\"web\", rollout = rollout(health = healthy))\n";
    let project = project(&bed, &WEB[..1], changes);
    let problem = "file /srv/x changes the node, and a health check only waits";
    project.run(&["check"]).exits(2).says(problem);
    project.run(&["lift"]).exits(1).says(problem);
    let nothing = "def healthy(request):\n    pass\n\n\
        group_spec(\"web\", rollout = rollout(health = healthy))\n";
    project.write("pallet.star", nothing);
    project.run(&["lift"]).exits(1).says("it declares no check for this node");
    for (wrong, problem) in [
        ("waves = [\"1\", \"10%\"]", "the last one must be 100%"),
        ("waves = 0", "a wave of 0 has no nodes"),
        ("max_failures = \"few\"", "is not a number of nodes"),
        ("pause = \"soon\"", "is not a time"),
        ("health = 3", "must be a function"),
        ("wave = 1", "did you mean `waves`?"),
    ] {
        project.write("pallet.star", format!("group_spec(\"web\", rollout = rollout({wrong}))\n"));
        project.run(&["check"]).exits(2).says(problem);
    }
}

#[test]
fn somebody_confirms_each_wave() {
    let bed = Bed::of(4);
    let project = project(&bed, &WEB, PLAIN);
    let question = "Begin wave 2 of 2 (web-3, web-4)? Type `yes` to confirm:";
    let mut terminal = project.terminal(&["lift", "--waves", "50%", "--confirm-waves"], question);
    assert_eq!(done(&bed), [1, 1, 0, 0]);
    terminal.press("no\r");
    terminal.wait_for("you did not confirm wave 2 of 2");
    assert_eq!(terminal.ends(), 1);
    assert_eq!(done(&bed), [1, 1, 0, 0]);
}
