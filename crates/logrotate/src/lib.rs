//! Log rotation: rules, defaults and the timer of logrotate.
#![forbid(unsafe_code)]

mod defaults;
mod rule;
mod schedule;
mod system;
mod text;

use defaults::defaults;
use pallet_core::prelude::*;
use rule::rule;
use schedule::schedule;

struct Logrotate;

impl ConfigCrate for Logrotate {
    const NAME: &'static str = "logrotate";
    const ABOUT: &'static str = "Log rotation: rules, defaults and the timer of logrotate";
    const CAPABILITIES: Option<Capabilities<Patterns>> = Some(Capabilities {
        paths: &[
            "/etc/logrotate.conf",
            "/etc/logrotate.d",
            "/etc/logrotate.d/*",
            "/etc/systemd/system/logrotate.timer.d",
            "/etc/systemd/system/logrotate.timer.d/pallet.conf",
        ],
        packages: &["logrotate"],
        services: &["logrotate.timer"],
        commands: &["logrotate -d", "systemctl daemon-reload"],
        ..Capabilities::NOTHING
    });
    const SYSTEMS: &'static [&'static str] =
        &["debian", "ubuntu", "rocky", "opensuse-leap", "arch", "alpine"];

    fn functions() -> Vec<Function> {
        functions![install, defaults, rule, schedule]
    }
}

pallet_core::export_crate!(Logrotate);

parameters! {
    /// Installs logrotate. Its package rotates once a day.
    ///
    /// Example: `logrotate.install(request)`
    struct Install {}
}

fn install(request: &mut Request, _: Install) -> Result<()> {
    request.add(Package::install("logrotate"))
}
