//! Actions of a phase that run elsewhere, or on one node only.

use pallet_tests::Bed;

use super::{project, text};

const NODES: [(&str, &str); 3] = [("web-1", "web"), ("web-2", "web"), ("db-1", "db")];

const ELSEWHERE: &str = r#"
def migrate(request):
    exec_script(request, "echo $(hostname) >>/srv/migrated")

def configure(request):
    exec_script(request, "echo first >>/srv/order")
    on_node(request, "db-1", lambda other: remote_file(other, "/srv/from-" + request.target.name, content = other.target.name + "\n"))
    exec_script(request, "echo second >>/srv/order")
    locally(request, lambda here: exec_script(here, "echo " + request.target.name + " >>here.txt"))
    run_once(request, migrate)

group_spec("web", phases = {"configure": configure})
group_spec("db")
"#;

#[test]
fn a_phase_runs_its_actions_where_they_belong() {
    let bed = Bed::of(3);
    let project = project(&bed, &NODES, ELSEWHERE);
    let output = project.run(&["lift", "web"]).exits(0);
    for node in [1, 2] {
        assert_eq!(text(&bed, node, "/srv/order"), "first\nsecond\n", "{output}");
        assert_eq!(text(&bed, 3, &format!("/srv/from-web-{node}")), "db-1\n");
    }
    let migrated = [1, 2].map(|node| text(&bed, node, "/srv/migrated").lines().count());
    assert_eq!(migrated, [1, 0], "it runs on the first node only");
    project.run(&["explain", "web-1"]).exits(0).says("runs on").says("db-1");
    // an unreachable first node is not the one
    bed.kill(1);
    project.run(&["lift", "web"]).exits(1).says("web-1 failed");
    assert_eq!(text(&bed, 2, "/srv/migrated").lines().count(), 1);
    // what fails elsewhere fails the node
    bed.kill(3);
    project.run(&["lift", "web", "--timeout", "60"]).exits(1).says("on db-1: ").says("web-2");
    project.edit("pallet.star", "\"db-1\"", "\"db-9\"");
    project.run(&["lift", "web"]).exits(1).says("on_node: there is no node db-9 in this project");
}
