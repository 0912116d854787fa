//! The network of nodes: a bridge on the machine, a veth pair (a "cable") from it to each node, and
//! access to the outside.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::net::Ipv4Addr;
use std::os::fd::AsFd;

use pallet_core::prelude::*;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::linux::netlink::{Filter, Link, Route, Routing};
use crate::linux::store::Record;

const FORWARD: &str = "/proc/sys/net/ipv4/ip_forward";

/// The prefix of the bridge's alias, followed by the original value of `ip_forward`. The alias
/// exists as long as the bridge, so no file is needed.
const BRIDGE_ALIAS: &str = "pallet: ip_forward was ";
/// The prefix of the alias of a cable's device on the machine, followed by the node's address.
const CABLE_ALIAS: &str = "pallet: ";

/// The network options.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Network {
    pub(crate) bridge: String,
    base: u32,
    prefix: u8,
}

/// The current state of the bridge.
pub(crate) struct Bridge {
    index: u32,
    mtu: u32,
    /// Why nodes have no access to the outside, if so.
    pub(crate) isolated: Option<String>,
}

impl Network {
    /// Parses a network such as `10.213.0.0/16`.
    pub(crate) fn new(network: &str, bridge: &str) -> Result<Network> {
        let bad = |message: String| PluginError::invalid_input(message);
        let parsed = network.split_once('/').and_then(|(address, prefix)| {
            let (address, prefix) = (address.parse::<Ipv4Addr>().ok()?, prefix.parse::<u8>().ok()?);
            (prefix <= 32).then_some((address, prefix))
        });
        let Some((address, prefix)) = parsed else {
            return Err(bad(format!(
                "option `network`: `{network}` is not an IPv4 network, such as 10.213.0.0/16"
            ))
            .into());
        };
        if !(8..=29).contains(&prefix) {
            let message =
                format!("option `network`: `{network}` is not between /8 and /29 in size");
            return Err(bad(message).into());
        }
        // "this" network, loopback, multicast and reserved addresses: the kernel does not allow
        // them for nodes
        if matches!(address.octets(), [0 | 127 | 224.., ..]) {
            let message = format!("option `network`: `{network}` has no addresses for machines");
            return Err(bad(message).with_help("use a private network like 10.213.0.0/16").into());
        }
        let base = address.to_bits() & mask(prefix);
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if !(1..=15).contains(&bridge.len()) || !bridge.bytes().all(plain) {
            return Err(bad(format!(
                "option `bridge`: `{bridge}` cannot be the name of a network device"
            ))
            .into());
        }
        Ok(Network { bridge: bridge.to_owned(), base, prefix })
    }

