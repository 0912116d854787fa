//! What differs between systems: where the package of restic comes from.

use pallet_core::prelude::*;

/// A system's package.
pub(crate) struct System {
    pub(crate) package: &'static str,
    /// The well-known repository that has it, if not the distribution.
    pub(crate) repository: Option<&'static str>,
}

pub(crate) const SYSTEMS: SystemTable<System> = SystemTable(&[
    ("debian", System { package: "restic", repository: None }),
    ("red_hat", System { package: "restic", repository: Some("epel") }),
    ("suse", System { package: "restic", repository: None }),
    ("arch", System { package: "restic", repository: None }),
]);
