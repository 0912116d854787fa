//! Python: interpreters, virtual environments, applications.
#![forbid(unsafe_code)]

mod application;
mod requirements;
mod system;
mod venv;

use application::application;
use pallet_core::prelude::*;
use system::install;
use venv::venv;

struct Python;

impl ConfigCrate for Python {
    const NAME: &'static str = "python";
    const ABOUT: &'static str = "Python: interpreters, virtual environments, applications";
    const REQUIRES: &'static [(&'static str, &'static str)] = &[("app-deploy", "^0.1")];
    const CAPABILITIES: Option<Capabilities<Patterns>> = Some(Capabilities {
        paths: &[
            // the directory above a venv, and the list of what is in it
            "/srv",
            "/srv/**",
            "/opt",
            "/opt/**",
            "/var/lib/**",
            "/usr/local/lib/pallet",
            "/usr/local/lib/pallet/python-venv",
        ],
        packages: &["python*", "gcc", "build-base", "build-essential"],
        // a venv has any owner
        users: &["*"],
        commands: &["sh /usr/local/lib/pallet/python-venv *", "true"],
        local_files: &["**"],
        ..Capabilities::NOTHING
    });
    const SYSTEMS: &'static [&'static str] = &["debian"];

    fn functions() -> Vec<Function> {
        functions![install, venv, application]
    }
}

pallet_core::export_crate!(Python);
