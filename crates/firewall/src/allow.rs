//! Opens ports, and closes them.

use pallet_core::prelude::*;

use super::address::peers;
use super::backend::{self, Kind};
use super::rule::{PortArgument, Protocol, Rule, Verdict, check_interface, ports};
use super::settings;

parameters! {
    /// Lets packets in, or out: to a port, from everybody, from some addresses, or from the nodes
    /// of a group, whose addresses Pallet knows.
    ///
    /// A group without nodes lets nobody in. Call `firewall.service` after all rules.
    ///
    /// Example: `firewall.allow(request, port = [80, 443])`
    ///
    /// Example: `firewall.allow(request, port = 5432, group = "web")`
    pub(crate) struct Allow {
        /// Port, a range such as `8000-8010`, or a list of them. Default: all.
        #[serde(default)]
        port: Option<PortArgument>,
        /// Protocol. Default: `tcp` if there is a port, otherwise all.
        #[serde(default)]
        protocol: Option<Protocol>,
        /// Group of the nodes that it is for.
        #[serde(default)]
        group: Option<String>,
        /// Role of the nodes that it is for.
        #[serde(default)]
        role: Option<String>,
        /// Addresses and networks that it is for, besides these nodes.
        #[serde(default)]
        addresses: Vec<String>,
        /// Network interface. Default: all.
        #[serde(default)]
        interface: Option<String>,
        /// `in`, or `out`: then group, role and addresses are those to which packets go.
        #[serde(default)]
        direction: Direction,
        /// Names the rule. Default: made of its protocol, ports, group, role and interface.
        #[serde(default)]
        name: Option<String>,
        /// `present` or `absent`.
        #[serde(default)]
        action: Presence,
    }

    /// Keeps packets out, whatever `firewall.allow` says. The ports of sshd stay open.
    ///
    /// Example: `firewall.deny(request, addresses = ["198.51.100.0/24"], name = "spammers")`
    pub(crate) struct Deny {
        /// Port, a range such as `8000-8010`, or a list of them. Default: all.
        #[serde(default)]
        port: Option<PortArgument>,
        /// Protocol. Default: `tcp` if there is a port, otherwise all.
        #[serde(default)]
        protocol: Option<Protocol>,
        /// Group of the nodes that it is for.
        #[serde(default)]
        group: Option<String>,
        /// Role of the nodes that it is for.
        #[serde(default)]
        role: Option<String>,
        /// Addresses and networks that it is for, besides these nodes.
        #[serde(default)]
        addresses: Vec<String>,
        /// Network interface. Default: all.
        #[serde(default)]
        interface: Option<String>,
        /// `in`, or `out`: then group, role and addresses are those to which packets go.
        #[serde(default)]
        direction: Direction,
        /// Answer that the port is closed, instead of nothing.
        #[serde(default)]
        reject: bool,
        /// Names the rule. Default: made of its protocol, ports, group, role and interface.
        #[serde(default)]
        name: Option<String>,
        /// `present` or `absent`.
        #[serde(default)]
        action: Presence,
    }
}

