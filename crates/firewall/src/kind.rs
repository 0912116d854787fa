//! What rules and policies are, for all that may run the firewall.

use pallet_core::prelude::*;

use super::rule::Protocol;

/// The flag that is set when the rules changed.
pub(crate) const CHANGED: &str = "firewall-rules";

/// What a rule does; the order in which rules apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Throttle,
    Deny,
    Redirect,
    Allow,
}

impl Kind {
    /// The beginning of the name of its file.
    pub(crate) fn start(self) -> &'static str {
        match self {
            Kind::Throttle => "10-throttle",
            Kind::Deny => "30-deny",
            Kind::Redirect => "40-redirect",
            Kind::Allow => "50-allow",
        }
    }
}

/// Whether something is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "::pallet_core::serde", rename_all = "snake_case")]
#[schemars(crate = "::pallet_core::schemars")]
pub(crate) enum Presence {
    /// It is.
    #[default]
    Present,
    /// It is not.
    Absent,
}

/// A redirection.
#[derive(Debug, Clone)]
pub(crate) struct Redirection {
    pub(crate) name: String,
    pub(crate) port: u16,
    pub(crate) to_port: u16,
    pub(crate) protocol: Protocol,
    pub(crate) interface: Option<String>,
    pub(crate) local: bool,
}

/// A time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "::pallet_core::serde", rename_all = "snake_case")]
#[schemars(crate = "::pallet_core::schemars")]
pub(crate) enum Time {
    /// A second.
    Second,
    /// A minute.
    #[default]
    Minute,
    /// An hour.
    Hour,
}

impl Time {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Time::Second => "second",
            Time::Minute => "minute",
            Time::Hour => "hour",
        }
    }
}

/// A limit.
#[derive(Debug, Clone)]
pub(crate) struct Limit {
    pub(crate) name: String,
    pub(crate) port: u16,
    pub(crate) rate: u32,
    pub(crate) per: Time,
    pub(crate) burst: u32,
}

parameters! {
    /// Ensures what happens to packets for which there is no rule. Call it before the rules.
    ///
    /// Connections that are open, those of the node to itself, and the ports of sshd stay open
    /// whatever it says.
    ///
    /// Example: `firewall.policy(request, incoming = "deny")`
    pub(crate) struct Policies {
        /// Packets to the node.
        #[serde(default = "deny")]
        pub(crate) incoming: Default,
        /// Packets from the node.
        #[serde(default = "allow")]
        pub(crate) outgoing: Default,
        /// Packets through the node, such as those of containers.
        #[serde(default = "allow")]
        pub(crate) forwarded: Default,
        /// Answer pings.
        #[serde(default = "yes")]
        pub(crate) ping: bool,
        /// Log some of the packets that are denied.
        #[serde(default)]
        pub(crate) log: bool,
    }
}

/// What happens to a packet without a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "::pallet_core::serde", rename_all = "snake_case")]
#[schemars(crate = "::pallet_core::schemars")]
pub(crate) enum Default {
    /// It passes.
    Allow,
    /// It is dropped.
    Deny,
}

fn deny() -> Default {
    Default::Deny
}

fn allow() -> Default {
    Default::Allow
}

fn yes() -> bool {
    true
}
