//! What differs between systems: how a package is held at its version.

use pallet_core::prelude::*;

/// How a system holds packages. `*` stands for the quoted name of a package.
pub(crate) struct System {
    /// The package that brings the commands, if none is there by itself.
    pub(crate) package: Option<&'static str>,
    pub(crate) hold: &'static str,
    pub(crate) release: &'static str,
    pub(crate) is_held: Held,
}

/// How to find out whether a package is held.
pub(crate) enum Held {
    /// A command that prints a line that is the name.
    Line(&'static str),
    /// A command, and what stands before and after the name in a line of it, as an expression.
    Matches(&'static str, &'static str, &'static str),
}

pub(crate) const SYSTEMS: SystemTable<System> = SystemTable(&[
    (
        "debian",
        System {
            package: None,
            hold: "apt-mark hold",
            release: "apt-mark unhold",
            is_held: Held::Line("apt-mark showhold"),
        },
    ),
    (
        "red_hat",
        System {
            package: Some("python3-dnf-plugin-versionlock"),
            hold: "dnf -q versionlock add",
            release: "dnf -q versionlock delete",
            // `bed-alpha-0:1.0-1.el9.*`
            is_held: Held::Matches("dnf -q versionlock list", "^!?", "-[0-9]+:"),
        },
    ),
    (
        "suse",
        System {
            package: None,
            hold: "zypper --non-interactive addlock",
            release: "zypper --non-interactive removelock",
            // `1 | bed-alpha | package | (any)`
            is_held: Held::Matches("zypper locks", "^[0-9]+ +\\| +", " +\\| "),
        },
    ),
]);
