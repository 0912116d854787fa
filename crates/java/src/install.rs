//! Installs Java.

use pallet_core::prelude::*;

use super::system::{Kind, java};

parameters! {
    /// Installs OpenJDK from the packages of the system.
    ///
    /// Several versions can be installed; the system's own tool (`update-alternatives`) decides
    /// which one is `java`.
    ///
    /// Example: `java.install(request, version = 21, kind = "jdk")`
    pub(crate) struct Install {
        /// Version, such as 21. Default: that of the distribution.
        #[serde(default)]
        version: Option<u32>,
        /// `jre` to run programs, `jdk` to compile them too.
        #[serde(default)]
        kind: Kind,
        /// Without what graphical programs need.
        #[serde(default = "yes")]
        headless: bool,
    }
}

fn yes() -> bool {
    true
}

pub(crate) fn install(request: &mut Request, install: Install) -> Result<()> {
    let os = request.target()?.os;
    let java = java(&os, install.version, install.kind, install.headless)?;
    request.add(Package::install(java.package))
}

#[cfg(test)]
mod tests {
    use super::super::Java;
    use super::*;

    #[test]
    fn each_system_gets_its_package() {
        for (system, package) in [
            ("debian 13", "package openjdk-21-jre-headless"),
            ("rocky 9.4", "package java-17-openjdk-headless"),
        ] {
            let mut recorder = Recorder::<Java>::on(system);
            recorder.call("install", json!({})).unwrap();
            assert_eq!(recorder.declared(), [package]);
        }
    }
}
