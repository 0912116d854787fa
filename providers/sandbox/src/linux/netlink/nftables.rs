//! The packet filter, with nf_tables: a table that gives nodes access to the outside, and rules in
//! those chains of others, such as Docker's, that would block them.
//!
//! Netfilter's netlink differs from rtnetlink: messages are in atomic batches, numbers are big
//! endian, and a rule is a list of expressions that load packet data into registers, compare them,
//! and end in a verdict. These are the rules:
//!
//! ```text
//! table ip pallet-BRIDGE {
//!     chain postrouting {
//!         type nat hook postrouting priority srcnat;
//!         ip saddr NETWORK oifname != "BRIDGE" masquerade
//!     }
//! }
//! # first in every other chain of type filter and hook forward with policy drop
//! iifname "BRIDGE" counter accept comment "pallet-BRIDGE"
//! oifname "BRIDGE" counter accept comment "pallet-BRIDGE"
//! ```

use std::io;
use std::net::Ipv4Addr;

use rustix::net::netlink;

use super::message::{Attributes, Received, attribute};
use super::socket::{APPEND, CREATE, Part, Socket};

// message types: the subsystem (10, nf_tables) is in the high byte
const BATCH_BEGIN: u16 = 16;
const BATCH_END: u16 = 17;
const SUBSYSTEM: u16 = 10;
const NEW_TABLE: u16 = SUBSYSTEM << 8;
const DELETE_TABLE: u16 = SUBSYSTEM << 8 | 2;
const NEW_CHAIN: u16 = SUBSYSTEM << 8 | 3;
const GET_CHAIN: u16 = SUBSYSTEM << 8 | 4;
const NEW_RULE: u16 = SUBSYSTEM << 8 | 6;
const GET_RULE: u16 = SUBSYSTEM << 8 | 7;
const DELETE_RULE: u16 = SUBSYSTEM << 8 | 8;

const FAMILY_UNSPECIFIED: u8 = 0;
const FAMILY_INET: u8 = 1;
const FAMILY_IPV4: u8 = 2;

// NFTA_TABLE_*, NFTA_CHAIN_*, NFTA_HOOK_*, NFTA_RULE_*
const TABLE_NAME: u16 = 1;
const CHAIN_TABLE: u16 = 1;
const CHAIN_NAME: u16 = 3;
const CHAIN_HOOK: u16 = 4;
const CHAIN_POLICY: u16 = 5;
const CHAIN_TYPE: u16 = 7;
const HOOK_NUMBER: u16 = 1;
const HOOK_PRIORITY: u16 = 2;
const RULE_TABLE: u16 = 1;
const RULE_CHAIN: u16 = 2;
const RULE_HANDLE: u16 = 3;
const RULE_EXPRESSIONS: u16 = 4;
const RULE_NOTE: u16 = 7;
const HOOK_FORWARD: u32 = 2;
const HOOK_POSTROUTING: u32 = 4;
const PRIORITY_SOURCE_NAT: u32 = 100;

// a list element, an expression, the data in it
const LIST_ELEMENT: u16 = 1;
const EXPRESSION_NAME: u16 = 1;
const EXPRESSION_DATA: u16 = 2;
const DATA_VALUE: u16 = 1;
const DATA_VERDICT: u16 = 2;

/// The register that expressions use.
const REGISTER: u32 = 1;
const EQUAL: u32 = 0;
const NOT_EQUAL: u32 = 1;
const DROP: u32 = 0;
const ACCEPT: u32 = 1;
/// Keys of `meta`: the names of a packet's input and output device.
const INPUT_NAME: u32 = 6;
const OUTPUT_NAME: u32 = 7;

/// Netfilter in one network namespace.
pub(crate) struct Filter(Socket);

impl Filter {
    pub(crate) fn open() -> io::Result<Self> {
        Socket::open(Some(netlink::NETFILTER)).map(Filter)
    }

