//! Environment variables of sessions: `/etc/environment`, and scripts in `/etc/profile.d`.
#![forbid(unsafe_code)]

mod check;
mod profile;
mod variables;

use pallet_core::prelude::*;
use profile::profile;
use variables::variables;

struct Environments;

impl ConfigCrate for Environments {
    const NAME: &'static str = "environment";
    const ABOUT: &'static str =
        "Environment variables of sessions: /etc/environment and /etc/profile.d";
    const CAPABILITIES: Option<Capabilities<Patterns>> = Some(Capabilities {
        paths: &["/etc/environment", "/etc/profile.d", "/etc/profile.d/*.sh"],
        commands: &["sh -n"],
        ..Capabilities::NOTHING
    });
    const SYSTEMS: &'static [&'static str] =
        &["debian", "ubuntu", "rocky", "opensuse-leap", "arch", "alpine"];

    fn functions() -> Vec<Function> {
        functions![variables, profile]
    }
}

pallet_core::export_crate!(Environments);
