//! Large changes: waves, health checks, nodes out of service, nodes made anew, protection.

mod drain;
mod elsewhere;
mod replace;
mod resume;
mod trouble;
mod waves;

use pallet_tests::{Bed, Project};

/// A project on a bed: each node with its group.
pub(crate) fn project(bed: &Bed, nodes: &[(&str, &str)], declarations: &str) -> Project {
    let mut config = format!(
        "default_service = \"bed\"\n[project]\nname = \"rollout\"\n[services.bed]\n\
         provider = \"node-list\"\n[admin_user]\nname = \"root\"\nidentity_files = [{:?}]\n",
        bed.key()
    );
    for (number, (name, group)) in nodes.iter().enumerate() {
        config.push_str(&format!(
            "[services.bed.nodes.{name}]\ngroup = \"{group}\"\nhost = \"{}\"\n",
            bed.address(number + 1)
        ));
    }
    Project::on_bed(bed, &[("pallet.toml", &config), ("pallet.star", declarations)])
}

/// The text of a file on a node; empty if there is none.
pub(crate) fn text(bed: &Bed, node: usize, path: &str) -> String {
    std::fs::read_to_string(bed.disk(node).join(path.trim_start_matches('/'))).unwrap_or_default()
}
