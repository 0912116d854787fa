//! sudo: who may run what as whom.
#![forbid(unsafe_code)]

mod defaults;
mod file;
mod grant;
mod syntax;

use defaults::defaults;
use file::{alias, install};
use grant::grant;
use pallet_core::prelude::*;

struct Sudoers;

impl ConfigCrate for Sudoers {
    const NAME: &'static str = "sudoers";
    const ABOUT: &'static str = "sudo: who may run what as whom";
    const CAPABILITIES: Option<Capabilities<Patterns>> = Some(Capabilities {
        paths: &["/etc/sudoers.d", "/etc/sudoers.d/*"],
        packages: &["sudo"],
        commands: &["visudo -cf"],
        ..Capabilities::NOTHING
    });
    const SYSTEMS: &'static [&'static str] =
        &["debian", "ubuntu", "rocky", "opensuse-leap", "arch", "alpine"];

    fn functions() -> Vec<Function> {
        functions![install, grant, defaults, alias]
    }
}

pallet_core::export_crate!(Sudoers);
