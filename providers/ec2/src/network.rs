//! The network of nodes: VPC, subnet and security groups.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use pallet_core::prelude::*;

use crate::api::{Api, ApiError, Call, Element};
use crate::service::Ec2;
use crate::tags;

/// The tag of security groups that are leases.
pub(crate) const LEASE_TAG: &str = node_tags::LEASE.tag;

/// Timeout for deleting security groups, which are in use until the last instance has ended.
const DELETION: Duration = Duration::from_secs(300);

/// The network of new nodes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Network {
    /// The subnet; `None`: the default subnet of the zone.
    pub(crate) subnet: Option<String>,
    /// The VPC; `None`: the default one.
    pub(crate) vpc: Option<String>,
}

/// Finds the VPC of the requested subnet, or a subnet of the VPC.
pub(crate) fn network(
    service: &Ec2,
    spec: &NetworkSpec,
    zone: Option<&str>,
) -> Result<Network, ApiError> {
    let options = &service.options;
    let subnet = spec.subnet.as_ref().or(options.subnet.as_ref());
    let call = Call::new("DescribeSubnets");
    match (subnet, &options.vpc) {
        (None, None) => Ok(Network::default()),
        (Some(subnet), vpc) => {
            let answer = service.api.call(&call.list("SubnetId", [subnet]))?;
            let of = answer.items("subnetSet").next().and_then(|subnet| subnet.some("vpcId"));
            if let (Some(vpc), Some(of)) = (vpc, &of)
                && vpc != of
            {
                return Err(PluginError::invalid_input(format!(
                    "subnet {subnet} is in {of}, and `vpc` of the service \
                    is {vpc}; remove one of them"
                ))
                .into());
            }
            Ok(Network { subnet: Some(subnet.clone()), vpc: of })
        }
        (None, Some(vpc)) => {
            let call = call.filter("vpc-id", [vpc]);
            let answer = service.api.call(&if let Some(zone) = zone {
                call.filter("availability-zone", [zone])
            } else {
                call
            })?;
            let free = |subnet: &&Element| {
                subnet.text("availableIpAddressCount").parse::<u32>().unwrap_or(1)
            };
            let roomiest = answer
                .items("subnetSet")
                .max_by_key(free)
                .and_then(|subnet| subnet.some("subnetId"));
            let nowhere = || {
                let place = zone.map(|zone| format!(" in {zone}")).unwrap_or_default();
                ApiError::from(PluginError::not_found(format!("{vpc} has no subnet{place}")))
            };
            Ok(Network { subnet: Some(roomiest.ok_or_else(nowhere)?), vpc: Some(vpc.clone()) })
        }
    }
}

/// All security groups of a node: Pallet's own, created with the requested ports, and those of the
/// node-spec.
pub(crate) fn security_groups(
    service: &Ec2,
    group: &str,
    network: &Network,
    spec: &NetworkSpec,
) -> Result<Vec<String>, ApiError> {
    let mut ids = vec![own_group(service, group, network, &spec.inbound_ports)?];
    for name in &spec.security_groups {
        let id = match name.starts_with("sg-") {
            true => name.clone(),
            false => {
                let found =
                    find(&service.api, name, network)?.and_then(|found| found.some("groupId"));
                found.ok_or_else(|| {
                    PluginError::not_found(format!("ec2 has no security group {name} there"))
                })?
            }
        };
        ids.push(id);
    }
    Ok(ids)
}

fn own_group(
    service: &Ec2,
    group: &str,
    network: &Network,
    ports: &[u16],
) -> Result<String, ApiError> {
    let project = &service.context.project;
    let name = format!("pallet-{}-{group}", tags::plain(project));
    let mut own = tags::of_project(project);
    own.insert(tags::GROUP.to_owned(), group.to_owned());
    let make = create_group(&name, "made by pallet for its nodes", network.vpc.as_ref())
        .tags(&["security-group"], &own);
    let existing = match find(&service.api, &name, network)? {
        Some(existing) => existing,
        None => match service.api.call(&make) {
            Ok(made) => made,
            // another process has just created it
            Err(error) if error.is("InvalidGroup.Duplicate") => {
                find(&service.api, &name, network)?.ok_or(error)?
            }
            Err(error) => return Err(error),
        },
    };
    let id = existing.text("groupId").to_owned();
    // the answer to a creation contains no tags
    if existing.get("groupName").is_some() && existing.tags().get(tags::PROJECT) != Some(project) {
        let message =
            format!("security group {name} ({id}) exists and is not of project {project}");
        return Err(PluginError::failed(message)
            .with_help("rename the project, or delete the group")
            .into());
    }
    set_rules(service, &existing, &id, ports)?;
    Ok(id)
}

