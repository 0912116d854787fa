//! Java: OpenJDK, keystores, trusted certificates, JAVA_HOME.
#![forbid(unsafe_code)]

mod environment;
mod install;
mod keystore;
mod program;
mod system;
mod trust;

use environment::{environment, home};
use install::install;
use keystore::keystore;
use pallet_core::prelude::*;
use trust::trust;

struct Java;

impl ConfigCrate for Java {
    const NAME: &'static str = "java";
    const ABOUT: &'static str = "Java: OpenJDK, keystores, trusted certificates, JAVA_HOME";
    const CAPABILITIES: Option<Capabilities<Patterns>> = Some(Capabilities {
        paths: &[
            "/etc/environment",
            "/etc/profile.d/java.sh",
            "/usr/local/lib/pallet",
            "/usr/local/lib/pallet/java",
        ],
        packages: &["openjdk*", "java-*", "jre*", "jdk*", "openssl"],
        commands: &["sh /usr/local/lib/pallet/java *"],
        ..Capabilities::NOTHING
    });
    const SYSTEMS: &'static [&'static str] = &["debian"];

    fn functions() -> Vec<Function> {
        functions![install, home, environment, keystore, trust]
    }
}

pallet_core::export_crate!(Java);
