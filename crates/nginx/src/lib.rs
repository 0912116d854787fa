//! The nginx web server: package, sites, load balancing, service.
#![forbid(unsafe_code)]

mod file;
mod pages;
mod proxy;
mod site;
mod syntax;

use pages::page;
use pallet_core::prelude::*;
use proxy::proxy;
use site::site;

/// The flag that is set when nginx's configuration changed.
const CHANGED: &str = "nginx-configuration";

struct Nginx;

impl ConfigCrate for Nginx {
    const NAME: &'static str = "nginx";
    const ABOUT: &'static str = "The nginx web server: package, sites, load balancing, service";
    const CAPABILITIES: Option<Capabilities<Patterns>> = Some(Capabilities {
        paths: &["/etc/nginx/**"],
        packages: &["nginx"],
        services: &["nginx"],
        commands: &["nginx -t"],
        ..Capabilities::NOTHING
    });
    const SYSTEMS: &'static [&'static str] = &["debian", "ubuntu", "rocky"];

    fn functions() -> Vec<Function> {
        functions![install, site, proxy, page, service]
    }
}

pallet_core::export_crate!(Nginx);

parameters! {
    /// Installs nginx.
    ///
    /// Example: `nginx.install(request)`
    struct Install {}

    /// Makes the service run and start with the node, and reloads it if its configuration changed.
    /// `nginx.site` and `nginx.proxy` call it.
    ///
    /// Example: `nginx.service(request)`
    struct ServiceArguments {}
}

fn install(request: &mut Request, _: Install) -> Result<()> {
    request.add(Package::install("nginx"))
}

fn service(request: &mut Request, _: ServiceArguments) -> Result<()> {
    let check = ExecCheckedScript::new("check nginx's configuration", "nginx -t").only_looks();
    request.add_with(check, Options::new().if_flag(CHANGED))?;
    request.add(Service::start("nginx").enabled(true))?;
    request.add_with(Service::reload("nginx"), Options::new().if_flag(CHANGED))
}
