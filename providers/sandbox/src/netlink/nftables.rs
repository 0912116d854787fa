//! The packet filter's part: one table that lets nodes reach the outside, over nf_tables.
//!
//! Netfilter's netlink differs from routing's: messages come in batches that happen together or not at all, numbers are big endian, and a
//! rule is a list of expressions that load packet data into registers, compare them, and end in a verdict. What is sent is this:
//!
//! ```text
//! table ip pallet-BRIDGE {
//!     chain postrouting {
//!         type nat hook postrouting priority srcnat;
//!         ip saddr NETWORK oifname != "BRIDGE" masquerade
//!     }
//! }
//! ```

use std::io;
use std::net::Ipv4Addr;

use rustix::net::netlink;

use super::message::Attributes;
use super::socket::{APPEND, CREATE, Part, Socket};

// kinds of messages: the subsystem (10, nf_tables) in the high byte
const BATCH_BEGIN: u16 = 16;
const BATCH_END: u16 = 17;
const SUBSYSTEM: u16 = 10;
const NEW_TABLE: u16 = SUBSYSTEM << 8;
const DELETE_TABLE: u16 = SUBSYSTEM << 8 | 2;
const NEW_CHAIN: u16 = SUBSYSTEM << 8 | 3;
const NEW_RULE: u16 = SUBSYSTEM << 8 | 6;

const FAMILY_UNSPECIFIED: u8 = 0;
const FAMILY_IPV4: u8 = 2;

// NFTA_TABLE_*, NFTA_CHAIN_*, NFTA_HOOK_*, NFTA_RULE_*
const TABLE_NAME: u16 = 1;
const CHAIN_TABLE: u16 = 1;
const CHAIN_NAME: u16 = 3;
const CHAIN_HOOK: u16 = 4;
const CHAIN_TYPE: u16 = 7;
const HOOK_NUMBER: u16 = 1;
const HOOK_PRIORITY: u16 = 2;
const RULE_TABLE: u16 = 1;
const RULE_CHAIN: u16 = 2;
const RULE_EXPRESSIONS: u16 = 4;
const HOOK_POSTROUTING: u32 = 4;
const PRIORITY_SOURCE_NAT: u32 = 100;

// a list's element, an expression, the data in it
const LIST_ELEMENT: u16 = 1;
const EXPRESSION_NAME: u16 = 1;
const EXPRESSION_DATA: u16 = 2;
const DATA_VALUE: u16 = 1;

/// The register that expressions hand values over in.
const REGISTER: u32 = 1;
const EQUAL: u32 = 0;
const NOT_EQUAL: u32 = 1;

/// Netfilter in one network namespace.
pub(crate) struct Filter(Socket);

impl Filter {
    pub(crate) fn open() -> io::Result<Self> {
        Socket::open(Some(netlink::NETFILTER)).map(Filter)
    }

    /// Makes the table, or makes it again: packets from the network that leave by another device than `bridge` get this machine's address.
    pub(crate) fn masquerade(&mut self, bridge: &str, network: Ipv4Addr, prefix: u8) -> io::Result<()> {
        let table = table_name(bridge);
        let hook = Attributes::new().network_number(HOOK_NUMBER, HOOK_POSTROUTING).network_number(HOOK_PRIORITY, PRIORITY_SOURCE_NAT);
        let chain =
            Attributes::new().text(CHAIN_TABLE, &table).text(CHAIN_NAME, "postrouting").nested(CHAIN_HOOK, hook).text(CHAIN_TYPE, "nat");
        let expressions = [source_address(), mask(prefix), compare(EQUAL, &network.octets())].into_iter().chain([
            output_name(),
            compare(NOT_EQUAL, &device_name(bridge)),
            expression("masq", Attributes::new()),
        ]);
        let expressions = expressions.fold(Attributes::new(), |list, one| list.nested(LIST_ELEMENT, one));
        let rule = Attributes::new().text(RULE_TABLE, &table).text(RULE_CHAIN, "postrouting").nested(RULE_EXPRESSIONS, expressions);
        // making, deleting and making is how a table is replaced in one go, whether it exists or not
        self.batch(vec![
            (NEW_TABLE, CREATE, ipv4(), Attributes::new().text(TABLE_NAME, &table)),
            (DELETE_TABLE, 0, ipv4(), Attributes::new().text(TABLE_NAME, &table)),
            (NEW_TABLE, CREATE, ipv4(), Attributes::new().text(TABLE_NAME, &table)),
            (NEW_CHAIN, CREATE, ipv4(), chain),
            (NEW_RULE, CREATE | APPEND, ipv4(), rule),
        ])
    }

    /// Removes the table, if there is one.
    pub(crate) fn remove(&mut self, bridge: &str) -> io::Result<()> {
        let name = table_name(bridge);
        self.batch(vec![
            (NEW_TABLE, CREATE, ipv4(), Attributes::new().text(TABLE_NAME, &name)),
            (DELETE_TABLE, 0, ipv4(), Attributes::new().text(TABLE_NAME, &name)),
        ])
    }

    fn batch(&mut self, parts: Vec<Part>) -> io::Result<()> {
        let mut all = vec![(BATCH_BEGIN, 0, header(FAMILY_UNSPECIFIED, SUBSYSTEM), Attributes::new())];
        all.extend(parts);
        all.push((BATCH_END, 0, header(FAMILY_UNSPECIFIED, SUBSYSTEM), Attributes::new()));
        self.0.batch(&all)
    }
}

fn table_name(bridge: &str) -> String {
    format!("pallet-{bridge}")
}

/// struct nfgenmsg
fn header(family: u8, resource: u16) -> Vec<u8> {
    let [high, low] = resource.to_be_bytes();
    vec![family, 0, high, low]
}

fn ipv4() -> Vec<u8> {
    header(FAMILY_IPV4, 0)
}

/// A device's name as the kernel compares it: 16 bytes, filled with zeros.
fn device_name(name: &str) -> [u8; 16] {
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(name.bytes()) {
        *to = from;
    }
    bytes
}

fn expression(name: &str, data: Attributes) -> Attributes {
    Attributes::new().text(EXPRESSION_NAME, name).nested(EXPRESSION_DATA, data)
}

/// `ip saddr` into the register: 4 bytes at offset 12 of the network header (base 1).
fn source_address() -> Attributes {
    let data = Attributes::new().network_number(1, REGISTER).network_number(2, 1).network_number(3, 12).network_number(4, 4);
    expression("payload", data)
}

/// `oifname` (key 7) into the register.
fn output_name() -> Attributes {
    expression("meta", Attributes::new().network_number(1, REGISTER).network_number(2, 7))
}

/// The register's first `prefix` of 32 bits: (register & mask) ^ 0.
fn mask(prefix: u8) -> Attributes {
    let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
    let data = Attributes::new()
        .network_number(1, REGISTER)
        .network_number(2, REGISTER)
        .network_number(3, 4)
        .nested(4, Attributes::new().bytes(DATA_VALUE, &mask.to_be_bytes()))
        .nested(5, Attributes::new().bytes(DATA_VALUE, &[0; 4]));
    expression("bitwise", data)
}

/// The rule goes on only if the register compares so.
fn compare(how: u32, with: &[u8]) -> Attributes {
    let data = Attributes::new().network_number(1, REGISTER).network_number(2, how).nested(3, Attributes::new().bytes(DATA_VALUE, with));
    expression("cmp", data)
}
