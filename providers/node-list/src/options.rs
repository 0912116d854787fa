//! The options of a service in pallet.toml: its machines.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use pallet_core::prelude::*;
use pallet_core::schemars::{Schema, SchemaGenerator, json_schema};
use pallet_core::serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use pallet_core::serde::ser::Serializer;

pallet_core::parameters! {
    /// Existing machines, reached over ssh.
    pub(crate) struct Options {
        /// The machines: a table for each, by name (`[services.NAME.nodes.web-1]`), or a list of
        /// tables that each have a `name`.
        pub(crate) nodes: Machines
    }

    /// A machine that exists.
    pub(crate) struct Machine {
        /// Its name, in the list form; in the table form the key is the name.
        #[serde(default)]
        pub(crate) name: Option<String>,
        /// The group of the node.
        pub(crate) group: String,
        /// The ssh destination: a host name, an address, or a `Host` of the ssh configuration.
        /// Default: the node's name.
        #[serde(default)]
        pub(crate) host: Option<String>,
        /// The TCP port of ssh. Default: the port in the ssh configuration, or 22.
        #[serde(default)]
        pub(crate) port: Option<u16>,
        /// The login user. Default: the user in the ssh configuration, or the admin user.
        #[serde(default)]
        pub(crate) user: Option<String>,
        /// Private keys to log in with: paths, relative to the project, or to the home directory
        /// after `~/`.
        #[serde(default)]
        pub(crate) identity_files: Vec<String>,
        /// Its host keys, as `ssh-ed25519 AAAA...`. Default: those in known_hosts.
        #[serde(default)]
        pub(crate) host_keys: Vec<String>,
        /// The address of its services, if it differs from the host.
        #[serde(default)]
        pub(crate) address: Option<String>,
        /// Tags to select it by.
        #[serde(default)]
        pub(crate) tags: BTreeMap<String, String>,
        /// Its operating system, to know it before the first connection: `debian`, `debian 12`.
        #[serde(default)]
        pub(crate) os: Option<String>
    }
}

/// The machines, by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Machines(pub(crate) Vec<(String, Machine)>);

impl<'de> Deserialize<'de> for Machines {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BothForms)
    }
}

struct BothForms;

impl<'de> Visitor<'de> for BothForms {
    type Value = Machines;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of machines by name, or a list of them")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Machines, A::Error> {
        use pallet_core::serde::de::Error;
        let mut machines = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            let machine: Machine = map
                .next_value()
                .map_err(|error| A::Error::custom(format_args!("node {name}: {error}")))?;
            if machine.name.as_ref().is_some_and(|other| *other != name) {
                return Err(A::Error::custom(format_args!(
                    "node {name}: its key is its name, so it needs no `name`"
                )));
            }
            machines.push((name, machine));
        }
        Ok(Machines(machines))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Machines, A::Error> {
        use pallet_core::serde::de::Error;
        let mut machines = Vec::new();
        while let Some(machine) = list.next_element::<Machine>()? {
            let position = machines.len() + 1;
            let name = machine.name.clone().ok_or_else(|| {
                A::Error::custom(format_args!("node {position} of the list has no `name`"))
            })?;
            machines.push((name, machine));
        }
        Ok(Machines(machines))
    }
}

impl Serialize for Machines {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, machine)| (name, machine)))
    }
}

impl JsonSchema for Machines {
    fn schema_name() -> Cow<'static, str> {
        "Machines".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let machine = generator.subschema_for::<Machine>();
        json_schema!({
            "anyOf": [
                { "type": "object", "additionalProperties": machine },
                { "type": "array", "items": machine },
            ]
        })
    }
}
