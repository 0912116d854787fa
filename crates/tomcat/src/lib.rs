//! Apache Tomcat: instances, applications, resources, connectors, users.
#![forbid(unsafe_code)]

mod application;
mod connector;
mod context;
mod element;
mod instance;
mod jvm;
mod program;
mod service;
mod system;
mod user;

use application::application;
use connector::connector;
use context::context;
use instance::instance;
use jvm::jvm;
use pallet_core::prelude::*;
use service::service;
use system::install;
use user::user;

struct Tomcat;

impl ConfigCrate for Tomcat {
    const NAME: &'static str = "tomcat";
    const ABOUT: &'static str =
        "Apache Tomcat: instances, applications, resources, connectors, users";
    const CAPABILITIES: Option<Capabilities<Patterns>> = Some(Capabilities {
        paths: &[
            "/etc/tomcat*",
            "/etc/tomcat*/**",
            "/etc/default/tomcat*",
            "/var/lib/tomcat*",
            "/var/lib/tomcat*/**",
            "/var/log/tomcat*",
            "/var/cache/tomcat*",
            "/usr/share/tomcat*/etc/*",
            // wars on the node
            "/opt/**",
            "/srv/**",
            "/usr/local/lib/pallet",
            "/usr/local/lib/pallet/tomcat",
        ],
        packages: &["tomcat*", "curl"],
        services: &["tomcat*"],
        users: &["tomcat"],
        commands: &["sh /usr/local/lib/pallet/tomcat *", "test -e *"],
        // applications are downloaded from anywhere, and stand anywhere in the project
        network: &["*"],
        local_files: &["**"],
    });
    const SYSTEMS: &'static [&'static str] = &["debian"];

    fn functions() -> Vec<Function> {
        functions![install, instance, jvm, connector, application, context, user, service]
    }
}

pallet_core::export_crate!(Tomcat);
