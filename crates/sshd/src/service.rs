//! The package, the service, and the flag that reloads it.

use pallet_core::prelude::*;

use super::names::NAMES;

/// The flag that is set when sshd's configuration changed.
pub(crate) const CHANGED: &str = "sshd-configuration";

parameters! {
    /// Installs sshd. A node without host keys makes some.
    ///
    /// Example: `sshd.install(request)`
    pub(crate) struct Install {}

    /// Makes sshd run and start with the node, and reloads it if its configuration changed.
    /// Call it after all other functions, so that it is reloaded once.
    /// Connections that are open stay so.
    ///
    /// Example: `sshd.service(request)`
    pub(crate) struct ServiceArguments {}
}

pub(crate) fn install(request: &mut Request, _: Install) -> Result<()> {
    let names = NAMES.row(&request.target()?.os)?;
    request.add(Package::install(names.package))?;
    // images are often made without host keys
    request.add(
        ExecCheckedScript::new("make host keys", "ssh-keygen -A")
            .creates("/etc/ssh/ssh_host_ed25519_key"),
    )
}

pub(crate) fn service(request: &mut Request, _: ServiceArguments) -> Result<()> {
    let service = NAMES.row(&request.target()?.os)?.service;
    request.add(Service::start(service).enabled(true))?;
    request.add_with(Service::reload(service), Options::new().if_flag(CHANGED))
}
