//! Declaring: server-specs that extend each other, groups, a cluster, and settings that one node
//! writes and another reads.
//!
//! No node is contacted: the program prints what it declared.
#![allow(clippy::print_stdout, reason = "a program of its own")]

use pallet_core::engine::{ClusterSpec, GroupSpec, ServerSpec};
use pallet_core::prelude::*;

/// Runs first on every node, so that all other functions can read these settings.
fn announce(request: &mut Request) -> Result<()> {
    let address = request.target()?.address;
    request.set_settings("backend", json!({"address": address, "port": 8080}))
}

/// Writes a file on the balancer that lists all backends.
fn balance(request: &mut Request) -> Result<()> {
    let mut upstream = String::new();
    for backend in
        request.targets()?.iter().filter(|target| target.roles.iter().any(|role| role == "backend"))
    {
        let settings: Value = request.settings_of(&backend.id, "backend")?.unwrap_or_default();
        upstream += &format!(
            "server {}:{}\n",
            settings["address"].as_str().unwrap_or("?"),
            settings["port"]
        );
    }
    request.add(RemoteFile::content("/etc/upstream.conf", upstream).mode(0o644))
}

fn main() -> Result<()> {
    let debian = NodeSpec {
        image: Some(ImageSpec { os_family: Some("debian".into()), ..Default::default() }),
        ..Default::default()
    };
    let base = ServerSpec::new()
        .node_spec(debian)
        .phase("bootstrap", |request: &mut Request| request.add(Package::install("curl")));
    let backend =
        ServerSpec::new().role("backend").phase("settings", announce).extending([&base])?;
    let balancer = ServerSpec::new().phase("configure", balance).extending([&base])?;
    let groups =
        vec![GroupSpec::new("app", Some(3), backend)?, GroupSpec::new("lb", Some(1), balancer)?];
    let shop = ClusterSpec {
        name: "shop".into(),
        count: None,
        groups,
        server: ServerSpec::new(),
        protect: false,
    };
    for group in shop.flatten()? {
        let phases: Vec<_> = group.server.phases.keys().map(String::as_str).collect();
        println!(
            "{}: {} nodes with {}, by default {}",
            group.name,
            group.count.unwrap_or(0),
            phases.join(", "),
            group.default_phases().join(", ")
        );
    }
    Ok(())
}
