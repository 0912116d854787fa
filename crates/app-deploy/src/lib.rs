//! Applications: releases that are checked and rolled back, services, environment.
#![forbid(unsafe_code)]

mod environment;
mod health;
mod names;
mod program;
mod release;
mod rollback;
mod run;
mod unit;
mod unit_arguments;
mod unit_text;

use environment::environment;
use pallet_core::prelude::*;
use release::release;
use rollback::rollback;
use run::run;
use unit::unit;

struct AppDeploy;

impl ConfigCrate for AppDeploy {
    const NAME: &'static str = "app-deploy";
    const ABOUT: &'static str =
        "Applications: releases that are checked and rolled back, services, environment";
    const CAPABILITIES: Option<Capabilities<Patterns>> = Some(Capabilities {
        paths: &[
            "/srv/**",
            "/etc/app-deploy/**",
            "/usr/local/lib/pallet",
            "/usr/local/lib/pallet/app-deploy",
        ],
        packages: &["curl", "git", "unzip"],
        // an application, its service and its user have any name
        services: &["*"],
        users: &["*"],
        commands: &[
            "sh /usr/local/lib/pallet/app-deploy *",
            "command -v curl",
            "command -v git",
            "command -v unzip",
        ],
        // releases are downloaded from anywhere, and archives are anywhere in the project
        network: &["*"],
        local_files: &["**"],
    });
    const SYSTEMS: &'static [&'static str] = &["debian"];

    fn functions() -> Vec<Function> {
        functions![environment, unit, release, rollback, run]
    }
}

pallet_core::export_crate!(AppDeploy);
