//! What differs between systems.

use pallet_core::prelude::*;

/// The packages on one system; `None`: it has none.
pub(crate) struct Names {
    pub(crate) nftables: &'static str,
    pub(crate) ufw: Option<&'static str>,
    pub(crate) firewalld: &'static str,
}

const UFW: Names = Names { nftables: "nftables", ufw: Some("ufw"), firewalld: "firewalld" };
const NO_UFW: Names = Names { nftables: "nftables", ufw: None, firewalld: "firewalld" };

pub(crate) const NAMES: SystemTable<Names> =
    SystemTable(&[("debian", UFW), ("red_hat", NO_UFW), ("suse", NO_UFW), ("arch", UFW)]);
