//! What differs between systems: names and files of chrony, and the file of the keyboard.

use pallet_core::prelude::*;

/// A system's names and files.
#[derive(Debug)]
pub(crate) struct System {
    pub(crate) service: &'static str,
    pub(crate) configuration: &'static str,
    pub(crate) drift: &'static str,
    /// The file with the command line of chronyd, the variable in it, and what it has by itself.
    pub(crate) arguments: (&'static str, &'static str, &'static str),
    pub(crate) keyboard: Keyboard,
}

/// Who sets the keyboard of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keyboard {
    /// `/etc/default/keyboard`, and console-setup.
    ConsoleSetup,
    /// `/etc/vconsole.conf`, and systemd.
    Vconsole,
}

pub(crate) const SYSTEMS: SystemTable<System> = SystemTable(&[
    (
        "debian",
        System {
            service: "chrony",
            configuration: "/etc/chrony/chrony.conf",
            drift: "/var/lib/chrony/chrony.drift",
            arguments: ("/etc/default/chrony", "DAEMON_OPTS", "-F 1"),
            keyboard: Keyboard::ConsoleSetup,
        },
    ),
    (
        "red_hat",
        System {
            service: "chronyd",
            configuration: "/etc/chrony.conf",
            drift: "/var/lib/chrony/drift",
            arguments: ("/etc/sysconfig/chronyd", "OPTIONS", "-F 2"),
            keyboard: Keyboard::Vconsole,
        },
    ),
    (
        "suse",
        System {
            service: "chronyd",
            configuration: "/etc/chrony.conf",
            drift: "/var/lib/chrony/drift",
            arguments: ("/etc/sysconfig/chronyd", "OPTIONS", ""),
            keyboard: Keyboard::Vconsole,
        },
    ),
    (
        "arch",
        System {
            service: "chronyd",
            configuration: "/etc/chrony.conf",
            drift: "/var/lib/chrony/drift",
            arguments: ("/etc/sysconfig/chronyd", "OPTIONS", ""),
            keyboard: Keyboard::Vconsole,
        },
    ),
]);

pub(crate) fn system(request: &Request) -> Result<&'static System> {
    SYSTEMS.row(&request.target()?.os)
}
