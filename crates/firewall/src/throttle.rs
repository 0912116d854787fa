//! Limits how often one client may connect.

use pallet_core::prelude::*;

use super::backend;
use super::kind::{Kind, Limit, Presence, Time};

parameters! {
    /// Limits how often each client may connect to a port. What is beyond is dropped; connections
    /// that are open stay. It lets nobody in who is not allowed otherwise.
    ///
    /// Example: `firewall.throttle(request, 22, rate = 10, per = "minute", burst = 10)`
    pub(crate) struct Throttle {
        /// Port that clients connect to.
        port: u16,
        /// Number of new connections.
        #[serde(default = "default_rate")]
        rate: u32,
        /// Time in which a client may make them.
        #[serde(default)]
        per: Time,
        /// Number of connections that may come at once.
        #[serde(default = "default_burst")]
        burst: u32,
        /// `present` or `absent`.
        #[serde(default)]
        action: Presence,
    }
}

fn default_rate() -> u32 {
    10
}

fn default_burst() -> u32 {
    10
}

pub(crate) fn throttle(request: &mut Request, throttle: Throttle) -> Result<()> {
    let Throttle { port, rate, per, burst, action } = throttle;
    ensure!(port > 0, "0 is not a port");
    let name = format!("tcp-{port}");
    if action == Presence::Absent {
        return backend::remove(request, Kind::Throttle, &name);
    }
    ensure!(
        (1..=100_000).contains(&rate) && (1..=100_000).contains(&burst),
        "rate and burst must be from 1 to 100,000"
    );
    // an operation connects once or twice
    ensure!(
        !super::settings::of(request)?.ssh_ports.contains(&port)
            || (burst >= 5 && per != Time::Hour),
        "port {port} is sshd's, by which Pallet connects; let at least 5 connections come at once, \
         and count them by the minute or second"
    );
    backend::put_limit(request, &Limit { name, port, rate, per, burst })
}
