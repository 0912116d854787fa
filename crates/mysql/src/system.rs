//! What differs between systems: packages, services and paths.

use pallet_core::prelude::*;

/// A system.
#[derive(Debug, Clone, Copy)]
pub(crate) struct System {
    pub(crate) packages: &'static [&'static str],
    /// The package of `mariadb-backup`.
    pub(crate) backup: &'static str,
    pub(crate) service: &'static str,
    /// The main configuration file, which includes the directory.
    pub(crate) cnf: &'static str,
    /// The directory of the settings.
    pub(crate) confdir: &'static str,
    pub(crate) data: &'static str,
    /// The command that makes the data directory; empty: the package or the service does.
    pub(crate) initialize: &'static str,
}

const RED_HAT: System = System {
    packages: &["mariadb-server"],
    backup: "mariadb-backup",
    service: "mariadb",
    cnf: "/etc/my.cnf",
    confdir: "/etc/my.cnf.d",
    data: "/var/lib/mysql",
    initialize: "",
};

pub(crate) const SYSTEMS: SystemTable<System> = SystemTable(&[
    (
        "debian",
        System { cnf: "/etc/mysql/my.cnf", confdir: "/etc/mysql/mariadb.conf.d", ..RED_HAT },
    ),
    ("rocky 9", RED_HAT),
    ("opensuse-leap", System { packages: &["mariadb"], backup: "mariadb", ..RED_HAT }),
    (
        "arch",
        System {
            packages: &["mariadb"],
            backup: "mariadb",
            initialize: "mariadb-install-db --user=mysql --basedir=/usr --datadir=/var/lib/mysql",
            ..RED_HAT
        },
    ),
]);
