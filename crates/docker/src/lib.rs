//! Docker: engine, images, networks, volumes, containers, compose projects.
#![forbid(unsafe_code)]

mod check;
mod compose;
mod container;
mod daemon;
mod image;
mod install;
mod login;
mod network;
mod options;
mod program;
mod system;
mod volume;

use compose::compose;
use container::container;
use daemon::daemon;
use image::image;
use install::{install, service};
use login::login;
use network::network;
use pallet_core::prelude::*;
use volume::volume;

struct Docker;

impl ConfigCrate for Docker {
    const NAME: &'static str = "docker";
    const ABOUT: &'static str =
        "Docker: engine, images, networks, volumes, containers, compose projects";
    const CAPABILITIES: Option<Capabilities<Patterns>> = Some(Capabilities {
        paths: &["/etc/docker/**", "/usr/local/lib/pallet", "/usr/local/lib/pallet/docker-node"],
        packages: &[
            "docker.io",
            "docker-cli",
            "docker-compose",
            "docker-compose-v2",
            "docker",
            "docker-cli-compose",
            "docker-ce",
            "docker-ce-cli",
            "containerd.io",
            "docker-buildx-plugin",
            "docker-compose-plugin",
        ],
        services: &["docker"],
        users: &["docker"],
        commands: &[
            "sh /usr/local/lib/pallet/docker-node *",
            "docker *",
            "test -e /etc/docker/pallet/compose/*",
        ],
        network: &["download.docker.com"],
        ..Capabilities::NOTHING
    });
    const SYSTEMS: &'static [&'static str] =
        &["debian", "ubuntu", "rocky 9", "opensuse-leap", "arch", "alpine"];

    fn functions() -> Vec<Function> {
        functions![install, daemon, service, login, image, network, volume, container, compose]
    }
}

pallet_core::export_crate!(Docker);
