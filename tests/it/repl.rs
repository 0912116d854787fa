//! The REPL: at a terminal, with lines from a pipe, and with scripts.

mod connections;
mod history;
mod nodes;
mod piped;
mod typing;

use std::time::Duration;

use pallet_tests::Project;

const STAR: &str = r##"
load("@nginx", "nginx")

def configure(request):
    """Makes a page."""
    directory(request, "/srv/page")

web = group_spec("web", count = 1, phases = {"configure": configure, "restart": lambda request: None})
group_spec("data-base", count = 0)
"##;

/// A project without nodes.
fn project() -> Project {
    let project = Project::empty().timeout(Duration::from_secs(60));
    project.write("pallet.toml", "");
    project.write("pallet.star", STAR);
    project
}
