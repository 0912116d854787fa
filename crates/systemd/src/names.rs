//! What differs between systems.

use pallet_core::prelude::*;

/// The names on one system.
pub(crate) struct Names {
    /// The package of resolved, where it is not a part of systemd's.
    pub(crate) resolved: Option<&'static str>,
}

const SEPARATE: Names = Names { resolved: Some("systemd-resolved") };
const TOGETHER: Names = Names { resolved: None };

pub(crate) const NAMES: SystemTable<Names> = SystemTable(&[
    ("debian 11", TOGETHER),
    ("ubuntu 20.04", TOGETHER),
    ("ubuntu 22.04", TOGETHER),
    ("debian", SEPARATE),
    ("rocky 8", TOGETHER),
    ("red_hat", SEPARATE),
    ("suse", SEPARATE),
    ("arch", TOGETHER),
]);
