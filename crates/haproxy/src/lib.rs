//! The HAProxy load balancer: proxies, TLS, routes, health checks, draining of servers.
#![forbid(unsafe_code)]

mod backend;
mod configuration;
mod drain;
mod frontend;
mod names;
mod proxy;
mod servers;
mod service;
mod settings;
mod stats;
mod tls;

use backend::backend;
use drain::{drain, undrain};
use frontend::frontend;
use pallet_core::prelude::*;
use proxy::proxy;
use service::service;
use settings::settings;
use stats::stats;

struct Haproxy;

impl ConfigCrate for Haproxy {
    const NAME: &'static str = "haproxy";
    const ABOUT: &'static str =
        "The HAProxy load balancer: proxies, TLS, routes, health checks, draining of servers";
    const CAPABILITIES: Option<Capabilities<Patterns>> = Some(Capabilities {
        paths: &[
            "/etc/haproxy/**",
            "/etc/pallet/certificates/*/reload",
            "/etc/pallet/certificates/*/reload/haproxy",
            "/usr/local/lib/pallet",
            "/usr/local/lib/pallet/haproxy-servers",
        ],
        packages: &["haproxy", "socat"],
        services: &["haproxy"],
        users: &["root"],
        commands: &[
            "sh /usr/local/lib/pallet/haproxy-servers *",
            "test -e /usr/local/lib/pallet/haproxy-servers",
        ],
        ..Capabilities::NOTHING
    });
    const SYSTEMS: &'static [&'static str] = &["debian", "ubuntu"];

    fn functions() -> Vec<Function> {
        functions![settings, install, proxy, backend, frontend, stats, drain, undrain, service]
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
