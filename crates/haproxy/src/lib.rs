//! The HAProxy load balancer: proxies, health checks, draining of servers.
#![forbid(unsafe_code)]

mod configuration;
mod drain;
mod names;
mod proxy;
mod servers;
mod service;

use drain::{drain, undrain};
use pallet_core::prelude::*;
use proxy::proxy;
use service::service;

struct Haproxy;

impl ConfigCrate for Haproxy {
    const NAME: &'static str = "haproxy";
    const ABOUT: &'static str =
        "The HAProxy load balancer: proxies, health checks, draining of servers";
    const CAPABILITIES: Option<Capabilities<Patterns>> = Some(Capabilities {
        paths: &[
            "/etc/haproxy/**",
            "/usr/local/lib/pallet",
            "/usr/local/lib/pallet/haproxy-servers",
        ],
        packages: &["haproxy", "socat"],
        services: &["haproxy"],
        commands: &[
            "sh /usr/local/lib/pallet/haproxy-servers *",
            "test -e /usr/local/lib/pallet/haproxy-servers",
        ],
        ..Capabilities::NOTHING
    });
    const SYSTEMS: &'static [&'static str] = &["debian"];

    fn functions() -> Vec<Function> {
        functions![install, proxy, service, drain, undrain]
    }
}

pallet_core::export_crate!(Haproxy);

parameters! {
    /// Installs HAProxy, and socat, which talks to it.
    ///
    /// Example: `haproxy.install(request)`
    struct Install {}
}

fn install(request: &mut Request, _: Install) -> Result<()> {
    request.add(Package::install("haproxy"))?;
    request.add(Package::install("socat"))
}
