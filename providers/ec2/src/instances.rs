//! Instances as nodes.

use std::collections::BTreeMap;

use pallet_core::prelude::*;

use crate::api::{Api, ApiError, Call, Element, seconds};
use crate::options::AddressKind;
use crate::tags;

/// The states of an instance that still exists.
const THERE: [&str; 4] = ["pending", "running", "stopping", "stopped"];

/// Maximum number of instances in one call.
const BATCH: usize = 100;

/// An instance of the project.
#[derive(Debug, Clone, Default)]
pub(crate) struct Instance {
    pub(crate) id: String,
    pub(crate) state: String,
    /// EC2's reason for its state; may be empty.
    pub(crate) reason: String,
    pub(crate) public: Option<String>,
    pub(crate) private: Option<String>,
    pub(crate) tags: BTreeMap<String, String>,
    launched: u64,
}

impl Instance {
    pub(crate) fn of(item: &Element) -> Self {
        let own = item.text("stateReason/message");
        Instance {
            id: item.text("instanceId").to_owned(),
            state: item.text("instanceState/name").to_owned(),
            reason: if own.is_empty() { item.text("reason") } else { own }.to_owned(),
            public: item.some("ipAddress"),
            private: item.some("privateIpAddress").or_else(|| item.some("ipv6Address")),
            tags: item.tags(),
            launched: seconds(item.text("launchTime")),
        }
    }

    /// Whether it will never run again.
    pub(crate) fn is_gone(&self) -> bool {
        !THERE.contains(&self.state.as_str())
    }

    pub(crate) fn tag(&self, key: &str) -> &str {
        self.tags.get(key).map(String::as_str).unwrap_or_default()
    }

    /// The address to connect to.
    pub(crate) fn address(&self, kind: Option<AddressKind>) -> Option<&String> {
        match kind {
            Some(AddressKind::Public) => self.public.as_ref(),
            Some(AddressKind::Private) => self.private.as_ref(),
            None => self.public.as_ref().or(self.private.as_ref()),
        }
    }

    pub(crate) fn node(&self, kind: Option<AddressKind>) -> Node {
        let address = self.address(kind).cloned();
        let name = match self.tag(tags::NAME) {
            "" => &self.id,
            name => name,
        };
        let ssh = SshConnection {
            host: address.clone().unwrap_or_else(|| name.to_owned()),
            host_keys: self.tags.get(tags::HOST_KEY).cloned().into_iter().collect(),
            ..SshConnection::default()
        };
        let status = match self.state.as_str() {
            "running" => NodeStatus::Running,
            "pending" => NodeStatus::Starting,
            "stopping" | "stopped" => NodeStatus::Stopped,
            _ => NodeStatus::Unknown,
        };
        let mut kept = self.tags.clone();
        kept.remove(tags::HOST_KEY);
        Node {
            group: self.tags.get(tags::GROUP).cloned(),
            address,
            image_user: self.tags.get(tags::IMAGE_USER).cloned(),
            status,
            tags: kept,
            taggable: true,
            created: self.launched,
            ..Node::new(&self.id, name, Connection::Ssh(ssh))
        }
    }
}

/// The project's instances that still exist.
pub(crate) fn of_project(api: &Api, project: &str) -> Result<Vec<Instance>, ApiError> {
    let mut there = in_states(api, project, THERE)?;
    there.retain(|instance| !instance.is_gone());
    Ok(there)
}

/// The project's terminated instances; EC2 lists them for about an hour.
pub(crate) fn past(api: &Api, project: &str) -> Result<Vec<Instance>, ApiError> {
    in_states(api, project, ["shutting-down", "terminated"])
}

fn in_states<const N: usize>(
    api: &Api,
    project: &str,
    states: [&str; N],
) -> Result<Vec<Instance>, ApiError> {
    let call = Call::new("DescribeInstances")
        .filter(&tags::filter(tags::PROJECT), [project])
        .filter("instance-state-name", states);
    let reservations = api.pages(&call, 1000, "reservationSet")?;
    // filters are patterns, so a `*` in a project's name would match others
    let all = reservations
        .iter()
        .flat_map(|reservation| reservation.items("instancesSet"))
        .map(Instance::of);
    Ok(all.filter(|instance| instance.tag(tags::PROJECT) == project).collect())
}

/// The instances with these ids that the service knows, in any state. Uses a filter, because naming
/// an instance that is not visible yet is an error.
pub(crate) fn by_id(api: &Api, ids: &[String]) -> Result<Vec<Instance>, ApiError> {
    let mut found = Vec::new();
    for ids in ids.chunks(BATCH) {
        let reservations = api.pages(
            &Call::new("DescribeInstances").filter("instance-id", ids),
            1000,
            "reservationSet",
        )?;
        found.extend(
            reservations
                .iter()
                .flat_map(|reservation| reservation.items("instancesSet"))
                .map(Instance::of),
        );
    }
    Ok(found)
}

/// Terminates those of the instances that belong to the project. Instances that no longer exist are
/// skipped.
pub(crate) fn terminate(api: &Api, project: &str, ids: &[String]) -> Result<(), ApiError> {
    let known = by_id(api, ids)?;
    let own: Vec<_> = known
        .iter()
        .filter(|instance| instance.tag(tags::PROJECT) == project && !instance.is_gone())
        .collect();
    let own: Vec<_> = own.into_iter().map(|instance| instance.id.clone()).collect();
    for ids in own.chunks(BATCH) {
        match api.call(&Call::new("TerminateInstances").list("InstanceId", ids)) {
            // if one of them no longer exists, EC2 terminates none
            Err(error) if error.is("InvalidInstanceID.NotFound") => terminate_each(api, ids)?,
            answer => drop(answer?),
        }
    }
    Ok(())
}

fn terminate_each(api: &Api, ids: &[String]) -> Result<(), ApiError> {
    for id in ids {
        match api.call(&Call::new("TerminateInstances").list("InstanceId", [id])) {
            Err(error) if error.is("InvalidInstanceID.NotFound") => {}
            answer => drop(answer?),
        }
    }
    Ok(())
}
