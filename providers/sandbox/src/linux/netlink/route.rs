//! Links, addresses and routes, over rtnetlink.

use std::io;
use std::net::Ipv4Addr;

use super::message::{Attributes, Received, attribute, u32_at};
use super::socket::{CREATE, EXCLUSIVE, Socket};

const NEW_LINK: u16 = 16;
const DELETE_LINK: u16 = 17;
const GET_LINK: u16 = 18;
const NEW_ADDRESS: u16 = 20;
const GET_ADDRESS: u16 = 22;
const NEW_ROUTE: u16 = 24;
const GET_ROUTE: u16 = 26;

const INET: u8 = 2;
const FLAG_UP: u32 = 1;
const TABLE_MAIN: u8 = 254;
const UNICAST: u8 = 1;

// attributes of a link (IFLA_*)
const LINK_ADDRESS: u16 = 1;
const LINK_NAME: u16 = 3;
const LINK_MTU: u16 = 4;
const LINK_MASTER: u16 = 10;
const LINK_INFO: u16 = 18;
const LINK_NAMESPACE_OF: u16 = 19;
const LINK_ALIAS: u16 = 20;
const INFO_KIND: u16 = 1;
const INFO_DATA: u16 = 2;
const VETH_PEER: u16 = 1;
/// struct ifinfomsg
const LINK_HEADER: usize = 16;

// attributes of an address (IFA_*)
const ADDRESS_ADDRESS: u16 = 1;
const ADDRESS_LOCAL: u16 = 2;
/// struct ifaddrmsg
const ADDRESS_HEADER: usize = 8;

// attributes of a route (RTA_*)
const ROUTE_DESTINATION: u16 = 1;
const ROUTE_LINK: u16 = 4;
const ROUTE_GATEWAY: u16 = 5;
/// struct rtmsg
const ROUTE_HEADER: usize = 12;

/// The routing tables and links of one network namespace.
pub(crate) struct Routing(Socket);

/// A network device.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) index: u32,
    pub(crate) name: String,
    /// `bridge`, `veth`, ...; empty for hardware.
    pub(crate) kind: String,
    /// A comment that the kernel stores.
    pub(crate) alias: String,
    pub(crate) mtu: u32,
    /// The bridge that it is attached to.
    pub(crate) master: Option<u32>,
}

/// A route.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    pub(crate) destination: Ipv4Addr,
    /// 0 for the default route.
    pub(crate) prefix: u8,
    pub(crate) link: Option<u32>,
    /// Whether it is in the main routing table.
    pub(crate) main: bool,
}

impl Routing {
    /// Opens the network namespace of the calling thread.
    pub(crate) fn open() -> io::Result<Self> {
        // NETLINK_ROUTE is protocol 0, the default
        Socket::open(None).map(Routing)
    }

    pub(crate) fn links(&mut self) -> io::Result<Vec<Link>> {
        let all = self.0.dump(GET_LINK, &link_header(0, 0, 0), &Attributes::new())?;
        Ok(all.iter().filter_map(Link::read).collect())
    }

    pub(crate) fn link(&mut self, name: &str) -> io::Result<Option<Link>> {
        Ok(self.links()?.into_iter().find(|link| link.name == name))
    }

    pub(crate) fn add_bridge(&mut self, name: &str, hardware: [u8; 6]) -> io::Result<()> {
        let attributes = Attributes::new()
            .text(LINK_NAME, name)
            .bytes(LINK_ADDRESS, &hardware)
            .nested(LINK_INFO, Attributes::new().text(INFO_KIND, "bridge"));
        self.0.request(NEW_LINK, CREATE | EXCLUSIVE, &link_header(0, 0, 0), &attributes)
    }

    /// Creates a pair of devices: `name` as a port of the bridge `master`, and `peer` in the
    /// network namespace of the process `pid`.
    pub(crate) fn add_veth(
        &mut self,
        name: &str,
        master: u32,
        mtu: u32,
        peer: &str,
        hardware: [u8; 6],
        pid: u32,
    ) -> io::Result<()> {
        let peer = Attributes::after(&link_header(0, 0, 0))
            .text(LINK_NAME, peer)
            .bytes(LINK_ADDRESS, &hardware)
            .number(LINK_MTU, mtu)
            .number(LINK_NAMESPACE_OF, pid);
        let info = Attributes::new()
            .text(INFO_KIND, "veth")
            .nested(INFO_DATA, Attributes::new().nested(VETH_PEER, peer));
        let attributes = Attributes::new()
            .text(LINK_NAME, name)
            .number(LINK_MTU, mtu)
            .number(LINK_MASTER, master)
            .nested(LINK_INFO, info);
        self.0.request(NEW_LINK, CREATE | EXCLUSIVE, &link_header(0, 0, 0), &attributes)
    }

