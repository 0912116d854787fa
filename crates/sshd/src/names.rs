//! What differs between systems.

use pallet_core::prelude::*;

/// The names on one system.
pub(crate) struct Names {
    pub(crate) package: &'static str,
    pub(crate) service: &'static str,
}

pub(crate) const NAMES: SystemTable<Names> = SystemTable(&[
    ("debian", Names { package: "openssh-server", service: "ssh" }),
    ("red_hat", Names { package: "openssh-server", service: "sshd" }),
    ("suse", Names { package: "openssh-server", service: "sshd" }),
    ("arch", Names { package: "openssh", service: "sshd" }),
    ("alpine", Names { package: "openssh-server", service: "sshd" }),
]);
