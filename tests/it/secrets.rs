//! Secrets from where people keep them, with the real programs and servers, on nodes with real
//! sshd. AWS is moto.

mod aws;
mod managers;
mod sops;
mod vault;

use std::fmt::Write;

use pallet_tests::{Bed, Project};

use crate::lift::project;

/// A project with one node whose files `/srv/NAME` have the secrets of these names.
fn with_secrets(bed: &Bed, secrets: &[(&str, &str)], more: &str) -> Project {
    let mut declarations = "def configure(request):\n".to_owned();
    let mut table = format!("secret_ttl = \"5m\"\n{more}\n[secrets]\n");
    for (name, place) in secrets {
        writeln!(
            declarations,
            "    remote_file(request, \"/srv/{name}\", content = secret(\"{name}\"))"
        )
        .unwrap();
        writeln!(table, "{name} = {place}").unwrap();
    }
    declarations += "\napp = group_spec(\"app\", phases = {\"configure\": configure})\n";
    let project = project(bed, 1, "root", &declarations);
    project.edit("pallet.toml", "[admin_user]", &format!("{table}\n[admin_user]"));
    project
}

/// What is in the file of a secret.
fn on_node(bed: &Bed, name: &str) -> String {
    std::fs::read_to_string(bed.disk(1).join("srv").join(name)).unwrap_or_default()
}
