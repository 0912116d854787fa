//! The arguments of `chrony`.

use pallet_core::prelude::*;

parameters! {
    /// Sets the clock with chrony, from servers, pools and other nodes; with `allow`, serves the
    /// time too. `chronyd -p` checks the configuration before it takes its place, and chrony is
    /// restarted if it changed.
    ///
    /// Example: `time_locale.chrony(request, pools = ["2.debian.pool.ntp.org"], allow = ["192.0.2.0/24"])`
    ///
    /// Example: `time_locale.chrony(request, role = "time")`
    pub(crate) struct Chrony {
        /// Servers, each a host name or an address.
        #[serde(default)]
        pub(crate) servers: Vec<String>,
        /// Names that stand for several servers.
        #[serde(default)]
        pub(crate) pools: Vec<String>,
        /// The group whose other nodes are servers.
        #[serde(default)]
        pub(crate) group: Option<String>,
        /// The role whose other nodes are servers.
        #[serde(default)]
        pub(crate) role: Option<String>,
        /// Servers and pools prove who they are (NTS).
        #[serde(default)]
        pub(crate) nts: bool,
        /// When the clock is set at once and not slowly: `threshold` in seconds, and `limit`, the
        /// number of first updates in which that is allowed; -1 is always.
        #[serde(default)]
        pub(crate) makestep: Makestep,
        /// Networks whose machines may ask this node for the time: `192.0.2.0/24`, or `all`.
        #[serde(default)]
        pub(crate) allow: Vec<String>,
        /// Serve the node's own clock with this stratum while there is no source: 10.
        #[serde(default)]
        pub(crate) local_stratum: Option<u8>,
        /// Keep the clock of the hardware right.
        #[serde(default = "yes")]
        pub(crate) rtcsync: bool,
        /// Set the clock. If false, chrony only measures and serves, as in a container, which has
        /// the clock of its machine.
        #[serde(default = "yes")]
        pub(crate) control_clock: bool,
        /// More directives of chrony.conf, one a line.
        #[serde(default)]
        pub(crate) directives: Vec<String>,
    }
}

/// When the clock is set at once.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pallet_core::serde", deny_unknown_fields)]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) struct Makestep {
    /// If it is wrong by more than this number of seconds.
    #[serde(default = "one")]
    pub(crate) threshold: f64,
    /// In this number of first updates; -1 is always.
    #[serde(default = "three")]
    pub(crate) limit: i32,
}

impl Default for Makestep {
    fn default() -> Self {
        Makestep { threshold: one(), limit: three() }
    }
}

fn one() -> f64 {
    1.0
}

fn three() -> i32 {
    3
}

fn yes() -> bool {
    true
}
