//! Backups with restic: repositories, schedules, retention, restores.
#![forbid(unsafe_code)]

mod check;
mod job;
mod program;
mod repository;
mod restore;
mod retention;
mod schedule;
mod system;

use pallet_core::prelude::*;
use repository::{install, repository};
use restore::restore;
use retention::{check, retention};
use schedule::schedule;

struct Backup;

impl ConfigCrate for Backup {
    const NAME: &'static str = "backup";
    const ABOUT: &'static str = "Backups with restic: repositories, schedules, retention, restores";
    const REQUIRES: &'static [(&'static str, &'static str)] = &[("systemd", "^0.1")];
    const CAPABILITIES: Option<Capabilities<Patterns>> = Some(Capabilities {
        paths: &[
            "/etc/restic/**",
            "/usr/local/lib/pallet",
            "/usr/local/lib/pallet/restic-repository",
        ],
        packages: &["restic", "epel", "epel-release"],
        commands: &["sh /usr/local/lib/pallet/restic-repository *", "sh -n"],
        ..Capabilities::NOTHING
    });
    const SYSTEMS: &'static [&'static str] =
        &["debian", "ubuntu", "rocky", "opensuse-leap", "arch"];

    fn functions() -> Vec<Function> {
        functions![install, repository, schedule, retention, check, restore]
    }
}

pallet_core::export_crate!(Backup);