    /// The machine's address in it.
    pub(crate) fn gateway(&self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.base + 1)
    }

    fn contains(&self, address: Ipv4Addr) -> bool {
        address.to_bits() & mask(self.prefix) == self.base
    }

    fn overlaps(&self, route: &Route) -> bool {
        let shorter = mask(route.prefix.min(self.prefix));
        route.prefix > 0 && route.destination.to_bits() & shorter == self.base & shorter
    }

    /// Creates the bridge, or missing parts of it, and gives it access to the outside if the
    /// machine has any.
    pub(crate) fn ensure(&self) -> Result<Bridge> {
        let mut routing = Routing::open().context("cannot talk to the kernel's routing")?;
        let routes = routing.routes().context("cannot read routes")?;
        let outside = routes.iter().find(|route| route.prefix == 0 && route.main);
        let link = match routing.link(&self.bridge)? {
            Some(link) => link,
            None => self.make_bridge(&mut routing, &routes)?,
        };
        if link.kind != "bridge" {
            let message =
                format!("provider sandbox: the network device {} is not a bridge", self.bridge);
            return Err(PluginError::invalid_input(message)
                .with_help("set its option `bridge` to another name")
                .into());
        }
        let addresses = routing.addresses(link.index).context("cannot read addresses")?;
        if let Some(other) = addresses.iter().find(|address| **address != self.gateway()) {
            let message = format!(
                "provider sandbox: bridge {} has address {other}, not {}",
                self.bridge,
                self.gateway()
            );
            return Err(PluginError::invalid_input(message)
                .with_help("set its option `bridge` to another name")
                .into());
        }
        if link.alias.is_empty() {
            let before = fs::read_to_string(FORWARD).unwrap_or_default();
            routing
                .set_alias(link.index, &format!("{BRIDGE_ALIAS}{}", before.trim()))
                .context("cannot mark the bridge")?;
        }
        if addresses.is_empty() {
            routing
                .add_address(link.index, self.gateway(), self.prefix)
                .context("cannot give the bridge its address")?;
        }
        routing.set_up(link.index).context("cannot start the bridge")?;
        let isolated = match outside {
            None => Some("the machine has no route to the outside".to_owned()),
            Some(_) => self.open_outside().err().map(|error| format!("{error:#}")),
        };
        // packets larger than the MTU of the machine's outside link would be lost; the bridge takes
        // the MTU of its ports
        let links = routing.links()?;
        let outer =
            outside.and_then(|route| links.iter().find(|link| Some(link.index) == route.link));
        let mtu = outer.map_or(1500, |link| link.mtu.clamp(576, 1500));
        Ok(Bridge { index: link.index, mtu, isolated })
    }

    fn make_bridge(&self, routing: &mut Routing, routes: &[Route]) -> Result<Link> {
        if let Some(route) = routes.iter().find(|route| self.overlaps(route)) {
            let network = format!("{}/{}", Ipv4Addr::from_bits(self.base), self.prefix);
            let message = format!(
                "provider sandbox: its network {network} overlaps {}/{} of this machine",
                route.destination, route.prefix
            );
            return Err(PluginError::invalid_input(message)
                .with_help("set its option `network` to another network")
                .into());
        }
        // without a fixed hardware address, the bridge would use that of its lowest port, and
        // change it with its ports
        routing
            .add_bridge(&self.bridge, hardware_address(self.gateway()))
            .context("cannot make the bridge")?;
        routing.link(&self.bridge)?.context("the new bridge does not exist")
    }

    fn open_outside(&self) -> Result<()> {
        if fs::read_to_string(FORWARD)?.trim() == "0" {
            fs::write(FORWARD, "1\n").context("ip_forward cannot be changed")?;
        }
        let mut filter = Filter::open().context("the kernel has no nf_tables")?;
        filter
            .masquerade(&self.bridge, Ipv4Addr::from_bits(self.base), self.prefix)
            .context("nf_tables cannot translate addresses")?;
        filter
            .open_forwarding(&self.bridge)
            .context("nf_tables cannot let nodes through the firewall")
    }

    /// Connects the node with the first process `pid`.
    pub(crate) fn connect(&self, bridge: &Bridge, record: &Record, pid: u32) -> Result<()> {
        let mut routing = Routing::open()?;
        self.disconnect(&record.device)?;
        routing
            .add_veth(
                &record.device,
                bridge.index,
                bridge.mtu,
                "eth0",
                hardware_address(record.address),
                pid,
            )
            .with_context(|| format!("cannot make the network device {}", record.device))?;
        let link =
            routing.link(&record.device)?.context("the new network device does not exist")?;
        routing.set_alias(link.index, &format!("{CABLE_ALIAS}{}", record.address))?;

        let namespace =
            File::open(format!("/proc/{pid}/ns/net")).context("its network namespace is gone")?;
        let (address, prefix) = (record.address, self.prefix);
        let gateway = bridge.isolated.is_none().then(|| self.gateway());
        // only this thread enters the namespace, and it ends there
        let inside = std::thread::spawn(move || {
            move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
            inside_node(address, prefix, gateway)
        });
        inside
            .join()
            .map_err(|_| anyhow!("the thread in its network panicked"))?
            .context("cannot set up its network")?;
        routing.set_up(link.index).context("cannot connect its network")
    }

    /// Removes a node's network device, if it exists.
    pub(crate) fn disconnect(&self, device: &str) -> Result<()> {
        let mut routing = Routing::open()?;
        if let Some(link) = routing.link(device)? {
            match routing.delete_link(link.index) {
                Err(error)
                    if error.raw_os_error() != Some(rustix::io::Errno::NODEV.raw_os_error()) =>
                {
                    return Err(error)
                        .with_context(|| format!("cannot remove the network device {device}"));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// A free address: neither in `taken` nor used by a cable of the bridge.
    pub(crate) fn free_address(&self, taken: &BTreeSet<Ipv4Addr>) -> Result<Ipv4Addr> {
        let connected: BTreeSet<_> =
            self.cables()?.into_iter().map(|(_, address)| address).collect();
        let last = self.base | !mask(self.prefix);
        let free = (self.base + 2..last)
            .map(Ipv4Addr::from_bits)
            .find(|one| !taken.contains(one) && !connected.contains(one));
        free.ok_or_else(|| {
            PluginError::failed(format!("bridge {} has no free address", self.bridge)).into()
        })
    }

    /// Whether a node can keep its previous address.
    pub(crate) fn can_have(&self, record: &Record) -> Result<bool> {
        // its own cable may still exist: the kernel removes it some time after the node's last
        // process
        let others: Vec<_> =
            self.cables()?.into_iter().filter(|(device, _)| *device != record.device).collect();
        Ok(self.contains(record.address)
            && others.iter().all(|(_, address)| *address != record.address))
    }

    /// The bridge's cables with their nodes' addresses; these nodes may belong to other data
    /// directories.
    fn cables(&self) -> Result<Vec<(String, Ipv4Addr)>> {
        let mut routing = Routing::open()?;
        let links = routing.links()?;
        let bridge = links.iter().find(|link| link.name == self.bridge).map(|link| link.index);
        let ports = links.into_iter().filter(|link| bridge.is_some() && link.master == bridge);
        Ok(ports
            .filter_map(|port| {
                Some((port.name, port.alias.strip_prefix(CABLE_ALIAS)?.parse().ok()?))
            })
            .collect())
    }

    /// Removes bridges that [`ensure`](Network::ensure) created and that have no devices: this one
    /// and leftovers, such as that of a service whose option `bridge` was changed. Starting a
    /// stopped node creates its bridge again.
    pub(crate) fn remove(&self) -> Result<()> {
        let mut routing = Routing::open()?;
        let links = routing.links()?;
        let bridges = links
            .iter()
            .filter(|link| link.kind == "bridge" && link.alias.starts_with(BRIDGE_ALIAS));
        let (used, idle): (Vec<_>, Vec<_>) =
            bridges.partition(|bridge| links.iter().any(|link| link.master == Some(bridge.index)));
        let closed = format!("{BRIDGE_ALIAS}0");
        if idle.iter().any(|bridge| bridge.alias == closed) {
            // another bridge still needs it, and must restore it later
            match used.first() {
                Some(other) => routing
                    .set_alias(other.index, &closed)
                    .context("cannot mark the bridge that stays")?,
                None if fs::read_to_string(FORWARD)?.trim() == "0" => {}
                None => fs::write(FORWARD, "0\n").context("cannot restore ip_forward")?,
            }
        }
        // if somebody else removed a bridge, its rules still exist
        if self.cables()?.is_empty() && used.iter().all(|bridge| bridge.name != self.bridge) {
            close_outside(&self.bridge);
        }
        for bridge in idle {
            close_outside(&bridge.name);
            routing
                .delete_link(bridge.index)
                .with_context(|| format!("cannot remove the bridge {}", bridge.name))?;
        }
        Ok(())
    }
}

fn close_outside(bridge: &str) {
    if let Ok(mut filter) = Filter::open() {
        // fails if the kernel has no nf_tables, and then there is no table
        let _ = filter.close_forwarding(bridge);
        let _ = filter.remove(bridge);
    }
}

/// Configures the network in a node's namespace.
fn inside_node(address: Ipv4Addr, prefix: u8, gateway: Option<Ipv4Addr>) -> io::Result<()> {
    let mut routing = Routing::open()?;
    for link in routing.links()? {
        match link.name.as_str() {
            "lo" => routing.set_up(link.index)?,
            "eth0" => {
                routing.add_address(link.index, address, prefix)?;
                routing.set_up(link.index)?;
            }
            _ => {}
        }
    }
    gateway.map_or(Ok(()), |gateway| routing.add_default_route(gateway))
}

/// A hardware address that depends only on the IP address, so that ARP caches remain valid if the
/// address is reused.
fn hardware_address(address: Ipv4Addr) -> [u8; 6] {
    let [a, b, c, d] = address.octets();
    [0x02, 0x70, a, b, c, d]
}

fn mask(prefix: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_that_can_be_and_that_cannot() {
        let network = Network::new("10.88.3.7/16", "pallet0").unwrap();
        assert_eq!(network.gateway(), Ipv4Addr::new(10, 88, 0, 1));
        assert!(
            network.contains(Ipv4Addr::new(10, 88, 255, 1))
                && !network.contains(Ipv4Addr::new(10, 89, 0, 1))
        );
        for (text, bridge) in [
            ("10.88.0.0", "b"),
            ("10.88.0.0/30", "b"),
            ("10.88.0.0/33", "b"),
            ("x/16", "b"),
            ("127.0.0.0/8", "b"),
            ("224.0.0.0/16", "b"),
        ] {
            let error = PluginError::from(Network::new(text, bridge).unwrap_err());
            assert_eq!(error.kind, ErrorKind::InvalidInput, "{text}");
            assert!(
                error.message.contains("option `network`")
                    && error.message.contains(&format!("`{text}`")),
                "{error}"
            );
        }
        for bridge in ["", "sixteen-letters-", "a/b"] {
            let error = PluginError::from(Network::new("10.0.0.0/8", bridge).unwrap_err());
            assert_eq!(error.kind, ErrorKind::InvalidInput, "{bridge}");
            assert!(
                error.message.contains("option `bridge`")
                    && error.message.contains(&format!("`{bridge}`")),
                "{error}"
            );
        }
    }

    #[test]
    fn overlaps_are_seen_both_ways() {
        let network = Network::new("10.88.0.0/16", "b").unwrap();
        let route = |destination: [u8; 4], prefix| Route {
            destination: destination.into(),
            prefix,
            link: None,
            main: true,
        };
        assert!(network.overlaps(&route([10, 0, 0, 0], 8)));
        assert!(network.overlaps(&route([10, 88, 7, 0], 24)));
        assert!(!network.overlaps(&route([10, 89, 0, 0], 16)));
        assert!(!network.overlaps(&route([0, 0, 0, 0], 0)), "the default route overlaps nothing");
    }
}
