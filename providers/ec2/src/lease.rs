//! The lease of a project's nodes: a security group. Its name is unique in a VPC, so only one of
//! two processes can create it.

use std::collections::BTreeMap;
use std::time::Duration;

use pallet_core::prelude::*;

use crate::api::{ApiError, Call, Element};
use crate::network::{self, LEASE_TAG, Network};
use crate::service::Ec2;
use crate::tags;

/// Maximum number of attempts: others may be faster, and EC2's view may lag behind.
const ATTEMPTS: usize = 8;

/// Maximum length of a tag's value, in characters.
const LONGEST: usize = 255;

/// Takes or renews the lease. Returns the lease of another holder, if there is one.
pub(crate) fn take(service: &Ec2, wanted: &Lease) -> Result<Option<Lease>, ApiError> {
    let (api, name) = (&service.api, name(service));
    let network = network(service)?;
    let make = network::create_group(&name, "lease of pallet", network.vpc.as_ref())
        .tags(&["security-group"], &tags_of(service, wanted));
    for attempt in 0..ATTEMPTS {
        match api.call(&make) {
            Ok(_) => return Ok(None),
            Err(error) if error.is("InvalidGroup.Duplicate") => {}
            Err(error) => return Err(error),
        }
        let Some(group) = network::find(api, &name, &network)?
            .filter(|group| group.tags().contains_key(LEASE_TAG))
        else {
            // it was deleted meanwhile, or it or its tags are not visible everywhere yet
            api.sleep(Duration::from_millis(200 << attempt.min(4)))?;
            continue;
        };
        let (id, held) = (group.text("groupId"), lease(&group));
        if held.until <= unix_time() {
            // deletes it by id: another process that does the same cannot delete a newer lease, and
            // only one of them can create the next
            delete(service, id)?;
        } else if held.token == wanted.token {
            let renewed = tags_of(service, wanted);
            match api
                .call(&Call::new("CreateTags").list("ResourceId", [id]).tag_list("Tag", &renewed))
            {
                Err(error) if error.is_not_found() => {}
                answer => return answer.map(|_| None),
            }
        } else {
            return Ok(Some(held));
        }
    }
    let message = format!("cannot determine at ec2 who holds the lease {name}");
    Err(PluginError::transient(message).with_help("run it again").into())
}

/// Releases the lease, if this token holds it.
pub(crate) fn release(service: &Ec2, token: &str) -> Result<(), ApiError> {
    let network = network(service)?;
    match network::find(&service.api, &name(service), &network)? {
        Some(group) if lease(&group).token == token => delete(service, group.text("groupId")),
        _ => Ok(()),
    }
}

fn delete(service: &Ec2, id: &str) -> Result<(), ApiError> {
    match service.api.call(&Call::new("DeleteSecurityGroup").set("GroupId", id)) {
        Err(error) if error.is_not_found() => Ok(()),
        answer => answer.map(drop),
    }
}

fn name(service: &Ec2) -> String {
    format!("pallet-lease-{}", tags::plain(&service.context.project))
}

/// The VPC of the lease. There is one lease for all nodes of the service, wherever node-specs put
/// them, so it is where all processes with the same options look: in the VPC of the options, the
/// default VPC or, without one, the first of all VPCs.
fn network(service: &Ec2) -> Result<Network, ApiError> {
    let network = network::network(service, &NetworkSpec::default(), None)?;
    if network.vpc.is_some() {
        return Ok(network);
    }
    let vpcs = service.api.pages(&Call::new("DescribeVpcs"), 1000, "vpcSet")?;
    let default = vpcs.iter().find(|vpc| vpc.text("isDefault") == "true");
    let vpc = default.or_else(|| vpcs.iter().min_by_key(|vpc| vpc.text("vpcId")));
    let nowhere =
        || PluginError::not_found("ec2 has no VPC in this region").with_help("create one");
    Ok(Network { vpc: Some(vpc.ok_or_else(nowhere)?.text("vpcId").to_owned()), ..network })
}

/// A tag for each field of a lease.
fn tags_of(service: &Ec2, lease: &Lease) -> BTreeMap<String, String> {
    let mut tags = tags::of_project(&service.context.project);
    tags.insert(LEASE_TAG.to_owned(), "yes".to_owned());
    for (field, value) in fields(lease) {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        tags.insert(format!("{LEASE_TAG}-{field}"), text.chars().take(LONGEST).collect());
    }
    tags
}

/// The lease in a security group. An unreadable one has expired.
fn lease(group: &Element) -> Lease {
    let tags = group.tags();
    let mut told = fields(&Lease::default());
    for (field, value) in &mut told {
        let Some(text) = tags.get(&format!("{LEASE_TAG}-{field}")) else { continue };
        let read = if value.is_string() {
            Some(Value::String(text.clone()))
        } else {
            serde_json::from_str(text).ok()
        };
        *value = read.unwrap_or_else(|| value.clone());
    }
    serde_json::from_value(Value::Object(told.into_iter().collect())).unwrap_or_default()
}

fn fields(lease: &Lease) -> Vec<(String, Value)> {
    match serde_json::to_value(lease) {
        Ok(Value::Object(fields)) => fields.into_iter().collect(),
        _ => Vec::new(),
    }
}

/// Refuses a lease that does not fit into tags.
pub(crate) fn check(wanted: &Lease) -> Result<(), PluginError> {
    if wanted.token.is_empty() || wanted.token.chars().count() > LONGEST {
        return Err(PluginError::invalid_input("the token of a lease has 1 to 255 characters"));
    }
    Ok(())
}
