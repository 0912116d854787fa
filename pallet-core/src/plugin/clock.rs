//! The time, as payloads have it.

use std::time::{SystemTime, UNIX_EPOCH};

/// The time, in seconds since 1970-01-01 UTC: what [`Node::created`](crate::model::Node) and
/// [`Lease::until`](super::Lease) count.
pub fn unix_time() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
