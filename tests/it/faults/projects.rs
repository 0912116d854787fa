//! Projects whose nodes differ from their author's expectation.

use pallet_tests::Project;

use crate::quickstart::{alone, names};

const GROUPS: &str = "group_spec(\"web\", count = 1)\ngroup_spec(\"db\", count = 1)\n";

#[test]
fn fault_24_nodes_whose_group_is_gone_are_named() {
    let _alone = alone();
    let project = Project::quickstart();
    project.write("pallet.star", GROUPS);
    project.run(&["converge"]).exits(0);
    project.edit("pallet.star", "group_spec(\"db\", count = 1)\n", "");
    project.run(&["converge", "--dry-run"]).exits(0).says("db-1");
    project.run(&["check"]).says("db-1");
    project.run(&["converge", "db=0", "--yes"]).exits(0);
    assert_eq!(names(&project), ["web-1"]);
}

#[test]
fn fault_25_one_machine_twice_is_found_with_its_default_written_out() {
    let project = Project::empty();
    project.write(
        "pallet.toml",
        "[project]\nname = \"twice\"\n[services.bed]\nprovider = \"node-list\"\n\
         [services.bed.nodes.web-1]\ngroup = \"b\"\nhost = \"10.78.1.1\"\n\
         [services.bed.nodes.web-2]\ngroup = \"b\"\nhost = \"10.78.1.1\"\nport = 22\n",
    );
    project.write("pallet.star", "group_spec(\"b\", count = 2)\n");
    let lift = project.run(&["lift"]).says("is the same machine");
    assert_ne!(lift.code(), 0, "{lift}");
}
