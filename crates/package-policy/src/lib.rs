//! What package managers may change: holds, pins, unattended upgrades.
#![forbid(unsafe_code)]

mod hold;
mod pin;
mod schedule;
mod system;
mod unattended;

use hold::hold;
use pallet_core::prelude::*;
use pin::pin;
use unattended::unattended_upgrades;

struct PackagePolicy;

impl ConfigCrate for PackagePolicy {
    const NAME: &'static str = "package-policy";
    const ABOUT: &'static str =
        "What package managers may change: holds, pins, unattended upgrades";
    const CAPABILITIES: Option<Capabilities<Patterns>> = Some(Capabilities {
        paths: &[
            "/etc/apt/preferences.d",
            "/etc/apt/preferences.d/*.pref",
            "/etc/apt/apt.conf.d/52pallet-unattended-upgrades",
            "/etc/systemd/system/apt-daily.timer.d",
            "/etc/systemd/system/apt-daily.timer.d/pallet.conf",
            "/etc/systemd/system/apt-daily-upgrade.timer.d",
            "/etc/systemd/system/apt-daily-upgrade.timer.d/pallet.conf",
        ],
        packages: &["unattended-upgrades", "python3-dnf-plugin-versionlock"],
        services: &["apt-daily.timer", "apt-daily-upgrade.timer"],
        commands: &[
            "apt-mark hold *",
            "apt-mark unhold *",
            r"dpkg-query -W -f '${db:Status-Want}\n' * | grep -qx hold",
            "dnf -q versionlock add *",
            "dnf -q versionlock delete *",
            "grep -Eqs * /etc/dnf/plugins/versionlock.list",
            "zypper --non-interactive addlock *",
            "zypper --non-interactive removelock *",
            "grep -Eqs * /etc/zypp/locks",
            pin::CHECK,
            unattended::CHECK,
            "systemctl daemon-reload",
        ],
        ..Capabilities::NOTHING
    });
    const SYSTEMS: &'static [&'static str] = &["debian", "ubuntu", "rocky 9", "opensuse-leap"];

    fn functions() -> Vec<Function> {
        functions![hold, pin, unattended_upgrades]
    }
}

pallet_core::export_crate!(PackagePolicy);
