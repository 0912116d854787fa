//! Node.js: the runtime, packages, projects, applications.
#![forbid(unsafe_code)]

mod application;
mod install;
mod package;
mod program;
mod project;
mod system;

use application::application;
use install::install;
use package::package;
use pallet_core::prelude::*;
use project::project;

struct Nodejs;

impl ConfigCrate for Nodejs {
    const NAME: &'static str = "nodejs";
    const ABOUT: &'static str = "Node.js: the runtime, packages, projects, applications";
    const REQUIRES: &'static [(&'static str, &'static str)] = &[("app-deploy", "^0.1")];
    const CAPABILITIES: Option<Capabilities<Patterns>> = Some(Capabilities {
        paths: &[
            "/usr/local/lib/nodejs",
            "/usr/local/lib/nodejs/**",
            "/usr/local/bin/node",
            "/usr/local/bin/npm",
            "/usr/local/bin/npx",
            "/usr/local/lib/pallet",
            "/usr/local/lib/pallet/nodejs",
        ],
        packages: &["nodejs*", "npm*", "nodesource", "xz", "xz-utils", "ca-certificates"],
        commands: &["sh /usr/local/lib/pallet/nodejs *", "true"],
        // releases may come from a mirror
        network: &["*"],
        ..Capabilities::NOTHING
    });
    const SYSTEMS: &'static [&'static str] = &["debian"];

    fn functions() -> Vec<Function> {
        functions![install, package, project, application]
    }
}

pallet_core::export_crate!(Nodejs);
