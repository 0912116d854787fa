//! The firewall: policies, open ports, redirections and throttles, with nftables, ufw or firewalld.
#![forbid(unsafe_code)]

mod address;
mod allow;
mod backend;
mod firewalld;
mod kind;
mod names;
mod nftables;
mod policy;
mod redirect;
mod rule;
mod settings;
mod throttle;
mod ufw;

use allow::{allow, deny};
use pallet_core::prelude::*;
use policy::{install, policy, service};
use redirect::redirect;
use settings::settings;
use throttle::throttle;

struct Firewall;

impl ConfigCrate for Firewall {
    const NAME: &'static str = "firewall";
    const ABOUT: &'static str =
        "The firewall: policies, open ports, redirections, throttles (nftables, ufw, firewalld)";
    const CAPABILITIES: Option<Capabilities<Patterns>> = Some(Capabilities {
        paths: &[
            "/etc/nftables/pallet.nft",
            "/etc/nftables/pallet.d",
            "/etc/nftables/pallet.d/*",
            "/etc/ufw/pallet.d",
            "/etc/ufw/pallet.d/*",
            "/etc/firewalld/policies",
            "/etc/firewalld/policies/pallet-*",
            "/usr/local/lib/pallet",
            "/usr/local/lib/pallet/firewall-*",
        ],
        packages: &["nftables", "ufw", "firewalld", "netbase"],
        services: &["pallet-firewall", "ufw", "firewalld"],
        commands: &[
            "sh /usr/local/lib/pallet/firewall-nftables *",
            "sh /usr/local/lib/pallet/firewall-ufw *",
            "sh /usr/local/lib/pallet/firewall-firewalld *",
        ],
        ..Capabilities::NOTHING
    });
    const SYSTEMS: &'static [&'static str] =
        &["debian", "ubuntu", "rocky", "opensuse-leap", "arch"];

    fn functions() -> Vec<Function> {
        functions![settings, install, policy, allow, deny, redirect, throttle, service]
    }
}

pallet_core::export_crate!(Firewall);
