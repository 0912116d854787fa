//! A node as phase functions see it: `request.target`.
#![allow(
    unsafe_code,
    reason = "the marker traits of starlark that are derived here are unsafe traits"
)]

use std::fmt;

use allocative::Allocative;
use pallet_core::model::{Details, Target};
use pallet_core::plugin::Request;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value as Json};
use starlark::any::ProvidesStaticType;
use starlark::collections::StarlarkHasher;
use starlark::starlark_simple_value;
use starlark::values::{
    Heap, StarlarkPagablePanic, StarlarkValue, Value, ValueLike, starlark_value,
};

use super::table::TableValue;

/// The attributes of a target, each with its type and its description.
pub(crate) const TARGET_ATTRIBUTES: &[(&str, &str, &str)] = &[
    ("id", "a string", "The provider's identifier of the node."),
    ("name", "a string", "The name of the node: `web-1`. It is unique in the project."),
    ("group", "a string", "The name of its group: `web`."),
    ("address", "a string", "Its address for other nodes; `None` while it has none."),
    ("roles", "a list of strings", "The roles of its group."),
    ("os", "a table", "Its operating system."),
    ("os_family", "a string", "The family of its system, as `os.family`."),
    ("os_version", "a string", "The version of its system, as `os.version`."),
    ("hostname", "a string", "Its own host name."),
    ("cores", "an integer", "Processor cores."),
    ("memory", "an integer", "Memory, in MiB."),
    ("swap", "an integer", "Swap space, in MiB."),
    ("kernel", "a string", "The release of the kernel: `6.1.0-13-amd64`."),
    (
        "virtualization",
        "a string",
        "What it runs in: `none`, `kvm`, `vmware`, `hyperv`, `docker`, `podman`, ...; empty if \
         that is unknown.",
    ),
    ("machine_id", "a string", "The ID in `/etc/machine-id`; empty if there is none."),
    ("selinux", "a string", "`enforcing`, `permissive` or `disabled`."),
    ("init", "a string", "The name of its first process: `systemd`."),
    ("facts", "a table", "The project's own facts, as `request.facts`."),
    ("boot_time", "an integer", "When it was started, in seconds since 1970."),
    (
        "disks",
        "a list of tables",
        "Its disks: `name`, `size` in MiB, and `rotational`; without loop devices and the like.",
    ),
    (
        "fqdn",
        "a string",
        "Its name with the domain, from its `/etc/hosts`; without one, its host name. No name \
         server is asked.",
    ),
    (
        "mounts",
        "a list of tables",
        "Its file systems: `path`, `device`, `kind` (`ext4`), and `size` and `free` in MiB, which \
         are `None` for those of other machines.",
    ),
    (
        "interfaces",
        "a list of tables",
        "Its network interfaces without the loopback: `name`, `mac`, `up`, `mtu`, and `addresses` \
         such as `192.0.2.10/24`, which need the program `ip` on the node.",
    ),
    ("default_route", "a table", "Its default route: `gateway` and `interface`; or `None`."),
    ("time_zone", "a string", "Its time zone: `Europe/Berlin`."),
    ("users", "a list of strings", "The users who are logged in, each once."),
];

/// The attributes of a target's operating system, with their descriptions.
pub(crate) const OS_ATTRIBUTES: &[(&str, &str, &str)] = &[
    ("id", "a string", "The distribution: `debian`, `ubuntu`, `rocky`."),
    ("version", "a string", "Its version: `12`, `9.4`."),
    ("family", "a string", "The family: `debian`, `red_hat`, `suse`, `arch`, `alpine`."),
    ("arch", "a string", "The architecture: `x86_64`, `aarch64`."),
    ("package_manager", "a string", "`apt`, `dnf`, `yum`, `zypper`, `pacman` or `apk`."),
    ("service_manager", "a string", "`systemd`, `openrc`, `runit` or `sysvinit`."),
];

/// The names of attributes.
pub(crate) fn names(attributes: &[(&'static str, &str, &str)]) -> Vec<&'static str> {
    attributes.iter().map(|(name, _, _)| *name).collect()
}

/// A node. Some of its attributes are only known if a function asks for them.
#[derive(ProvidesStaticType, Allocative, StarlarkPagablePanic)]
pub(crate) struct TargetValue {
    #[allocative(skip)]
    target: Target,
    #[allocative(skip)]
    request: Request,
}

starlark_simple_value!(TargetValue);

impl TargetValue {
    pub(crate) fn new(target: Target, request: Request) -> Self {
        TargetValue { target, request }
    }

    /// The ID of the node that a value is.
    pub(crate) fn id_of(value: Value<'_>) -> Option<&str> {
        Some(value.downcast_ref::<TargetValue>()?.target.id.as_str())
    }

    /// What is known of it without a question.
    fn table(&self) -> Map<String, Json> {
        let mut table = self.target.attributes(&Details::default());
        for (name, _) in Target::DETAIL_ATTRIBUTES {
            table.remove(name);
        }
        table
    }
}

impl fmt::Debug for TargetValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TargetValue({:?})", self.target.id)
    }
}

impl fmt::Display for TargetValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Json::Object(self.table()))
    }
}

impl Serialize for TargetValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.table().serialize(serializer)
    }
}

#[starlark_value(type = "target")]
impl<'v> StarlarkValue<'v> for TargetValue {
    fn get_attr(&self, attribute: &str, heap: Heap<'v>) -> Option<Value<'v>> {
        // what is read most often
        match attribute {
            "id" => return Some(heap.alloc(self.target.id.as_str())),
            "name" => return Some(heap.alloc(self.target.name.as_str())),
            "group" => return Some(heap.alloc(self.target.group.as_str())),
            _ => {}
        }
        let detail = Target::DETAIL_ATTRIBUTES.iter().find(|(name, _)| *name == attribute);
        let value = match detail {
            Some((_, detail)) => {
                let details = self.request.details_of(&self.target.id, &[*detail]);
                details.unwrap_or_default().attribute(attribute)?
            }
            None => self.table().remove(attribute)?,
        };
        let holder = Map::from_iter([(attribute.to_owned(), value)]);
        TableValue::new("request.target", holder).item(attribute, heap)
    }

    fn dir_attr(&self) -> Vec<String> {
        names(TARGET_ATTRIBUTES).into_iter().map(str::to_owned).collect()
    }

    fn equals(&self, other: Value<'v>) -> starlark::Result<bool> {
        Ok(TargetValue::id_of(other) == Some(self.target.id.as_str()))
    }

    fn write_hash(&self, hasher: &mut StarlarkHasher) -> starlark::Result<()> {
        std::hash::Hash::hash(&self.target.id, hasher);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use pallet_core::model::Target;

    use super::*;

    #[test]
    fn every_attribute_is_documented() {
        let target = crate::project::tests::bed::target(1, "web");
        let known = target.attributes(&Details::default());
        assert_eq!(known.keys().map(String::as_str).collect::<Vec<_>>(), names(TARGET_ATTRIBUTES));
        let os = known["os"].as_object().unwrap().keys();
        assert_eq!(os.map(String::as_str).collect::<Vec<_>>(), names(OS_ATTRIBUTES));
        for (name, _) in Target::DETAIL_ATTRIBUTES {
            assert!(names(TARGET_ATTRIBUTES).contains(&name));
        }
    }
}
