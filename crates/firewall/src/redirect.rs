//! Redirects a port to another one of the node.

use pallet_core::prelude::*;

use super::backend;
use super::kind::{Kind, Presence, Redirection};
use super::rule::{Protocol, check_interface};

parameters! {
    /// Redirects a port to another one, on which a service without root's rights listens. Who
    /// connects to the first port is let in; the other one stays as it is.
    ///
    /// Example: `firewall.redirect(request, 80, 8080)`
    pub(crate) struct Redirect {
        /// Port to which clients connect.
        port: u16,
        /// Port on which the service listens.
        to_port: u16,
        /// Protocol: `tcp` or `udp`.
        #[serde(default = "tcp")]
        protocol: Protocol,
        /// Network interface. Default: all.
        #[serde(default)]
        interface: Option<String>,
        /// Also redirect connections of the node to itself.
        #[serde(default)]
        local: bool,
        /// `present` or `absent`.
        #[serde(default)]
        action: Presence,
    }
}

fn tcp() -> Protocol {
    Protocol::Tcp
}

pub(crate) fn redirect(request: &mut Request, redirect: Redirect) -> Result<()> {
    let Redirect { port, to_port, protocol, interface, local, action } = redirect;
    ensure!(port > 0 && to_port > 0, "0 is not a port");
    ensure!(port != to_port, "port {port} is redirected to itself");
    ensure!(
        matches!(protocol, Protocol::Tcp | Protocol::Udp),
        "a redirection is for tcp or udp; call redirect twice for both"
    );
    if let Some(interface) = &interface {
        check_interface(interface)?;
    }
    let name = format!("{}-{port}", protocol.words()[0]);
    if action == Presence::Absent {
        return backend::remove(request, Kind::Redirect, &name);
    }
    let ssh = super::settings::of(request)?.ssh_ports;
    ensure!(
        protocol == Protocol::Udp || !ssh.contains(&port),
        "port {port} is sshd's, by which Pallet connects; it is not redirected"
    );
    backend::put_redirection(
        request,
        &Redirection { name, port, to_port, protocol, interface, local },
    )
}
