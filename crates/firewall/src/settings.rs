//! What all functions must know: which program runs the firewall, and where Pallet connects.

use pallet_core::prelude::*;

/// The facility of the settings.
const FACILITY: &str = "firewall";

parameters! {
    /// Declares which program runs the firewall of this node, and the ports of sshd. Call it in the
    /// phase `settings`, where the defaults do not fit.
    ///
    /// Example: `firewall.settings(request, backend = "firewalld", ssh_ports = [22, 2222])`
    pub(crate) struct Settings {
        /// Program: `nftables`, or `ufw` or `firewalld` where they run already.
        #[serde(default)]
        pub(crate) backend: Backend,
        /// Ports of sshd, which stay open whatever the rules say.
        #[serde(default = "default_ports")]
        pub(crate) ssh_ports: Vec<u16>,
        /// Addresses and networks from which sshd can be reached. Default: all.
        #[serde(default)]
        pub(crate) ssh_from: Vec<String>,
    }
}

/// What runs the firewall.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "::pallet_core::serde", rename_all = "snake_case")]
#[schemars(crate = "::pallet_core::schemars")]
pub(crate) enum Backend {
    /// nftables, in a table of Pallet's own.
    #[default]
    Nftables,
    /// ufw.
    Ufw,
    /// firewalld.
    Firewalld,
}

fn default_ports() -> Vec<u16> {
    vec![22]
}

pub(crate) fn settings(request: &mut Request, settings: Settings) -> Result<()> {
    ensure!(
        !settings.ssh_ports.is_empty() && !settings.ssh_ports.contains(&0),
        "ssh_ports must name the ports of sshd, or Pallet could not connect any more"
    );
    super::address::parse(&settings.ssh_from)?;
    request.set_settings(FACILITY, settings)
}

/// What was declared for this node, or the defaults.
pub(crate) fn of(request: &Request) -> Result<Settings> {
    let settings: Option<Settings> = request.settings(FACILITY)?;
    Ok(settings.unwrap_or_else(|| Settings {
        backend: Backend::default(),
        ssh_ports: default_ports(),
        ssh_from: Vec::new(),
    }))
}