/// Where packets go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "::pallet_core::serde", rename_all = "snake_case")]
#[schemars(crate = "::pallet_core::schemars")]
pub(crate) enum Direction {
    /// To the node.
    #[default]
    In,
    /// From the node.
    Out,
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

pub(crate) fn allow(request: &mut Request, allow: Allow) -> Result<()> {
    put(request, Kind::Allow, Verdict::Accept, allow)
}

pub(crate) fn deny(request: &mut Request, deny: Deny) -> Result<()> {
    let verdict = if deny.reject { Verdict::Reject } else { Verdict::Drop };
    let ports = ports(deny.port.as_ref())?;
    ensure!(
        deny.action == Presence::Absent
            || !ports.is_empty()
            || deny.protocol.is_some()
            || deny.group.is_some()
            || deny.role.is_some()
            || !deny.addresses.is_empty()
            || deny.interface.is_some(),
        "this rule would deny everything; use firewall.policy for that"
    );
    let ssh = settings::of(request)?.ssh_ports;
    let tcp = deny.protocol.is_none_or(|protocol| protocol != Protocol::Udp);
    let closed = ssh.iter().find(|port| ports.iter().any(|range| range.has(**port)));
    if let (Some(port), true, Direction::In) = (closed, tcp, deny.direction) {
        request.warn(format!(
            "port {port} of {} stays open, because sshd listens there; limit it with ssh_from of \
             firewall.settings",
            request.target()?.name
        ))?;
    }
    let Deny { port, protocol, group, role, addresses, interface, direction, name, action, .. } =
        deny;
    let rule = Allow { port, protocol, group, role, addresses, interface, direction, name, action };
    put(request, Kind::Deny, verdict, rule)
}

fn put(request: &mut Request, kind: Kind, verdict: Verdict, allow: Allow) -> Result<()> {
    let ports = ports(allow.port.as_ref())?;
    let protocol = match (allow.protocol, ports.is_empty()) {
        (None, false) => Some(Protocol::Tcp),
        (Some(protocol), false) if !protocol.has_ports() => {
            bail!("the protocol {} has no ports; omit them", protocol.words()[0])
        }
        (protocol, _) => protocol,
    };
    if let Some(interface) = &allow.interface {
        check_interface(interface)?;
    }
    let outgoing = allow.direction == Direction::Out;
    let name = match &allow.name {
        Some(name) => name.clone(),
        None => default_name(&allow, protocol, outgoing)?,
    };
    check_file_name("a rule", &name)?;
    if allow.action == Presence::Absent {
        return backend::remove(request, kind, &name);
    }
    let peers = peers(request, allow.group.as_deref(), allow.role.as_deref(), &allow.addresses)?;
    let rule = Rule { name, verdict, protocol, ports, peers, interface: allow.interface, outgoing };
    backend::put_rule(request, kind, &rule)
}

fn default_name(allow: &Allow, protocol: Option<Protocol>, outgoing: bool) -> Result<String> {
    let mut words = vec![
        match protocol {
            Some(Protocol::Both) => "tcp-udp",
            Some(protocol) => protocol.words()[0],
            None => "all",
        }
        .to_owned(),
    ];
    words.extend(ports(allow.port.as_ref())?.iter().map(|ports| ports.text("_")));
    words.extend(outgoing.then(|| "out".to_owned()));
    words.extend([&allow.group, &allow.role, &allow.interface].into_iter().flatten().cloned());
    ensure!(
        allow.addresses.is_empty()
            || allow.group.is_some()
            || allow.role.is_some()
            || allow.port.is_some(),
        "a rule for addresses alone needs a name; give one"
    );
    Ok(words.join("-").replace(['@', ':', '*'], "_"))
}

#[cfg(test)]
mod tests {
    use super::super::Firewall;
    use super::*;

    fn refused(function: &str, arguments: Value) -> String {
        let mut recorder = Recorder::<Firewall>::on("debian 12");
        recorder.call(function, arguments).unwrap_err().to_string()
    }

    #[test]
    fn what_makes_no_rule_is_refused() {
        for (function, arguments, said) in [
            ("deny", json!({}), "would deny everything"),
            ("allow", json!({"port": 1, "protocol": "gre"}), "has no ports"),
            ("allow", json!({"port": 1, "name": "../a"}), "cannot name a rule"),
            ("allow", json!({"port": 1, "interface": "a b"}), "network interface"),
            ("allow", json!({"addresses": ["10.0.0.1"]}), "needs a name"),
            ("allow", json!({"port": 1, "addresses": ["web"]}), "neither an address"),
        ] {
            let error = refused(function, arguments.clone());
            assert!(error.contains(said), "{arguments}: {error}");
        }
    }

    #[test]
    fn a_rule_against_sshd_is_warned_of() {
        let mut recorder = Recorder::<Firewall>::on("debian 12");
        recorder.call("deny", json!({"port": "20-30"})).unwrap();
        assert!(recorder.said()[0].contains("port 22 of node-1 stays open"));
        let mut recorder = Recorder::<Firewall>::on("debian 12");
        recorder.call("deny", json!({"port": 25})).unwrap();
        assert!(recorder.said().is_empty());
    }
}
