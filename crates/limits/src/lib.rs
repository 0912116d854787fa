//! Resource limits: of sessions in `/etc/security/limits.d`, and systemd's defaults for services.
#![forbid(unsafe_code)]

mod limit;
mod services;
mod value;

use limit::limit;
use pallet_core::prelude::*;
use services::services;

struct Limits;

impl ConfigCrate for Limits {
    const NAME: &'static str = "limits";
    const ABOUT: &'static str = "Resource limits of sessions and of services";
    const CAPABILITIES: Option<Capabilities<Patterns>> = Some(Capabilities {
        paths: &[
            "/etc/security/limits.d",
            "/etc/security/limits.d/90-pallet-*.conf",
            "/etc/systemd/system.conf.d",
            "/etc/systemd/system.conf.d/90-pallet-limits.conf",
        ],
        commands: &["systemctl daemon-reload"],
        ..Capabilities::NOTHING
    });
    const SYSTEMS: &'static [&'static str] =
        &["debian", "ubuntu", "rocky", "opensuse-leap", "arch"];

    fn functions() -> Vec<Function> {
        functions![limit, services]
    }
}

pallet_core::export_crate!(Limits);