    pub(crate) fn set_alias(&mut self, index: u32, alias: &str) -> io::Result<()> {
        self.0.request(
            NEW_LINK,
            0,
            &link_header(index, 0, 0),
            &Attributes::new().bytes(LINK_ALIAS, alias.as_bytes()),
        )
    }

    pub(crate) fn set_up(&mut self, index: u32) -> io::Result<()> {
        self.0.request(NEW_LINK, 0, &link_header(index, FLAG_UP, FLAG_UP), &Attributes::new())
    }

    pub(crate) fn delete_link(&mut self, index: u32) -> io::Result<()> {
        self.0.request(DELETE_LINK, 0, &link_header(index, 0, 0), &Attributes::new())
    }

    pub(crate) fn addresses(&mut self, index: u32) -> io::Result<Vec<Ipv4Addr>> {
        let all = self.0.dump(GET_ADDRESS, &address_header(0, 0), &Attributes::new())?;
        let here = all.iter().filter(|one| u32_at(&one.payload, 4) == Some(index));
        Ok(here.filter_map(|one| one.address(ADDRESS_HEADER, ADDRESS_LOCAL)).collect())
    }

    pub(crate) fn add_address(
        &mut self,
        index: u32,
        address: Ipv4Addr,
        prefix: u8,
    ) -> io::Result<()> {
        let attributes =
            Attributes::new().address(ADDRESS_LOCAL, address).address(ADDRESS_ADDRESS, address);
        self.0.request(NEW_ADDRESS, CREATE | EXCLUSIVE, &address_header(prefix, index), &attributes)
    }

    pub(crate) fn routes(&mut self) -> io::Result<Vec<Route>> {
        let all = self.0.dump(GET_ROUTE, &route_header(), &Attributes::new())?;
        Ok(all.iter().filter_map(Route::read).collect())
    }

    pub(crate) fn add_default_route(&mut self, gateway: Ipv4Addr) -> io::Result<()> {
        self.0.request(
            NEW_ROUTE,
            CREATE | EXCLUSIVE,
            &route_header(),
            &Attributes::new().address(ROUTE_GATEWAY, gateway),
        )
    }
}

impl Link {
    fn read(from: &Received) -> Option<Link> {
        let kind = from
            .attribute(LINK_HEADER, LINK_INFO)
            .and_then(|info| attribute(info, INFO_KIND))
            .unwrap_or_default();
        Some(Link {
            index: u32_at(&from.payload, 4)?,
            name: from.text(LINK_HEADER, LINK_NAME)?,
            kind: String::from_utf8_lossy(kind).trim_end_matches('\0').to_owned(),
            alias: from.text(LINK_HEADER, LINK_ALIAS).unwrap_or_default(),
            mtu: from.number(LINK_HEADER, LINK_MTU).unwrap_or(1500),
            master: from.number(LINK_HEADER, LINK_MASTER),
        })
    }
}

impl Route {
    fn read(from: &Received) -> Option<Route> {
        let [family, prefix, _, _, table, _, _, kind, ..] = from.payload.as_slice() else {
            return None;
        };
        (*family == INET && *kind == UNICAST).then(|| Route {
            destination: from
                .address(ROUTE_HEADER, ROUTE_DESTINATION)
                .unwrap_or(Ipv4Addr::UNSPECIFIED),
            prefix: *prefix,
            link: from.number(ROUTE_HEADER, ROUTE_LINK),
            main: *table == TABLE_MAIN,
        })
    }
}

fn link_header(index: u32, flags: u32, change: u32) -> [u8; LINK_HEADER] {
    let mut header = [0; LINK_HEADER];
    header[4..8].copy_from_slice(&index.to_ne_bytes());
    header[8..12].copy_from_slice(&flags.to_ne_bytes());
    header[12..16].copy_from_slice(&change.to_ne_bytes());
    header
}

fn address_header(prefix: u8, index: u32) -> [u8; ADDRESS_HEADER] {
    let mut header = [INET, prefix, 0, 0, 0, 0, 0, 0];
    header[4..8].copy_from_slice(&index.to_ne_bytes());
    header
}

fn route_header() -> [u8; ROUTE_HEADER] {
    const PROTOCOL_BOOT: u8 = 3;
    const SCOPE_UNIVERSE: u8 = 0;
    [INET, 0, 0, 0, TABLE_MAIN, PROTOCOL_BOOT, SCOPE_UNIVERSE, UNICAST, 0, 0, 0, 0]
}
