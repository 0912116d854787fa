//! What differs between systems: packages of the distribution, and of Docker's own repository.

use pallet_core::prelude::*;

/// A system's packages.
#[derive(Debug)]
pub(crate) struct System {
    /// The engine; none where the distribution has Podman instead.
    pub(crate) packages: &'static [&'static str],
    pub(crate) compose: &'static str,
    /// The part of Docker's own repository: `https://download.docker.com/linux/NAME`.
    pub(crate) repository: Option<&'static str>,
}

/// The packages of Docker's own repository, and its compose.
pub(crate) const OWN: &[&str] =
    &["docker-ce", "docker-ce-cli", "containerd.io", "docker-buildx-plugin"];
pub(crate) const OWN_COMPOSE: &str = "docker-compose-plugin";

pub(crate) const SYSTEMS: SystemTable<System> = SystemTable(&[
    (
        "ubuntu",
        System {
            packages: &["docker.io"],
            compose: "docker-compose-v2",
            repository: Some("ubuntu"),
        },
    ),
    (
        "debian 12",
        System { packages: &["docker.io"], compose: "docker-compose", repository: Some("debian") },
    ),
    (
        "debian",
        System {
            packages: &["docker.io", "docker-cli"],
            compose: "docker-compose",
            repository: Some("debian"),
        },
    ),
    ("red_hat", System { packages: &[], compose: "", repository: Some("rhel") }),
    ("suse", System { packages: &["docker"], compose: "docker-compose", repository: None }),
    ("arch", System { packages: &["docker"], compose: "docker-compose", repository: None }),
    ("alpine", System { packages: &["docker"], compose: "docker-cli-compose", repository: None }),
]);
