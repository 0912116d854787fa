//! Netlink: how the kernel's links, addresses, routes and packet filter are changed without `ip`
//! and `nft`.

mod message;
mod nftables;
mod route;
mod socket;

pub(crate) use nftables::Filter;
pub(crate) use route::{Link, Route, Routing};