    /// Creates or replaces the table: packets from the network that leave through another device
    /// than `bridge` get this machine's address.
    pub(crate) fn masquerade(
        &mut self,
        bridge: &str,
        network: Ipv4Addr,
        prefix: u8,
    ) -> io::Result<()> {
        let table = table_name(bridge);
        let hook = Attributes::new()
            .network_number(HOOK_NUMBER, HOOK_POSTROUTING)
            .network_number(HOOK_PRIORITY, PRIORITY_SOURCE_NAT);
        let chain = Attributes::new()
            .text(CHAIN_TABLE, &table)
            .text(CHAIN_NAME, "postrouting")
            .nested(CHAIN_HOOK, hook)
            .text(CHAIN_TYPE, "nat");
        let from_nodes = [source_address(), mask(prefix), compare(EQUAL, &network.octets())];
        let to_outside = [name_of_device(OUTPUT_NAME), compare(NOT_EQUAL, &device_name(bridge))];
        let expressions =
            from_nodes.into_iter().chain(to_outside).chain([expression("masq", Attributes::new())]);
        let rule = Attributes::new()
            .text(RULE_TABLE, &table)
            .text(RULE_CHAIN, "postrouting")
            .nested(RULE_EXPRESSIONS, list(expressions));
        // create, delete, create: replaces the table atomically, whether or not it exists
        self.batch(vec![
            (NEW_TABLE, CREATE, ipv4(), Attributes::new().text(TABLE_NAME, &table)),
            (DELETE_TABLE, 0, ipv4(), Attributes::new().text(TABLE_NAME, &table)),
            (NEW_TABLE, CREATE, ipv4(), Attributes::new().text(TABLE_NAME, &table)),
            (NEW_CHAIN, CREATE, ipv4(), chain),
            (NEW_RULE, CREATE | APPEND, ipv4(), rule),
        ])
    }

    /// Removes the table, if it exists.
    pub(crate) fn remove(&mut self, bridge: &str) -> io::Result<()> {
        let name = table_name(bridge);
        self.batch(vec![
            (NEW_TABLE, CREATE, ipv4(), Attributes::new().text(TABLE_NAME, &name)),
            (DELETE_TABLE, 0, ipv4(), Attributes::new().text(TABLE_NAME, &name)),
        ])
    }

    /// Accepts the bridge's packets in chains that drop by default. Idempotent.
    pub(crate) fn open_forwarding(&mut self, bridge: &str) -> io::Result<()> {
        let mut parts = self.rules_to_delete(bridge)?;
        for chain in self.0.dump(GET_CHAIN, &header(FAMILY_UNSPECIFIED, 0), &Attributes::new())? {
            let Some((family, table, name)) = closed_chain(&chain) else { continue };
            for key in [INPUT_NAME, OUTPUT_NAME] {
                let counter = expression("counter", Attributes::new());
                let expressions =
                    [name_of_device(key), compare(EQUAL, &device_name(bridge)), counter, accept()];
                let rule = Attributes::new()
                    .text(RULE_TABLE, &table)
                    .text(RULE_CHAIN, &name)
                    .nested(RULE_EXPRESSIONS, list(expressions))
                    .bytes(RULE_NOTE, &note(bridge));
                // without APPEND the rule becomes the first
                parts.push((NEW_RULE, CREATE, header(family, 0), rule));
            }
        }
        self.batch(parts)
    }

    /// Removes the rules of [`open_forwarding`](Filter::open_forwarding).
    pub(crate) fn close_forwarding(&mut self, bridge: &str) -> io::Result<()> {
        let parts = self.rules_to_delete(bridge)?;
        self.batch(parts)
    }

    /// The bridge's rules in other chains, each as a message that deletes it.
    fn rules_to_delete(&mut self, bridge: &str) -> io::Result<Vec<Part>> {
        let rules = self.0.dump(GET_RULE, &header(FAMILY_UNSPECIFIED, 0), &Attributes::new())?;
        let ours = rules
            .iter()
            .filter(|rule| rule.attribute(HEADER, RULE_NOTE) == Some(note(bridge).as_slice()));
        let parts = ours.filter_map(|rule| {
            let attributes = Attributes::new()
                .text(RULE_TABLE, &rule.text(HEADER, RULE_TABLE)?)
                .text(RULE_CHAIN, &rule.text(HEADER, RULE_CHAIN)?)
                .bytes(RULE_HANDLE, rule.attribute(HEADER, RULE_HANDLE)?);
            Some((DELETE_RULE, 0, header(*rule.payload.first()?, 0), attributes))
        });
        Ok(parts.collect())
    }