/// Updates the open ports of a group of existing nodes. Nodes without Pallet's security group do
/// not get one.
pub(crate) fn share(service: &Ec2, wanted: &RunNodes) -> Result<(), ApiError> {
    let spec = wanted.spec.network.clone().unwrap_or_default();
    let network = network(service, &spec, None)?;
    let project = &service.context.project;
    let existing =
        find(&service.api, &format!("pallet-{}-{}", tags::plain(project), wanted.group), &network)?;
    match existing.filter(|existing| existing.tags().get(tags::PROJECT) == Some(project)) {
        Some(existing) => {
            set_rules(service, &existing, existing.text("groupId"), &spec.inbound_ports)
        }
        None => Ok(()),
    }
}

/// Makes the ports of Pallet's security group match.
fn set_rules(service: &Ec2, group: &Element, id: &str, ports: &[u16]) -> Result<(), ApiError> {
    let (there, wanted) = (rules_of(group), wanted_rules(ports, &service.options.ssh_from));
    for rule in wanted.difference(&there) {
        match service.api.call(&rule.call("AuthorizeSecurityGroupIngress", id)) {
            Err(error) if error.is("InvalidPermission.Duplicate") => {}
            answer => drop(answer?),
        }
    }
    for rule in there.difference(&wanted) {
        service.api.host().progress(format!(
            "closing port {} of {} to {}",
            rule.port,
            group.text("groupName"),
            rule.from
        ));
        match service.api.call(&rule.call("RevokeSecurityGroupIngress", id)) {
            Err(error) if error.is("InvalidPermission.NotFound") => {}
            answer => drop(answer?),
        }
    }
    Ok(())
}

/// A call that creates a security group.
pub(crate) fn create_group(name: &str, about: &str, vpc: Option<&String>) -> Call {
    Call::new("CreateSecurityGroup")
        .set("GroupName", name)
        .set("GroupDescription", about)
        .maybe("VpcId", vpc)
}

/// The security group with a name, in the VPC of a network.
pub(crate) fn find(api: &Api, name: &str, network: &Network) -> Result<Option<Element>, ApiError> {
    let mut call = Call::new("DescribeSecurityGroups").filter("group-name", [name]);
    let vpc = match &network.vpc {
        Some(vpc) => Some(vpc.clone()),
        None => default_vpc(api)?,
    };
    if let Some(vpc) = vpc {
        call = call.filter("vpc-id", [vpc]);
    }
    Ok(api
        .call(&call)?
        .items("securityGroupInfo")
        .find(|group| group.text("groupName") == name)
        .cloned())
}

fn default_vpc(api: &Api) -> Result<Option<String>, ApiError> {
    let answer = api.call(&Call::new("DescribeVpcs").filter("is-default", ["true"]))?;
    Ok(answer.items("vpcSet").next().and_then(|vpc| vpc.some("vpcId")))
}

/// A port that is open to a network.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Rule {
    port: u16,
    from: String,
}

impl Rule {
    /// A call that adds the rule to a security group, or removes it.
    fn call(&self, action: &'static str, group: &str) -> Call {
        let call = Call::new(action).set("GroupId", group).set("IpPermissions.1.IpProtocol", "tcp");
        let call = call
            .set("IpPermissions.1.FromPort", self.port)
            .set("IpPermissions.1.ToPort", self.port);
        match self.from.contains(':') {
            true => call.set("IpPermissions.1.Ipv6Ranges.1.CidrIpv6", &self.from),
            false => call.set("IpPermissions.1.IpRanges.1.CidrIp", &self.from),
        }
    }
}

fn wanted_rules(ports: &[u16], ssh_from: &[String]) -> BTreeSet<Rule> {
    let ssh = ssh_from.iter().map(|from| Rule { port: 22, from: from.clone() });
    let everywhere =
        |port: &u16| ["0.0.0.0/0", "::/0"].map(|from| Rule { port: *port, from: from.to_owned() });
    ssh.chain(ports.iter().flat_map(everywhere)).collect()
}

