//! The OpenSSH server: settings, who may log in, host keys, hardening.
#![forbid(unsafe_code)]

mod allow;
mod file;
mod hardening;
mod host_key;
mod keyword;
mod names;
mod service;
mod setting;

use allow::allow;
use hardening::hardening;
use host_key::host_key;
use pallet_core::prelude::*;
use service::{install, service};
use setting::{match_block, setting};

struct Sshd;

impl ConfigCrate for Sshd {
    const NAME: &'static str = "sshd";
    const ABOUT: &'static str =
        "The OpenSSH server: settings, who may log in, host keys, hardening";
    const CAPABILITIES: Option<Capabilities<Patterns>> = Some(Capabilities {
        paths: &[
            "/etc/ssh/sshd_config.d",
            "/etc/ssh/sshd_config.d/*",
            "/usr/local/lib/pallet",
            "/usr/local/lib/pallet/sshd-configuration",
        ],
        packages: &["openssh-server", "openssh"],
        services: &["ssh", "sshd"],
        commands: &[
            "ssh-keygen -A",
            "ssh-keygen -q -t * -N '' -C '' -f /etc/ssh/ssh_host_*",
            "sh /usr/local/lib/pallet/sshd-configuration *",
            "grep -Eiqs * /etc/ssh/sshd_config /usr/etc/ssh/sshd_config",
        ],
        ..Capabilities::NOTHING
    });
    const SYSTEMS: &'static [&'static str] =
        &["debian", "ubuntu", "rocky", "opensuse-leap", "arch", "alpine"];

    fn functions() -> Vec<Function> {
        functions![install, setting, match_block, allow, hardening, host_key, service]
    }
}

pallet_core::export_crate!(Sshd);
