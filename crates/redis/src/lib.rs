//! Redis and Valkey: settings, passwords, replicas, sentinels.
#![forbid(unsafe_code)]

mod names;
mod password;
mod program;
mod replica;
mod sentinel;
mod service;
mod setting;
mod settings;

use pallet_core::prelude::*;
use password::password;
use replica::replica;
use sentinel::sentinel;
use service::service;
use setting::setting;
use settings::settings;

struct Redis;

impl ConfigCrate for Redis {
    const NAME: &'static str = "redis";
    const ABOUT: &'static str = "Redis and Valkey: settings, passwords, replicas, sentinels";
    const CAPABILITIES: Option<Capabilities<Patterns>> = Some(Capabilities {
        paths: &[
            "/etc/redis-sentinel.conf",
            "/etc/redis/sentinel.conf",
            "/etc/valkey/sentinel.conf",
            "/etc/pallet/redis/**",
            "/etc/pallet/valkey/**",
            "/usr/local/lib/pallet",
            "/usr/local/lib/pallet/redis-settings",
        ],
        packages: &[
            "redis",
            "redis-server",
            "redis-sentinel",
            "valkey",
            "valkey-server",
            "valkey-sentinel",
        ],
        services: &[
            "redis",
            "redis-server",
            "redis-sentinel",
            "valkey",
            "valkey-server",
            "valkey-sentinel",
        ],
        users: &["root"],
        commands: &["sh /usr/local/lib/pallet/redis-settings *"],
        ..Capabilities::NOTHING
    });
    const SYSTEMS: &'static [&'static str] =
        &["debian 12", "debian 13", "ubuntu", "rocky 9", "fedora", "arch"];

    fn functions() -> Vec<Function> {
        functions![settings, install, setting, password, replica, sentinel, service]
    }
}

pallet_core::export_crate!(Redis);

parameters! {
    /// Installs the server: Redis, or Valkey if `redis.settings` says so.
    ///
    /// Example: `redis.install(request)`
    struct Install {}
}

fn install(request: &mut Request, _: Install) -> Result<()> {
    let settings::Own { names, port } = settings::own(request)?;
    request.add(Package::install(names.package))?;
    if port == settings::default_port() {
        program::install(request)?;
        return program::render(request);
    }
    program::put(request, "port.conf", Some(format!("port {port}\n")))
}
