//! The system of an image, from its os-release.

use pallet_core::prelude::{Os, ServiceManager};

/// The system described by an os-release, with the engine's name of the architecture.
pub(crate) fn of(os_release: &str, arch: &str) -> Os {
    // whether a container has a service manager depends on its command; the node's facts tell
    Os {
        service_manager: ServiceManager::Process,
        ..Os::described(os_release, &architecture(arch))
    }
}

/// An architecture in the notation of `uname -m`.
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
    fn an_image_tells_its_system() {
        let os = of("ID=\"rocky\"\nVERSION_ID='9.4'\n", "arm64");
        assert_eq!(
            (os.to_string().as_str(), os.service_manager),
            ("rocky 9.4 (aarch64)", ServiceManager::Process)
        );
    }
}
