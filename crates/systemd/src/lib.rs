//! systemd: units, drop-ins, timers, and the settings of journald and resolved.
#![forbid(unsafe_code)]

mod drop_in;
mod journald;
mod manager;
mod mask;
mod names;
mod resolved;
mod settings_file;
mod text;
mod timer;
mod unit;
mod verify;

use drop_in::drop_in;
use journald::journald;
use mask::mask;
use pallet_core::prelude::*;
use resolved::resolved;
use timer::timer;
use unit::unit;

struct Systemd;

impl ConfigCrate for Systemd {
    const NAME: &'static str = "systemd";
    const ABOUT: &'static str = "systemd: units, drop-ins, timers, journald, resolved";
    const CAPABILITIES: Option<Capabilities<Patterns>> = Some(Capabilities {
        paths: &[
            "/etc/systemd/**",
            "/var/lib/pallet/units/**",
            "/usr/local/lib/pallet",
            "/usr/local/lib/pallet/systemd-verify",
            // the target of the link of a masked unit
            "/dev/null",
        ],
        packages: &["systemd-resolved"],
        // a unit may have any name
        services: &["*"],
        commands: &[
            "sh /usr/local/lib/pallet/systemd-verify *",
            "systemctl daemon-reload",
            "systemctl unmask -- *",
            "ln -sfn ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf",
            "readlink /etc/resolv.conf | grep -q '/run/systemd/resolve/stub-resolv.conf$'",
            "readlink /etc/systemd/system/* | grep -qx /dev/null",
        ],
        ..Capabilities::NOTHING
    });
    const SYSTEMS: &'static [&'static str] =
        &["debian", "ubuntu", "rocky", "opensuse-leap", "arch"];

    fn functions() -> Vec<Function> {
        functions![unit, drop_in, timer, mask, journald, resolved]
    }
}

pallet_core::export_crate!(Systemd);
