//! A node as the functions of its group see it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Detail, Details, Machine, Os};

/// What a phase function knows about a node: its own (`request.target`) or any other of the
/// project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// Identifies the node to its provider.
    pub id: String,
    /// The node's host name.
    pub name: String,
    /// The group it belongs to.
    pub group: String,
    /// The address of the node's services.
    #[serde(default)]
    pub address: Option<String>,
    /// The roles of its group, sorted.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Its operating system, as found on the node.
    pub os: Os,
    /// What it is, as found on the node; of a node that was never asked, nothing is known.
    #[serde(default)]
    pub machine: Machine,
    /// The project's own facts, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, Value>,
}

impl Target {
    /// What functions see of it, by name, with what is known of these details. What is unknown is
    /// empty.
    pub fn attributes(&self, details: &Details) -> Map<String, Value> {
        let Machine {
            hostname,
            cores,
            memory,
            swap,
            kernel,
            virtualization,
            machine_id,
            selinux,
            init,
        } = &self.machine;
        let mut attributes = Map::new();
        let known = [
            ("id", json!(self.id)),
            ("name", json!(self.name)),
            ("group", json!(self.group)),
            ("address", json!(self.address)),
            ("roles", json!(self.roles)),
            ("os", json!(self.os)),
            ("os_family", json!(self.os.family)),
            ("os_version", json!(self.os.version)),
            ("hostname", json!(hostname)),
            ("cores", json!(cores)),
            ("memory", json!(memory)),
            ("swap", json!(swap)),
            ("kernel", json!(kernel)),
            ("virtualization", json!(virtualization)),
            ("machine_id", json!(machine_id)),
            ("selinux", json!(selinux)),
            ("init", json!(init)),
            ("facts", json!(self.facts)),
        ];
        attributes.extend(known.map(|(name, value)| (name.to_owned(), value)));
        let of_details = Self::DETAIL_ATTRIBUTES
            .map(|(name, _)| (name.to_owned(), details.attribute(name).unwrap_or_default()));
        attributes.extend(of_details);
        attributes
    }

    /// The names of the attributes that are only read if a function wants to know them.
    pub const DETAIL_ATTRIBUTES: [(&str, Detail); 8] = [
        ("boot_time", Detail::BootTime),
        ("disks", Detail::Disks),
        ("fqdn", Detail::Fqdn),
        ("mounts", Detail::Mounts),
        ("interfaces", Detail::Network),
        ("default_route", Detail::Network),
        ("time_zone", Detail::TimeZone),
        ("users", Detail::Users),
    ];
}

impl Details {
    /// The value of one of [`DETAIL_ATTRIBUTES`](Target::DETAIL_ATTRIBUTES), empty if it is
    /// unknown; `None`: there is no such attribute.
    pub fn attribute(&self, name: &str) -> Option<Value> {
        let network = self.network.as_ref();
        Some(match name {
            "boot_time" => json!(self.boot_time),
            "disks" => json!(self.disks.as_deref().unwrap_or_default()),
            "fqdn" => json!(self.fqdn.as_deref().unwrap_or_default()),
            "mounts" => json!(self.mounts.as_deref().unwrap_or_default()),
            "interfaces" => json!(network.map(|one| &*one.interfaces).unwrap_or_default()),
            "default_route" => json!(network.and_then(|one| one.default_routes.first())),
            "time_zone" => json!(self.time_zone.as_deref().unwrap_or_default()),
            "users" => json!(self.users.clone().unwrap_or_default()),
            _ => return None,
        })
    }
}

/// The suffix of the address of a node that does not exist yet, in a plan:
/// `web-3.known-after-apply`.
pub const KNOWN_AFTER_APPLY: &str = ".known-after-apply";
