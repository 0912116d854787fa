//! The nginx web server: package, sites, load balancing, service.
#![forbid(unsafe_code)]

mod drain;
mod file;
mod pages;
mod proxy;
mod servers;
mod service;
mod site;
mod syntax;

use drain::{drain, undrain};
use pages::page;
use pallet_core::prelude::*;
use proxy::proxy;
use service::service;
use site::site;

struct Nginx;

impl ConfigCrate for Nginx {
    const NAME: &'static str = "nginx";
    const ABOUT: &'static str = "The nginx web server: package, sites, load balancing, service";
    const CAPABILITIES: Option<Capabilities<Patterns>> = Some(Capabilities {
        paths: &["/etc/nginx/**", "/usr/local/lib/pallet", "/usr/local/lib/pallet/nginx-servers"],
        packages: &["nginx"],
        services: &["nginx"],
        commands: &[
            "nginx -t",
            "sh /usr/local/lib/pallet/nginx-servers *",
            "test -e /usr/local/lib/pallet/nginx-servers",
        ],
        ..Capabilities::NOTHING
    });
    const SYSTEMS: &'static [&'static str] = &["debian", "ubuntu", "rocky"];

    fn functions() -> Vec<Function> {
        functions![install, site, proxy, drain, undrain, page, service]
    }
}

pallet_core::export_crate!(Nginx);

parameters! {
    /// Installs nginx.
    ///
    /// Example: `nginx.install(request)`
    struct Install {}
}

fn install(request: &mut Request, _: Install) -> Result<()> {
    request.add(Package::install("nginx"))
}
