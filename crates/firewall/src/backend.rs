//! Puts rules where the program that runs the firewall reads them.

use pallet_core::prelude::*;

use super::redirect::Redirection;
use super::rule::Rule;
use super::settings::{self, Backend};
use super::throttle::Limit;
use super::{firewalld, nftables, ufw};

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

pub(crate) fn put_rule(request: &mut Request, kind: Kind, rule: &Rule) -> Result<()> {
    match settings::of(request)?.backend {
        Backend::Nftables => nftables::put(request, kind, &rule.name, &nftables::rule(rule)),
        Backend::Ufw => ufw::put(request, kind, &rule.name, &ufw::rule(rule)?),
        Backend::Firewalld => {
            firewalld::put(request, kind, &rule.name, rule.outgoing, &firewalld::rule(rule)?)
        }
    }
}

pub(crate) fn put_redirection(request: &mut Request, redirection: &Redirection) -> Result<()> {
    let name = &redirection.name;
    match settings::of(request)?.backend {
        Backend::Nftables => {
            nftables::put(request, Kind::Redirect, name, &nftables::redirection(redirection))
        }
        Backend::Ufw => bail!(
            "ufw cannot redirect port {}; use the backend nftables, or let the service listen \
             there",
            redirection.port
        ),
        Backend::Firewalld => {
            let rules = firewalld::redirection(redirection)?;
            firewalld::put(request, Kind::Redirect, name, false, &rules)
        }
    }
}

pub(crate) fn put_limit(request: &mut Request, limit: &Limit) -> Result<()> {
    let name = &limit.name;
    match settings::of(request)?.backend {
        Backend::Nftables => nftables::put(request, Kind::Throttle, name, &nftables::limit(limit)),
        Backend::Ufw => ufw::put(request, Kind::Throttle, name, &ufw::limit(limit)?),
        Backend::Firewalld => bail!(
            "firewalld limits all clients of port {} together, which would let one lock out the \
             others; use the backend nftables",
            limit.port
        ),
    }
}

pub(crate) fn remove(request: &mut Request, kind: Kind, name: &str) -> Result<()> {
    let path = match settings::of(request)?.backend {
        Backend::Nftables => nftables::path(kind, name),
        Backend::Ufw => ufw::path(kind, name),
        Backend::Firewalld => firewalld::path(kind, name),
    };
    request.add_with(File::at(path).absent(), Options::new().flag_on_change(CHANGED))
}
