//! Reproductions of fixed faults: each prepares a node, declares something, and checks the result.
//! The number of each fault is in the name of its test.
//!
//! All share one bed, but each has a node of its own.

mod files;
mod formats;
mod nodes;
mod projects;

use std::sync::{LazyLock, Mutex, PoisonError};

use pallet_tests::{Bed, BedOptions, Init, Output, Project};

use crate::quickstart::alone;

/// The nodes, and the number of the next one.
static BED: LazyLock<(Bed, Mutex<usize>)> = LazyLock::new(|| (Bed::of(1), Mutex::new(1)));

/// A node that only this test uses.
struct Node {
    bed: &'static Bed,
    number: usize,
}

impl Node {
    fn new(init: Init) -> Node {
        let (bed, next) = &*BED;
        let mut next = next.lock().unwrap_or_else(PoisonError::into_inner);
        *next += 1;
        bed.add(BedOptions { count: 1, init, from: *next, other_host_key: false });
        Node { bed, number: *next }
    }

    /// A node that was prepared by a script.
    fn prepared(script: &str) -> Node {
        let node = Node::new(Init::Sshd);
        node.runs(script);
        node
    }

    #[track_caller]
    fn runs(&self, script: &str) -> Output {
        self.bed.ssh(self.number, script).exits(0)
    }

    /// Asserts what a script prints.
    #[track_caller]
    fn finds(&self, script: &str, found: &str) {
        assert_eq!(self.runs(script).stdout, found, "{script}");
    }

    /// A project with only this node, where `user` logs in.
    fn project_as(&self, user: &str, declarations: &str) -> Project {
        let config = format!(
            "[project]\nname = \"faults\"\n[admin_user]\nname = \"{user}\"\n\
             identity_files = [{:?}]\n[services.bed]\nprovider = \"node-list\"\n\
             [services.bed.nodes.b1]\ngroup = \"b\"\nhost = {:?}\n",
            self.bed.key(),
            self.bed.address(self.number)
        );
        Project::on_bed(
            self.bed,
            &[("pallet.toml", &config), ("pallet.star", &configures(declarations))],
        )
    }

    fn project(&self, declarations: &str) -> Project {
        self.project_as("root", declarations)
    }

    /// Lifts twice: the second one finds nothing to do.
    #[track_caller]
    fn lifts(&self, declarations: &str) -> Project {
        let project = self.project(declarations);
        lifts_twice(&project);
        project
    }
}

/// Lines that the group `b` is configured with.
fn configures(declarations: &str) -> String {
    let lines: String = declarations.lines().map(|line| format!("    {line}\n")).collect();
    format!(
        "def configure(request):\n{lines}\n\
        group_spec(\"b\", count = 1, phases = {{\"configure\": configure}})\n"
    )
}

#[track_caller]
fn lifts_twice(project: &Project) {
    project.run(&["lift"]).exits(0);
    project.run(&["lift"]).exits(0).says("nothing to change on 1 node");
}

/// A sandbox node, which has this machine's programs: git, cron, ACLs. It is created, prepared by a
/// script, and configured twice.
#[track_caller]
fn in_a_sandbox(before: &str, declarations: &str, then: impl FnOnce(&Project)) {
    let _alone = alone();
    let project = Project::quickstart();
    project.write("pallet.star", "group_spec(\"b\", count = 1)\n");
    project.run(&["converge"]).exits(0);
    project.run(&["run", "b", "--", before]).exits(0);
    project.write("pallet.star", configures(declarations));
    lifts_twice(&project);
    then(&project);
}
