//! What differs between systems: versions, packages, services and paths.

use pallet_core::prelude::*;

/// A system.
#[derive(Debug, Clone, Copy)]
pub(crate) struct System {
    /// The version of PostgreSQL in the system's own repositories; empty: the system decides.
    pub(crate) version: &'static str,
    /// The packages; `{}` is the version.
    pub(crate) packages: &'static [&'static str],
    pub(crate) layout: Layout,
    /// The release as the repository of the PostgreSQL project names it; empty: none.
    pub(crate) pgdg: &'static str,
}

/// How a system arranges its clusters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Layout {
    /// With postgresql-common, several clusters of several versions stand side by side.
    Clusters,
    /// One cluster, whose configuration is in its data directory.
    Single { home: &'static str, data: &'static str },
}

const DEBIAN: System =
    System { version: "17", packages: &["postgresql-{}"], layout: Layout::Clusters, pgdg: "" };

const SINGLE: System = System {
    version: "",
    packages: &["postgresql-server", "postgresql-contrib"],
    layout: Layout::Single { home: "/var/lib/pgsql", data: "/var/lib/pgsql/data" },
    pgdg: "",
};

pub(crate) const SYSTEMS: SystemTable<System> = SystemTable(&[
    ("debian 12", System { version: "15", pgdg: "bookworm-pgdg", ..DEBIAN }),
    ("debian 13", System { version: "17", pgdg: "trixie-pgdg", ..DEBIAN }),
    ("ubuntu 22.04", System { version: "14", pgdg: "jammy-pgdg", ..DEBIAN }),
    ("ubuntu 24.04", System { version: "16", pgdg: "noble-pgdg", ..DEBIAN }),
    ("rocky 9", SINGLE),
    ("opensuse-leap", SINGLE),
    (
        "arch",
        System {
            packages: &["postgresql"],
            layout: Layout::Single { home: "/var/lib/postgres", data: "/var/lib/postgres/data" },
            ..SINGLE
        },
    ),
]);

/// The key that signs the repository of the PostgreSQL project. Its fingerprint is
/// B97B 0AFC AA1A 47F0 44F2 44A0 7FCC 7D46 ACCC 4CF8.
pub(crate) const PGDG_KEY: &str = include_str!("pgdg.asc");
