//! The system of an image, as its os-release tells.

use pallet_core::prelude::{Os, OsFamily, ServiceManager};

/// Where it is, the place that is never a link first.
pub(crate) const FILES: [&str; 2] = ["usr/lib/os-release", "etc/os-release"];

/// The system that an os-release describes, for an architecture in the engine's words.
pub(crate) fn of(os_release: &str, arch: &str) -> Os {
    let value = |key: &str| {
        let line = os_release.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        line.map(|value| value.trim().trim_matches(['"', '\'']).to_owned()).unwrap_or_default()
    };
    let id = value("ID");
    let family = OsFamily::of(&id, &value("ID_LIKE"));
    Os {
        id,
        version: value("VERSION_ID"),
        family,
        arch: architecture(arch),
        package_manager: family.package_manager(),
        // a container has none but what its command starts, which the node itself tells
        service_manager: ServiceManager::Process,
    }
}

/// An architecture as `uname -m` says it.
pub(crate) fn architecture(name: &str) -> String {
    match name {
        "amd64" => "x86_64",
        "arm64" => "aarch64",
        "386" => "i686",
        "arm" => "armv7l",
        same => same,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_os_release_is_read() {
        let os = of("NAME=\"Rocky\"\nID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\nVERSION_ID='9.4'\n", "arm64");
        assert_eq!((os.id.as_str(), os.version.as_str(), os.family, os.arch.as_str()), ("rocky", "9.4", OsFamily::RedHat, "aarch64"));
        assert_eq!(of("ID=alpine\n", "amd64").version, "");
    }
}
