//! Ports of this machine that are forwarded to nodes.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, TcpListener};

use pallet_core::prelude::*;

/// Below the kernel's range for outgoing connections.
const FIRST: u16 = 20_000;
const LAST: u16 = 32_000;

/// Chooses and reserves a port that no node uses and nobody listens at.
pub(crate) fn choose(taken: &mut BTreeSet<u16>) -> Result<u16> {
    let port = (FIRST..=LAST).find(|port| !taken.contains(port) && is_free(*port));
    let port =
        port.ok_or_else(|| PluginError::failed(format!("no port from {FIRST} to {LAST} is free")))?;
    taken.insert(port);
    Ok(port)
}

/// Whether nobody is listening at the port now.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_a_node_nor_a_listener_loses_its_port() {
        let mut taken = BTreeSet::new();
        let one = choose(&mut taken).unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, one)).unwrap();
        assert!(!is_free(one));
        let other = choose(&mut BTreeSet::new()).unwrap();
        assert_ne!(one, other);
        drop(listener);
        assert_ne!(choose(&mut taken).unwrap(), one);
    }
}