/// The rules of a group that have the form of Pallet's: one TCP port, and networks.
fn rules_of(group: &Element) -> BTreeSet<Rule> {
    let mut there = BTreeSet::new();
    for permission in
        group.items("ipPermissions").filter(|permission| permission.text("ipProtocol") == "tcp")
    {
        let (from, to) = (permission.text("fromPort"), permission.text("toPort"));
        let Some(port) = from.parse().ok().filter(|_| from == to) else { continue };
        let v4 = permission.items("ipRanges").map(|range| range.text("cidrIp"));
        let v6 = permission.items("ipv6Ranges").map(|range| range.text("cidrIpv6"));
        there.extend(v4.chain(v6).map(|from| Rule { port, from: from.to_owned() }));
    }
    there
}

/// Deletes the project's security groups and key pairs. A group is in use until the last instance
/// has ended.
pub(crate) fn clean_up(service: &Ec2) -> Result<(), ApiError> {
    let (api, project) = (&service.api, &service.context.project);
    let tag = tags::filter(tags::PROJECT);
    let groups = api.pages(
        &Call::new("DescribeSecurityGroups").filter(&tag, [project]),
        1000,
        "securityGroupInfo",
    )?;
    let own = |item: &&Element| item.tags().get(tags::PROJECT) == Some(project);
    let groups: Vec<_> =
        groups.iter().filter(own).filter(|group| !group.tags().contains_key(LEASE_TAG)).collect();
    let end = Instant::now() + DELETION;
    for group in groups {
        delete_group(api, group.text("groupId"), group.text("groupName"), end)?;
    }
    let pairs = api.call(&Call::new("DescribeKeyPairs").filter(&tag, [project]))?;
    for pair in pairs.items("keySet").filter(own) {
        api.call(&Call::new("DeleteKeyPair").set("KeyName", pair.text("keyName")))?;
    }
    Ok(())
}

fn delete_group(api: &Api, id: &str, name: &str, end: Instant) -> Result<(), ApiError> {
    let mut pause = Duration::from_secs(1);
    loop {
        match api.call(&Call::new("DeleteSecurityGroup").set("GroupId", id)) {
            Err(error) if error.is_not_found() => return Ok(()),
            Err(error) if error.is("DependencyViolation") || error.is("InvalidGroup.InUse") => {
                if Instant::now() > end {
                    let message = format!("security group {name} ({id}) is still in use");
                    let help = "run `down` again when its instances are gone, or see what else \
                        uses it";
                    return Err(PluginError::transient(message).with_help(help).into());
                }
                api.host().progress(format!("waiting until nothing uses security group {name}"));
                api.sleep(pause)?;
                pause = (pause * 2).min(Duration::from_secs(10));
            }
            answer => return answer.map(drop),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_rules_that_are_missing_are_made() {
        let group = "<g><ipPermissions><item><ipProtocol>tcp</ipProtocol><fromPort>22</fromPort>\
            <toPort>22</toPort>\
            <ipRanges><item><cidrIp>0.0.0.0/0</cidrIp></item></ipRanges><ipv6Ranges/></item>\
            <item><ipProtocol>udp</ipProtocol><fromPort>80</fromPort><toPort>80</toPort><ipRanges>\
            <item><cidrIp>0.0.0.0/0</cidrIp></item></ipRanges></item></ipPermissions></g>";
        let everywhere = ["0.0.0.0/0".to_owned(), "::/0".to_owned()];
        let wanted = wanted_rules(&[80], &everywhere);
        let missing: Vec<_> =
            wanted.difference(&rules_of(&Element::parse(group).unwrap())).cloned().collect();
        let shown: Vec<_> =
            missing.iter().map(|rule| format!("{} {}", rule.port, rule.from)).collect();
        assert_eq!(shown, ["22 ::/0", "80 0.0.0.0/0", "80 ::/0"]);
        assert!(missing[0].call("AuthorizeSecurityGroupIngress", "sg-1").body().ends_with(
            "IpPermissions.1.ToPort=22&IpPermissions.1.Ipv6Ranges.1.CidrIpv6=%3A%3A%2F0"
        ));
        let narrow = wanted_rules(&[], &["192.0.2.0/24".to_owned()]);
        assert_eq!(narrow.len(), 1);
    }
}
