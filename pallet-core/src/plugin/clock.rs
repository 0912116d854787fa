//! The current time, in the unit that requests and leases use.

use std::time::{SystemTime, UNIX_EPOCH};

/// The time, in seconds since 1970-01-01 UTC. [`Node::created`](crate::model::Node) and
/// [`Lease::until`](super::Lease) use the same unit.
pub fn unix_time() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
