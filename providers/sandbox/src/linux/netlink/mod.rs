//! Netlink: changes the kernel's links, addresses, routes and packet filter without `ip` and `nft`.

mod message;
mod nftables;
mod route;
mod socket;

pub(crate) use nftables::Filter;
pub(crate) use route::{Link, Route, Routing};