    fn batch(&mut self, parts: Vec<Part>) -> io::Result<()> {
        if parts.is_empty() {
            return Ok(());
        }
        let mut all =
            vec![(BATCH_BEGIN, 0, header(FAMILY_UNSPECIFIED, SUBSYSTEM), Attributes::new())];
        all.extend(parts);
        all.push((BATCH_END, 0, header(FAMILY_UNSPECIFIED, SUBSYSTEM), Attributes::new()));
        self.0.batch(&all)
    }
}

fn table_name(bridge: &str) -> String {
    format!("pallet-{bridge}")
}

/// The family, table and name of a chain, if it filters forwarded IPv4 packets and its policy is to
/// drop them.
fn closed_chain(chain: &Received) -> Option<(u8, String, String)> {
    let family = *chain.payload.first()?;
    let big_endian = |bytes: &[u8]| Some(u32::from_be_bytes(bytes.try_into().ok()?));
    let hook = big_endian(attribute(chain.attribute(HEADER, CHAIN_HOOK)?, HOOK_NUMBER)?)?;
    let policy = big_endian(chain.attribute(HEADER, CHAIN_POLICY)?)?;
    let is_filter = chain.text(HEADER, CHAIN_TYPE)? == "filter";
    let closed = is_filter
        && hook == HOOK_FORWARD
        && policy == DROP
        && matches!(family, FAMILY_IPV4 | FAMILY_INET);
    closed.then_some((family, chain.text(HEADER, CHAIN_TABLE)?, chain.text(HEADER, CHAIN_NAME)?))
}

/// The comment by which a rule is found later: type 0, length, text with a zero byte.
fn note(bridge: &str) -> Vec<u8> {
    let text = table_name(bridge);
    let mut bytes = vec![0, u8::try_from(text.len() + 1).unwrap_or(u8::MAX)];
    bytes.extend(text.bytes());
    bytes.push(0);
    bytes
}

/// The length of struct nfgenmsg.
const HEADER: usize = 4;

/// struct nfgenmsg
fn header(family: u8, resource: u16) -> Vec<u8> {
    let [high, low] = resource.to_be_bytes();
    vec![family, 0, high, low]
}

fn ipv4() -> Vec<u8> {
    header(FAMILY_IPV4, 0)
}

/// A device name in the kernel's format: 16 bytes, padded with zeros.
fn device_name(name: &str) -> [u8; 16] {
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(name.bytes()) {
        *to = from;
    }
    bytes
}

fn list(expressions: impl IntoIterator<Item = Attributes>) -> Attributes {
    expressions.into_iter().fold(Attributes::new(), |list, one| list.nested(LIST_ELEMENT, one))
}

fn expression(name: &str, data: Attributes) -> Attributes {
    Attributes::new().text(EXPRESSION_NAME, name).nested(EXPRESSION_DATA, data)
}

/// Loads `ip saddr` into the register: 4 bytes at offset 12 of the network header (base 1).
fn source_address() -> Attributes {
    let data = Attributes::new()
        .network_number(1, REGISTER)
        .network_number(2, 1)
        .network_number(3, 12)
        .network_number(4, 4);
    expression("payload", data)
}

/// Loads `iifname` or `oifname` into the register.
fn name_of_device(key: u32) -> Attributes {
    expression("meta", Attributes::new().network_number(1, REGISTER).network_number(2, key))
}

/// Ends a rule: accepts the packet.
fn accept() -> Attributes {
    const VERDICT_REGISTER: u32 = 0;
    let verdict =
        Attributes::new().nested(DATA_VERDICT, Attributes::new().network_number(1, ACCEPT));
    expression(
        "immediate",
        Attributes::new().network_number(1, VERDICT_REGISTER).nested(2, verdict),
    )
}

/// Keeps the first `prefix` of 32 bits in the register: (register & mask) ^ 0.
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

/// Compares the register; the rule ends if the comparison fails.
fn compare(how: u32, with: &[u8]) -> Attributes {
    let data = Attributes::new()
        .network_number(1, REGISTER)
        .network_number(2, how)
        .nested(3, Attributes::new().bytes(DATA_VALUE, with));
    expression("cmp", data)
}
