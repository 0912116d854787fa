//! Nodes with real sshd, over the provider `node-list`.

mod agent;
mod bad_input;
mod blocks;
mod bounds;
mod content;
mod drift;
mod failures;
mod first_and_again;
mod hostile;
mod images;
mod interrupt;
mod limits;
mod scopes;
mod secrets;
mod services;
mod slow_network;
mod users;

use std::fmt::Write;

use pallet_tests::{Bed, Project};

/// A project with one group, `app`, of the nodes 1 to `count` of a bed, where `user` logs in.
/// `declarations` are its pallet.star.
pub(crate) fn project(bed: &Bed, count: usize, user: &str, declarations: &str) -> Project {
    let mut config = format!(
        "[admin_user]\nname = \"{user}\"\nidentity_files = [{:?}]\n\n[services.bed]\n\
            provider = \"node-list\"\n",
        bed.key()
    );
    for node in 1..=count {
        write!(
            config,
            "\n[[services.bed.nodes]]\nname = \"node{node}\"\nhost = {:?}\n\
            group = \"app\"\n",
            bed.address(node)
        )
        .unwrap();
    }
    Project::on_bed(bed, &[("pallet.toml", &config), ("pallet.star", declarations)])
}

/// Some of everything, and different on each node.
const APP: &str = r##"
def configure(request):
    group(request, "app", system = True)
    user(request, "app", group = "app", system = True, shell = "/bin/false")
    package(request, "bed-alpha")
    directory(request, "/srv/app", owner = "app", group = "app", mode = "0750")
    remote_file(request, "/srv/app/name", content = "I am " + request.target.name + "\n", owner = "app", mode = "0640")
    symbolic_link(request, "/srv/app/link", target = "/srv/app/name")
    exec_checked_script(request, "count", "echo x >> /srv/app/runs", creates = "/srv/app/runs")

app = group_spec("app", phases = {"configure": configure})
"##;

/// Asserts the result of [`APP`], as seen on the node.
#[track_caller]
fn is_configured(bed: &Bed, node: usize) {
    let script = "id -u app && cat /srv/app/name && stat -c '%U:%G %a' /srv/app /srv/app/name && \
        readlink /srv/app/link && cat /srv/app/runs && ls /usr/share/bed-alpha | wc -l";
    let output = bed.ssh(node, script).exits(0);
    let lines: Vec<_> = output.stdout.lines().skip(1).collect();
    let name = format!("I am node{node}");
    assert_eq!(
        lines,
        [name.as_str(), "app:app 750", "app:root 640", "/srv/app/name", "x", "40"],
        "{output}"
    );
}
