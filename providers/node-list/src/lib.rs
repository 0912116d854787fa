//! Existing machines, reached over ssh: a provider that neither creates nor destroys nodes.
#![forbid(unsafe_code)]

mod options;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::IpAddr;

use pallet_core::prelude::*;

use options::{Machine, Options};

/// A configured service with its list.
struct NodeList {
    service: String,
    nodes: Vec<Node>,
}

impl Provider for NodeList {
    const NAME: &'static str = "node-list";
    const ABOUT: &'static str = "Machines that exist, reached over ssh";
    type Options = Options;

    fn connect(options: Options, context: ServiceContext) -> Result<Self> {
        let service = if context.service.is_empty() {
            Self::NAME.to_owned()
        } else {
            context.service.clone()
        };
        let mut nodes: Vec<Node> = Vec::new();
        // the place of each machine, to find duplicates
        let mut places = BTreeMap::new();
        for (name, machine) in &options.nodes.0 {
            let invalid = |why: &str| {
                PluginError::invalid_input(format!("services.{service}: node `{name}` {why}"))
            };
            ensure!(
                is_host_name(name),
                invalid("has no valid name").with_help(
                    "a name is up to 63 of a-z, 0-9 and `-`; what ssh connects to is its `host`"
                )
            );
            ensure!(
                is_host_name(&machine.group),
                invalid(&format!(
                    "belongs to group `{}`, which cannot be the name of one",
                    machine.group
                ))
            );
            ensure!(nodes.iter().all(|node| node.name != *name), invalid("is listed twice"));
            let host = machine.host.as_ref().unwrap_or(name);
            if let Some((why, help)) = wrong_address(host, machine) {
                return Err(invalid(&why).with_help(help).into());
            }
            let place = (canonical(host), machine.port.unwrap_or(SSH));
            if let Some(other) = places.insert(place.clone(), name) {
                let port =
                    if place.1 == SSH { String::new() } else { format!(", port {}", place.1) };
                return Err(invalid(&format!(
                    "is the same machine as `{other}`: both have host {}{port}",
                    place.0
                ))
                .into());
            }
            nodes.push(node(name, machine, &context));
        }
        Ok(NodeList { service, nodes })
    }

    fn nodes(&self) -> Result<Vec<Node>> {
        Ok(self.nodes.clone())
    }

    fn run_nodes(&self, wanted: &RunNodes) -> Result<Vec<Created>> {
        let outcome = |name: &String| {
            let listed = self
                .nodes
                .iter()
                .find(|node| node.name == *name && node.group.as_ref() == Some(&wanted.group));
            match listed {
                Some(node) => Created::Node(Box::new(node.clone())),
                None => Created::Failed(self.cannot_make(name, &wanted.group)),
            }
        };
        Ok(wanted.names.iter().map(outcome).collect())
    }

    fn destroy_nodes(&self, ids: &[String]) -> Result<()> {
        let listed: Vec<_> = self
            .nodes
            .iter()
            .filter(|node| ids.contains(&node.id))
            .map(|node| node.name.as_str())
            .collect();
        if listed.is_empty() {
            return Ok(());
        }
        let message =
            format!("provider node-list never destroys machines, so not {}", listed.join(", "));
        let help = format!(
            "remove it from services.{}.nodes in pallet.toml, or raise the count of its group-spec",
            self.service
        );
        Err(PluginError::unsupported(message).with_help(help).into())
    }
}

/// The default port of ssh.
const SSH: u16 = 22;

/// An error about the address of a machine, with a suggestion.
fn wrong_address(host: &str, machine: &Machine) -> Option<(String, String)> {
    let wrong = |why: String, help: &str| Some((why, help.to_owned()));
    let odd = |text: &str| {
        text.starts_with('-')
            || text.contains(|letter: char| letter.is_whitespace() || letter.is_control())
    };
    if host.trim().is_empty() {
        return wrong(
            "has an empty `host`".to_owned(),
            "leave it away if the node's name is what ssh connects to",
        );
    }
    if let Some((user, bare)) = host.rsplit_once('@') {
        return Some((
            format!("has the host {host:?}, with a user in it"),
            format!("write host = {bare:?} and user = {user:?}"),
        ));
    }
    if let Some((bare, port)) = host.rsplit_once(':')
        && port.parse::<u16>().is_ok()
        && (!bare.contains(':') || bare.ends_with(']'))
    {
        return Some((
            format!("has the host {host:?}, with a port in it"),
            format!("write host = {bare:?} and port = {port}"),
        ));
    }
    if odd(host) || host.contains('/') {
        return wrong(
            format!("has the host {host:?}, which ssh cannot connect to"),
            "a host is a name, an address, or a `Host` of the ssh configuration",
        );
    }
    if let Some(user) = machine.user.as_deref().filter(|user| user.is_empty() || odd(user)) {
        return wrong(
            format!("has the user {user:?}, which nobody can log in as"),
            "leave it away for the admin user",
        );
    }
    if machine.port == Some(0) {
        return wrong(
            "has port 0".to_owned(),
            "a port is a number from 1 to 65535; omit it for 22",
        );
    }
    None
}

/// A canonical form of a host: names are case-insensitive, and addresses have several forms.
fn canonical(host: &str) -> String {
    let host = host.trim();
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    match bare.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().to_string(),
        Err(_) => host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase(),
    }
}

impl NodeList {
    fn cannot_make(&self, name: &str, group: &str) -> PluginError {
        let in_group: Vec<_> = self
            .nodes
            .iter()
            .filter(|node| node.group.as_deref() == Some(group))
            .map(described)
            .collect();
        let there = if in_group.is_empty() { "none".to_owned() } else { in_group.join(", ") };
        let message = format!(
            "provider node-list cannot make machines, so not {name}; of group \
            {group} it lists {there}"
        );
        let help = format!(
            "add one to services.{}.nodes in pallet.toml, or lower the count of group-spec {group}",
            self.service
        );
        PluginError::unsupported(message).with_help(help)
    }
}

fn described(node: &Node) -> String {
    match &node.connection {
        Connection::Ssh(ssh) if ssh.host != node.name => format!("{} ({})", node.name, ssh.host),
        _ => node.name.clone(),
    }
}

fn node(name: &str, machine: &Machine, context: &ServiceContext) -> Node {
    let path = |text: &String| match text.strip_prefix("~/") {
        Some(rest) => context.home.join(rest),
        None => context.directory.join(text),
    };
    let ssh = SshConnection {
        host: machine.host.as_deref().unwrap_or(name).to_owned(),
        port: machine.port,
        user: machine.user.clone(),
        identity_files: machine
            .identity_files
            .iter()
            .map(|file| path(file).to_string_lossy().into_owned())
            .collect(),
        host_keys: machine.host_keys.clone(),
    };
    Node {
        group: Some(machine.group.clone()),
        // a name may have a meaning only in the ssh configuration
        address: machine.address.clone().or_else(|| machine.host.clone()),
        os: machine.os.as_deref().map(|text| Os::named(text, "")),
        tags: machine.tags.clone(),
        permanent: true,
        ..Node::new(name, name, Connection::Ssh(ssh))
    }
}

pallet_core::export_provider!(NodeList);
