//! Entries of the nodes of the project, as one block that follows the project.

use std::fmt::Write;

use pallet_core::action::line_in_file::LineAction;
use pallet_core::prelude::*;

use super::names::check_name;

/// The facility of this crate's settings.
const FACILITY: &str = "etc-hosts";

parameters! {
    /// Declares more names of this node, or another address for the others. Call it in the phase
    /// `settings`.
    ///
    /// Example: `etc_hosts.settings(request, names = ["database"])`
    pub(crate) struct Settings {
        /// More names.
        #[serde(default)]
        names: Vec<String>,
        /// The address that other nodes should use. Default: the node's.
        #[serde(default)]
        address: Option<String>,
    }

    /// Gives every node of the project an entry: its name, its name in the domain, and the names of
    /// its settings. Nodes that are gone lose theirs.
    ///
    /// Example: `etc_hosts.nodes(request, domain = "example.internal")`
    pub(crate) struct Nodes {
        /// Only nodes of these groups. Default: all.
        #[serde(default)]
        groups: Vec<String>,
        /// Only, or also, nodes with these roles. Default: all.
        #[serde(default)]
        roles: Vec<String>,
        /// The domain of the names. The names with the domain come first.
        #[serde(default)]
        domain: Option<String>,
        /// Names the block: several calls need several names.
        #[serde(default = "block")]
        block: String,
    }
}

fn block() -> String {
    "nodes".to_owned()
}

pub(crate) fn settings(request: &mut Request, settings: Settings) -> Result<()> {
    settings.names.iter().try_for_each(|name| check_name(name))?;
    if let Some(address) = &settings.address {
        ensure!(
            address.parse::<std::net::IpAddr>().is_ok(),
            "{address:?} is no address that a line of /etc/hosts could have"
        );
    }
    request.set_settings(FACILITY, settings)
}

pub(crate) fn nodes(request: &mut Request, nodes: Nodes) -> Result<()> {
    let Nodes { groups, roles, domain, block, .. } = &nodes;
    check_file_name("a block", block)?;
    domain.as_deref().map_or(Ok(()), check_name)?;
    let mut targets = request.targets()?;
    targets.retain(|target| {
        (groups.is_empty() && roles.is_empty())
            || groups.contains(&target.group)
            || target.roles.iter().any(|role| roles.contains(role))
    });
    // whatever the order in which providers list nodes
    targets.sort_by(|a, b| a.name.cmp(&b.name));
    let mut lines = String::new();
    for target in targets {
        let declared: Option<Settings> = request.settings_of(&target.id, FACILITY)?;
        let declared = declared.unwrap_or(Settings { names: Vec::new(), address: None });
        let Some(address) = declared.address.or(target.address) else {
            request
                .warn(format!("node {} has no address, and no line in /etc/hosts", target.name))?;
            continue;
        };
        check_name(&target.name)?;
        let mut names = vec![target.name];
        names.extend(declared.names);
        if let Some(domain) = domain {
            let full: Vec<_> = names
                .iter()
                .filter(|name| !name.contains('.'))
                .map(|name| format!("{name}.{domain}"))
                .collect();
            names.splice(0..0, full);
        }
        writeln!(lines, "{address} {}", names.join(" "))?;
    }
    let mut lines = BlockInFile::new("/etc/hosts", block.clone(), lines);
    lines.create = true;
    if lines.content.as_deref() == Some("") {
        lines.content = None;
        lines.action = LineAction::Absent;
    }
    request.add(lines)
}

#[cfg(test)]
mod tests {
    use super::super::EtcHosts;
    use super::*;

    fn content(recorder: &Recorder<EtcHosts>) -> Value {
        recorder.actions().last().unwrap().arguments["content"].clone()
    }

    #[test]
    fn every_node_has_a_line() {
        let mut recorder = Recorder::<EtcHosts>::on("debian 12");
        recorder.call("nodes", json!({})).unwrap();
        assert_eq!(content(&recorder), "192.0.2.1 node-1\n");
        recorder
            .call("settings", json!({"names": ["db", "db.b.example"], "address": "192.0.2.7"}))
            .unwrap();
        recorder.call("nodes", json!({"domain": "a.example"})).unwrap();
        assert_eq!(
            content(&recorder),
            "192.0.2.7 node-1.a.example db.a.example node-1 db db.b.example\n"
        );
        recorder.call("nodes", json!({"groups": ["other"]})).unwrap();
        assert_eq!(recorder.actions().last().unwrap().arguments["action"], "absent");
    }

    #[test]
    fn what_makes_no_line_is_refused() {
        let mut recorder = Recorder::<EtcHosts>::on("debian 12");
        for (function, arguments) in [
            ("settings", json!({"names": ["a b"]})),
            ("settings", json!({"address": "db.example"})),
            ("nodes", json!({"domain": "a b"})),
            ("nodes", json!({"block": "a\nb"})),
        ] {
            assert!(recorder.call(function, &arguments).is_err(), "{arguments}");
        }
    }
}
