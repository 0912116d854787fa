//! What differs between systems, and the package of the client.

use pallet_core::prelude::*;

/// The names on one system.
pub(crate) struct Names {
    pub(crate) client: &'static str,
    /// The service of sshd.
    pub(crate) service: &'static str,
}

pub(crate) const NAMES: SystemTable<Names> = SystemTable(&[
    ("debian", Names { client: "openssh-client", service: "ssh" }),
    ("red_hat", Names { client: "openssh-clients", service: "sshd" }),
    ("suse", Names { client: "openssh-clients", service: "sshd" }),
    ("arch", Names { client: "openssh", service: "sshd" }),
    ("alpine", Names { client: "openssh-client", service: "sshd" }),
]);

parameters! {
    /// Installs ssh and ssh-keygen.
    ///
    /// Example: `ssh_key.install(request)`
    pub(crate) struct Install {}
}

pub(crate) fn install(request: &mut Request, _: Install) -> Result<()> {
    let package = NAMES.row(&request.target()?.os)?.client;
    request.add(Package::install(package))
}
