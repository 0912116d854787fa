//! What happens to packets for which there is no rule, and the service.

use pallet_core::prelude::*;

use super::names::NAMES;
use super::settings::{self, Backend};
use super::{firewalld, nftables, ufw};

parameters! {
    /// Installs what runs the firewall.
    ///
    /// Example: `firewall.install(request)`
    pub(crate) struct Install {}

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

    /// Loads the rules if they changed, all at once, and at boot. Call it after all rules.
    ///
    /// Example: `firewall.service(request)`
    pub(crate) struct ServiceArguments {}
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

pub(crate) fn install(request: &mut Request, _: Install) -> Result<()> {
    let names = NAMES.row(&request.target()?.os)?;
    let packages = match settings::of(request)?.backend {
        Backend::Nftables => vec![names.nftables],
        Backend::Firewalld => names.firewalld.to_vec(),
        Backend::Ufw => {
            let os = request.target()?.os;
            vec![names.ufw.with_context(|| format!("{os} has no ufw; use another backend"))?]
        }
    };
    packages.into_iter().try_for_each(|package| request.add(Package::install(package)))
}

pub(crate) fn policy(request: &mut Request, policies: Policies) -> Result<()> {
    let settings = settings::of(request)?;
    match settings.backend {
        Backend::Nftables => nftables::put_policies(request, &policies, &settings),
        Backend::Ufw => ufw::put_policies(request, &policies, &settings),
        Backend::Firewalld => firewalld::put_policies(request, &policies, &settings),
    }
}

pub(crate) fn service(request: &mut Request, _: ServiceArguments) -> Result<()> {
    match settings::of(request)?.backend {
        Backend::Nftables => nftables::service(request),
        Backend::Ufw => ufw::service(request),
        Backend::Firewalld => firewalld::service(request),
    }
}
