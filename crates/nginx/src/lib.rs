//! The nginx web server: sites with TLS, redirects, load balancing, passwords, service.
#![forbid(unsafe_code)]

mod access;
mod drain;
mod file;
mod location;
mod names;
mod pages;
mod program;
mod proxy;
mod redirect;
mod server_block;
mod servers;
mod service;
mod site;
mod stream;
mod syntax;
mod tls;
mod upstream;

use access::basic_auth;
use drain::{drain, undrain};
use location::location;
use pages::page;
use pallet_core::prelude::*;
use proxy::proxy;
use redirect::redirect;
use service::service;
use site::site;
use stream::stream;
use upstream::upstream;

struct Nginx;

impl ConfigCrate for Nginx {
    const NAME: &'static str = "nginx";
    const ABOUT: &'static str =
        "The nginx web server: sites with TLS, redirects, load balancing, passwords, service";
    const CAPABILITIES: Option<Capabilities<Patterns>> = Some(Capabilities {
        paths: &[
            "/etc/nginx/**",
            "/etc/pallet/certificates/*/reload",
            "/etc/pallet/certificates/*/reload/nginx",
            "/usr/local/lib/pallet",
            "/usr/local/lib/pallet/nginx-servers",
            "/usr/local/lib/pallet/nginx-users",
        ],
        packages: &["nginx", "libnginx-mod-stream", "nginx-mod-stream", "openssl"],
        services: &["nginx"],
        users: &["root"],
        commands: &[
            "nginx -t",
            "sh /usr/local/lib/pallet/nginx-servers *",
            "test -e /usr/local/lib/pallet/nginx-servers",
            "sh /usr/local/lib/pallet/nginx-users *",
        ],
        ..Capabilities::NOTHING
    });
    const SYSTEMS: &'static [&'static str] = &["debian", "ubuntu", "rocky", "alpine"];

    fn functions() -> Vec<Function> {
        functions![
            install, site, location, redirect, proxy, upstream, stream, basic_auth, drain, undrain,
            page, service
        ]
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
