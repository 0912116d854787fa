//! SSH keys: the pairs of users and hosts, who may log in with them, and what clients know.
#![forbid(unsafe_code)]

mod authorize;
mod client;
mod home;
mod host_key;
mod key;
mod known_hosts;
mod names;
mod settings;

use authorize::authorize;
use client::client;
use host_key::host_key;
use key::{install_key, key};
use known_hosts::known_hosts;
use names::install;
use pallet_core::prelude::*;
use settings::settings;

struct SshKey;

impl ConfigCrate for SshKey {
    const NAME: &'static str = "ssh-key";
    const ABOUT: &'static str = "SSH keys: of users and of hosts, and who knows whom";
    const CAPABILITIES: Option<Capabilities<Patterns>> = Some(Capabilities {
        paths: &[
            // the home of a user may be anywhere
            "/**/.ssh",
            "/**/.ssh/*",
            "/etc/ssh/ssh_config.d",
            "/etc/ssh/ssh_config.d/*",
            "/etc/ssh/ssh_host_*",
            "/etc/ssh/ssh_known_hosts",
        ],
        packages: &["openssh-client", "openssh-clients", "openssh"],
        services: &["ssh", "sshd"],
        // any user may have keys
        users: &["*"],
        commands: &[
            "ssh-keygen -q -t * -N '' -C * -f *",
            "ssh-keygen -y -P '' -f",
            "ssh-keygen -y -P '' -f * > *",
            "ssh-keygen -y -P '' -f * | cut -d ' ' -f 1,2 | grep -qxF -f - *",
            "ssh -G localhost -F",
        ],
        ..Capabilities::NOTHING
    });
    const SYSTEMS: &'static [&'static str] =
        &["debian", "ubuntu", "rocky", "opensuse-leap", "arch", "alpine"];

    fn functions() -> Vec<Function> {
        functions![settings, install, key, install_key, host_key, authorize, known_hosts, client]
    }
}

pallet_core::export_crate!(SshKey);
