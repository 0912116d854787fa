//! The resolver: name servers, search domains and options, in the place of whatever owns
//! `/etc/resolv.conf`.
#![forbid(unsafe_code)]

mod configure;
mod options;
mod owners;
mod servers;
mod wanted;

use configure::configure;
use pallet_core::prelude::*;

struct Resolver;

impl ConfigCrate for Resolver {
    const NAME: &'static str = "resolver";
    const ABOUT: &'static str = "The resolver: name servers, search domains and options";
    const CAPABILITIES: Option<Capabilities<Patterns>> = Some(Capabilities {
        paths: &[
            "/etc/resolv.conf",
            "/etc/resolvconf/resolv.conf.d",
            "/etc/resolvconf/resolv.conf.d/head",
            "/etc/systemd/resolved.conf.d",
            "/etc/systemd/resolved.conf.d/90-pallet.conf",
            "/etc/NetworkManager/conf.d/90-pallet-dns.conf",
            "/etc/sysconfig/network/config",
            // what the link of systemd-resolved points to
            "/run/systemd/resolve/stub-resolv.conf",
        ],
        services: &["systemd-resolved", "NetworkManager"],
        commands: &[
            owners::IS_RESOLVED,
            owners::IS_RESOLVCONF,
            owners::IS_NETCONFIG,
            owners::IS_OTHER,
            owners::HAS_NETWORK_MANAGER,
            "resolvconf -u",
            "netconfig update -f",
        ],
        ..Capabilities::NOTHING
    });
    const SYSTEMS: &'static [&'static str] =
        &["debian", "ubuntu", "rocky", "opensuse-leap", "arch", "alpine"];

    fn functions() -> Vec<Function> {
        functions![configure]
    }
}

pallet_core::export_crate!(Resolver);
