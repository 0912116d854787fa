//! People on nodes: accounts with keys, groups, shell and expiry, and their removal.
#![forbid(unsafe_code)]

mod account;
mod date;
mod group;
mod names;
mod people;
mod person;
mod removal;

use group::group;
use pallet_core::prelude::*;
use people::people;
use person::user;
use removal::remove;

struct Users;

impl ConfigCrate for Users {
    const NAME: &'static str = "users";
    const ABOUT: &'static str = "People on nodes: accounts, keys, groups, expiry, removal";
    const CAPABILITIES: Option<Capabilities<Patterns>> = Some(Capabilities {
        paths: &[
            "/home/**",
            "/srv/**",
            "/opt/**",
            "/var/lib/**",
            "/var/spool/cron/**",
            "/etc/sudoers.d/*",
        ],
        // people may have any name
        users: &["*"],
        commands: &[
            "usermod -e * -- *",
            "usermod -L -e 1970-01-02 -- *",
            "grep -q * /etc/shadow",
            "id -u -- *",
            "find /var/spool/* -type f -user * -exec rm -f -- {} +",
            "find /var/spool/* -type f -user * | grep -q .",
        ],
        ..Capabilities::NOTHING
    });
    const SYSTEMS: &'static [&'static str] =
        &["debian", "ubuntu", "rocky", "opensuse-leap", "arch"];

    fn functions() -> Vec<Function> {
        functions![group, user, people, remove]
    }
}

pallet_core::export_crate!(Users);
