//! What differs between systems: how a package is held at its version.

use pallet_core::prelude::*;

/// How a system holds packages.
pub(crate) struct System {
    /// The package that brings the commands, if none is there by itself.
    pub(crate) package: Option<&'static str>,
    pub(crate) hold: &'static str,
    pub(crate) release: &'static str,
    pub(crate) is_held: Held,
}

/// How to find out whether a package is held, without the package manager: that would write its
/// caches.
pub(crate) enum Held {
    /// dpkg knows.
    Dpkg,
    /// A line of a file, as an expression: what stands before the name and after it.
    Line(&'static str, &'static str, &'static str),
}

pub(crate) const SYSTEMS: SystemTable<System> = SystemTable(&[
    (
        "debian",
        System {
            package: None,
            hold: "apt-mark hold",
            release: "apt-mark unhold",
            is_held: Held::Dpkg,
        },
    ),
    (
        "red_hat",
        System {
            package: Some("python3-dnf-plugin-versionlock"),
            hold: "dnf -q versionlock add",
            release: "dnf -q versionlock delete",
            // `nginx-1:1.20.1-14.el9.*`
            is_held: Held::Line("^!?", "-[0-9]+:", "/etc/dnf/plugins/versionlock.list"),
        },
    ),
    (
        "suse",
        System {
            package: None,
            hold: "zypper --non-interactive addlock",
            release: "zypper --non-interactive removelock",
            is_held: Held::Line("^solvable_name: ", "$", "/etc/zypp/locks"),
        },
    ),
]);
