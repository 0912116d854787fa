//! The MariaDB database: settings, users, databases, privileges, replicas, backups.
#![forbid(unsafe_code)]

mod backup;
mod database;
mod grant;
mod install;
mod replica;
mod server;
mod setting;
mod sql;
mod system;
mod user;

use backup::backup;
use database::database;
use grant::grant;
use install::{install, secure, service};
use pallet_core::prelude::*;
use replica::{replica, replicator};
use server::settings;
use setting::setting;
use user::user;

struct Mysql;

impl ConfigCrate for Mysql {
    const NAME: &'static str = "mysql";
    const ABOUT: &'static str =
        "The MariaDB database: settings, users, databases, privileges, replicas, backups";
    const CAPABILITIES: Option<Capabilities<Patterns>> = Some(Capabilities {
        paths: &[
            "/etc/pallet/mysql/**",
            "/usr/local/lib/pallet",
            "/usr/local/lib/pallet/mysql",
            "/usr/local/lib/pallet/mysql-backup",
            "/var/backups/**",
            "/srv/**",
            "/mnt/**",
        ],
        packages: &["mariadb", "mariadb-*"],
        services: &["mariadb", "mysql-backup-*"],
        commands: &["sh /usr/local/lib/pallet/mysql *", "mariadb-install-db *"],
        ..Capabilities::NOTHING
    });
    const SYSTEMS: &'static [&'static str] =
        &["debian", "ubuntu", "rocky", "opensuse-leap", "arch"];

    fn functions() -> Vec<Function> {
        functions![
            settings, install, secure, setting, database, user, grant, replicator, replica, backup,
            service
        ]
    }
}

pallet_core::export_crate!(Mysql);
