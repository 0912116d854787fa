//! Nodes that are out of service while they change.

use pallet_tests::Bed;

use super::{project, text};

const NODES: [(&str, &str); 3] = [("web-1", "web"), ("web-2", "web"), ("balancer-1", "balancer")];

const DRAINED: &str = r#"
def tell(request, what):
    def run(balancer):
        exec_script(balancer, "echo %s %s >>/srv/log" % (what, request.target.name))
    on_node(request, request.targets_in_group("balancer")[0], run)

def drain(request):
    tell(request, "drain")

def undrain(request):
    tell(request, "undrain")

def configure(request):
    if request.environment.get("for", request.target.name) == request.target.name:
        remote_file(request, "/srv/version", content = str(request.environment.version) + "\n")

def healthy(request):
    wait_for_file(request, "/srv/sick", action = "delete", timeout = 1)

group_spec("web", phases = {"configure": configure, "drain": drain, "undrain": undrain},
    rollout = rollout(waves = 1, health = healthy))
group_spec("balancer")
"#;

fn log(bed: &Bed) -> Vec<String> {
    let lines = text(bed, 3, "/srv/log").lines().map(str::to_owned).collect();
    bed.ssh(3, "rm -f /srv/log").exits(0);
    lines
}

#[test]
fn only_what_changes_is_drained() {
    let bed = Bed::of(3);
    let project = project(&bed, &NODES, DRAINED);
    let one = ["lift", "web", "--env", "version=1", "--env", "for=web-2"];
    // a dry run says what it would do on the balancer
    project
        .run(&[one.as_slice(), &["--dry-run"]].concat())
        .exits(0)
        .says("balancer-1: drain: exec_script echo drain web-2")
        .says("balancer-1: undrain: exec_script echo undrain web-2")
        .never_says("drain web-1");
    project.run(&one).exits(0);
    assert_eq!(log(&bed), ["drain web-2", "undrain web-2"]);
    project.run(&["lift", "--env", "version=1"]).exits(0);
    assert_eq!(log(&bed), ["drain web-1", "undrain web-1"]);
    project.run(&["lift", "--env", "version=1"]).exits(0).says("nothing to change on 3 nodes");
    assert_eq!(log(&bed), Vec::<String>::new());
    project.run(&["lift", "--env", "version=2"]).exits(0);
    let expected = ["drain web-1", "undrain web-1", "drain web-2", "undrain web-2"];
    assert_eq!(log(&bed), expected, "one after the other");
}

#[test]
fn a_sick_node_stays_out_of_service_until_it_is_healthy() {
    let bed = Bed::of(3);
    let project = project(&bed, &NODES, DRAINED);
    bed.ssh(1, "touch /srv/sick").exits(0);
    project
        .run(&["lift", "--env", "version=1"])
        .exits(1)
        .says("web-1: it stays out of service (drained)")
        .says("health check")
        .says("1 not reached");
    assert_eq!(log(&bed), ["drain web-1"]);
    assert_eq!(text(&bed, 2, "/srv/version"), "");
    // nothing changes any more on it, and still it is checked and goes back
    bed.ssh(1, "rm /srv/sick").exits(0);
    project.run(&["lift", "--env", "version=1"]).exits(0);
    assert_eq!(log(&bed), ["undrain web-1", "drain web-2", "undrain web-2"]);
    project.run(&["lift", "--env", "version=1"]).exits(0).says("nothing to change");
    assert_eq!(log(&bed), Vec::<String>::new());
    // by hand
    project.run(&["lift", "web", "--phase", "drain", "--env", "version=1"]).exits(0);
    let mut drained = log(&bed);
    drained.sort();
    assert_eq!(drained, ["drain web-1", "drain web-2"]);
}

const IN_TURN: &str = r#"
def tell(request, what):
    exec_script(request, "echo %s %s >>/srv/log" % (request.environment.who, what))

def configure(request):
    tell(request, "begin")
    exec_script(request, "sleep 2")
    tell(request, "end")

group_spec("web", phases = {
    "configure": configure,
    "drain": lambda request: tell(request, "drain"),
    "undrain": lambda request: tell(request, "undrain"),
})
"#;

#[test]
fn two_at_once_never_change_a_node_in_service() {
    let bed = Bed::of(1);
    let one = project(&bed, &NODES[..1], IN_TURN);
    let other = project(&bed, &NODES[..1], IN_TURN);
    let lift = ["lift", "--env", "who=one"];
    let mut first = one.start(&lift);
    while !text(&bed, 1, "/srv/log").contains("one begin") {
        assert!(first.peak_memory().is_some(), "it ended");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let second = other.run(&["lift", "--env", "who=other"]).exits(0);
    second.says("waiting for another operation that has taken this node out of service");
    first.wait().exits(0);
    let log = text(&bed, 1, "/srv/log");
    let of = |who: &str| ["drain", "begin", "end", "undrain"].map(|what| format!("{who} {what}\n"));
    assert_eq!(log, [of("one"), of("other")].concat().concat());
}
