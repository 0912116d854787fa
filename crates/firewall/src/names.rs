//! What differs between systems.

use pallet_core::prelude::*;

/// The packages on one system; `None`: it has none.
pub(crate) struct Names {
    pub(crate) nftables: &'static str,
    pub(crate) ufw: Option<&'static str>,
    pub(crate) firewalld: &'static [&'static str],
}

const NO_UFW: Names = Names { nftables: "nftables", ufw: None, firewalld: &["firewalld"] };
const ARCH: Names = Names { ufw: Some("ufw"), ..NO_UFW };
// firewalld does not start without the names of protocols, which a small Debian lacks
const DEBIAN: Names = Names { firewalld: &["netbase", "firewalld"], ..ARCH };

pub(crate) const NAMES: SystemTable<Names> =
    SystemTable(&[("debian", DEBIAN), ("red_hat", NO_UFW), ("suse", NO_UFW), ("arch", ARCH)]);
