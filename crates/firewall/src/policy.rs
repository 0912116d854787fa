//! What happens to packets for which there is no rule, and the service.

use pallet_core::prelude::*;

use super::kind::Policies;
use super::names::NAMES;
use super::settings::{self, Backend};
use super::{firewalld, nftables, ufw};

parameters! {
    /// Installs what runs the firewall.
    ///
    /// Example: `firewall.install(request)`
    pub(crate) struct Install {}

    /// Loads the rules if they changed, all at once, and at boot. Call it after all rules.
    ///
    /// Example: `firewall.service(request)`
    pub(crate) struct ServiceArguments {}
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
