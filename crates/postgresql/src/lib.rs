//! The PostgreSQL database: clusters, settings, access, roles, databases, replicas, backups.
#![forbid(unsafe_code)]

mod backup;
mod cluster;
mod database;
mod grant;
mod hba;
mod install;
mod replica;
mod role;
mod setting;
mod sql;
mod system;

use backup::backup;
use cluster::settings;
use database::{database, extension};
use grant::grant;
use hba::hba;
use install::{install, instance, service};
use pallet_core::prelude::*;
use replica::replica;
use role::role;
use setting::setting;

struct Postgresql;

impl ConfigCrate for Postgresql {
    const NAME: &'static str = "postgresql";
    const ABOUT: &'static str =
        "The PostgreSQL database: clusters, settings, access, roles, replicas, backups";
    const CAPABILITIES: Option<Capabilities<Patterns>> = Some(Capabilities {
        paths: &[
            "/etc/apt/keyrings",
            "/etc/apt/keyrings/postgresql-pgdg.asc",
            "/etc/pallet/postgresql/**",
            "/etc/postgresql-common",
            "/etc/postgresql-common/createcluster.d/**",
            "/usr/local/lib/pallet",
            "/usr/local/lib/pallet/postgresql",
            "/usr/local/lib/pallet/postgresql-scram.sql",
            "/var/backups/**",
            "/srv/**",
            "/mnt/**",
        ],
        packages: &["postgresql*", "pgdg"],
        services: &["postgresql", "postgresql@*", "postgresql-backup-*"],
        commands: &["sh /usr/local/lib/pallet/postgresql *", "pg_createcluster *", "initdb -D *"],
        network: &["apt.postgresql.org"],
        ..Capabilities::NOTHING
    });
    const SYSTEMS: &'static [&'static str] =
        &["debian", "ubuntu", "rocky 9", "opensuse-leap", "arch"];

    fn functions() -> Vec<Function> {
        functions![
            settings, install, instance, setting, hba, role, database, extension, grant, replica,
            backup, service
        ]
    }
}

pallet_core::export_crate!(Postgresql);
