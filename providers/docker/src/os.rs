//! The system of an image, as its os-release tells.

use pallet_core::prelude::{Os, ServiceManager};

/// The system that an os-release describes, for an architecture in the engine's words.
pub(crate) fn of(os_release: &str, arch: &str) -> Os {
    // a container has no service manager but what its command starts, which the node itself tells
    Os {
        service_manager: ServiceManager::Process,
        ..Os::described(os_release, &architecture(arch))
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
    fn an_image_tells_its_system() {
        let os = of("ID=\"rocky\"\nVERSION_ID='9.4'\n", "arm64");
        assert_eq!(
            (os.to_string().as_str(), os.service_manager),
            ("rocky 9.4 (aarch64)", ServiceManager::Process)
        );
    }
}
