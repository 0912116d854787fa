//! Launches an instance. Client tokens make repeated requests create only one.

use std::collections::BTreeMap;
use std::time::Duration;

use pallet_core::prelude::*;

use crate::api::{ApiError, Call};
use crate::instances::Instance;
use crate::network::{self, Network};
use crate::options::NodeOptions;
use crate::service::Ec2;
use crate::tags;
use crate::user_data::{self, HostKey};

/// The common properties of all requested nodes.
#[derive(Debug)]
pub(crate) struct Launch<'a> {
    service: &'a Ec2,
    wanted: &'a RunNodes,
    options: NodeOptions,
    image: &'a Image,
    kind: String,
    network: Network,
    groups: Vec<String>,
    key_name: Option<String>,
    /// The first generation of each name whose token may still be unused: each recently destroyed
    /// node has used up one.
    first: BTreeMap<String, u32>,
    /// The root device with its size, if it differs from the image's.
    root: Option<(String, Option<u64>)>,
}

impl<'a> Launch<'a> {
    /// Creates what nodes require: a security group, a key pair.
    pub(crate) fn prepare(
        service: &'a Ec2,
        wanted: &'a RunNodes,
        past: &[Instance],
    ) -> Result<Self, ApiError> {
        let options = NodeOptions::of(&wanted.spec)?;
        let image = wanted.image.as_ref().ok_or_else(|| {
            PluginError::invalid_input("no image was chosen at ec2")
                .with_help("name one by `image_id` of the node-spec")
        })?;
        let kind = options
            .instance_type
            .clone()
            .or_else(|| wanted.hardware.as_ref().map(|hardware| hardware.id.clone()));
        let kind = kind.ok_or_else(|| {
            PluginError::invalid_input("no kind of machine was chosen at ec2")
                .with_help("name one by `hardware_id` of the node-spec")
        })?;
        let spec = wanted.spec.network.clone().unwrap_or_default();
        let zone = wanted.location.as_ref().map(|location| location.id.as_str());
        let network = network::network(service, &spec, zone)?;
        let groups = network::security_groups(service, &wanted.group, &network, &spec)?;
        let key_name = key_pair(service)?;
        let mut launch = Launch {
            service,
            wanted,
            options,
            image,
            kind,
            network,
            groups,
            key_name,
            first: first(past),
            root: None,
        };
        launch.root = launch.root_volume()?;
        Ok(launch)
    }

    fn root_volume(&self) -> Result<Option<(String, Option<u64>)>, ApiError> {
        let asked = self.wanted.spec.hardware.as_ref().and_then(|hardware| hardware.min_disk);
        let larger = asked.filter(|size| self.image.min_disk.is_none_or(|own| own < *size));
        let size = self.options.root_volume_size.or(larger);
        if size.is_none() && self.options.root_volume_type.is_none() {
            return Ok(None);
        }
        let answer = self
            .service
            .api
            .call(&Call::new("DescribeImages").list("ImageId", [&self.image.id]))?;
        let device =
            answer.items("imagesSet").next().and_then(|image| image.some("rootDeviceName"));
        let unknown = || {
            ApiError::from(PluginError::invalid_input(format!(
                "ec2 does not say what the root device of {} is",
                self.image.id
            )))
        };
        Ok(Some((device.ok_or_else(unknown)?, size)))
    }

    /// Returns an error if the user has stopped the operation.
    pub(crate) fn still_wanted(&self) -> Result<(), ApiError> {
        Ok(self.service.api.sleep(Duration::ZERO)?)
    }

    /// Creates the node with this name, or returns the one that an earlier identical request
    /// created.
    pub(crate) fn launch(&self, name: &str) -> Result<Instance, ApiError> {
        let api = &self.service.api;
        for generation in self.first.get(name).copied().unwrap_or_default().. {
            self.still_wanted()?;
            let token = token(&self.wanted.token, name, generation);
            let host_key = HostKey::new()?;
            match api.call(&self.call(name, generation, &token, &host_key)) {
                Ok(answer) => {
                    let made = answer.items("instancesSet").next().map(Instance::of);
                    let nameless =
                        || PluginError::failed("ec2 created an instance without naming it").into();
                    return made.ok_or_else(nameless);
                }
                Err(error) if error.is("IdempotentInstanceTerminated") => {}
                // a process that was killed created it, with another host key
                Err(error) if error.is("IdempotentParameterMismatch") => {
                    if let Some(made) = self.made_with(&token)? {
                        return Ok(made);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Err(PluginError::transient(format!(
            "ec2 created and terminated {name} too often; try again tomorrow"
        ))
        .into())
    }

    /// The running instance that was created with a token. A new one is not visible everywhere at
    /// once.
    fn made_with(&self, token: &str) -> Result<Option<Instance>, ApiError> {
        let api = &self.service.api;
        let call = Call::new("DescribeInstances").filter("client-token", [token]);
        for _ in 0..5 {
            let reservations = api.pages(&call, 1000, "reservationSet")?;
            let made = reservations
                .iter()
                .flat_map(|reservation| reservation.items("instancesSet"))
                .map(Instance::of)
                .next();
            match made {
                Some(made) if made.is_gone() => return Ok(None),
                Some(made) if made.tag(tags::PROJECT) == self.service.context.project => {
                    return Ok(Some(made));
                }
                _ => api.sleep(Duration::from_secs(2))?,
            }
        }
        Ok(None)
    }

    fn call(&self, name: &str, generation: u32, token: &str, host_key: &HostKey) -> Call {
        let spec = &self.wanted.spec;
        let options = &self.options;
        let context = &self.service.context;
        let image_user = self.image.login_user.as_deref();
        let mut call = Call::new("RunInstances")
            .set("MinCount", 1)
            .set("MaxCount", 1)
            .set("ClientToken", token);
        call = call
            .set("ImageId", &self.image.id)
            .set("InstanceType", &self.kind)
            .maybe("KeyName", self.key_name.as_ref());
        call = call
            .set("UserData", user_data::user_data(name, &context.admin_user, image_user, host_key));
        call = match options.public_address {
            // a public address is requested through the network interface
            Some(public) => {
                let own = call
                    .set("NetworkInterface.1.DeviceIndex", 0)
                    .set("NetworkInterface.1.AssociatePublicIpAddress", public);
                let own = own.maybe("NetworkInterface.1.SubnetId", self.network.subnet.as_ref());
                own.list("NetworkInterface.1.SecurityGroupId", &self.groups)
            }
            None => call
                .maybe("SubnetId", self.network.subnet.as_ref())
                .list("SecurityGroupId", &self.groups),
        };
        if let (None, Some(location)) = (&self.network.subnet, &self.wanted.location) {
            call = call.set("Placement.AvailabilityZone", &location.id);
        }
        call = call.maybe("Placement.GroupName", options.placement_group.as_ref());
        if let Some(profile) = &options.iam_instance_profile {
            call = call.set(
                if profile.starts_with("arn:") {
                    "IamInstanceProfile.Arn"
                } else {
                    "IamInstanceProfile.Name"
                },
                profile,
            );
        }
        if let Some((device, size)) = &self.root {
            call = call
                .set("BlockDeviceMapping.1.DeviceName", device)
                .set("BlockDeviceMapping.1.Ebs.DeleteOnTermination", true);
            call = call.maybe("BlockDeviceMapping.1.Ebs.VolumeSize", *size);
            call = call
                .maybe("BlockDeviceMapping.1.Ebs.VolumeType", options.root_volume_type.as_ref());
        }
        if let Some(qos) = &spec.qos {
            call = call.maybe("Monitoring.Enabled", qos.enable_monitoring);
            if let Some(price) = qos.spot_price {
                call = call.set("InstanceMarketOptions.MarketType", "spot");
                call = call.set("InstanceMarketOptions.SpotOptions.MaxPrice", price);
                call = call.set("InstanceMarketOptions.SpotOptions.SpotInstanceType", "one-time");
            }
        }
        // set at creation, so that a process that is killed leaves nothing that cannot be found
        call.tags(&["instance", "volume"], &self.tags(name, generation, host_key))
    }

    fn tags(&self, name: &str, generation: u32, host_key: &HostKey) -> BTreeMap<String, String> {
        let mut tags = tags::of_project(&self.service.context.project);
        tags.extend(self.wanted.spec.tags.clone());
        tags.insert(tags::GENERATION.to_owned(), generation.to_string());
        let own = [
            (tags::GROUP, self.wanted.group.as_str()),
            (tags::NAME, name),
            ("Name", name),
            (tags::HOST_KEY, &host_key.public),
        ];
        tags.extend(own.map(|(key, value)| (key.to_owned(), value.to_owned())));
        if let Some(user) = &self.image.login_user {
            tags.insert(tags::IMAGE_USER.to_owned(), user.clone());
        }
        tags
    }
}

/// The name of the key pair for new nodes: that of the options, or one imported for the admin user;
/// `None` if EC2 supports none of the keys.
fn key_pair(service: &Ec2) -> Result<Option<String>, ApiError> {
    if let Some(name) = &service.options.key_name {
        return Ok(Some(name.clone()));
    }
    let context = &service.context;
    let Some((name, material)) =
        user_data::key_pair(&context.project, &context.admin_user.public_keys)
    else {
        return Ok(None);
    };
    let call = Call::new("ImportKeyPair").set("KeyName", &name).set("PublicKeyMaterial", material);
    match service.api.call(&call.tags(&["key-pair"], &tags::of_project(&context.project))) {
        Err(error) if error.is("InvalidKeyPair.Duplicate") => {}
        answer => drop(answer?),
    }
    Ok(Some(name))
}

/// For each name, the generation after the last known one.
fn first(past: &[Instance]) -> BTreeMap<String, u32> {
    let mut first = BTreeMap::new();
    for instance in past {
        let next = instance
            .tag(tags::GENERATION)
            .parse::<u32>()
            .map_or(0, |generation| generation.saturating_add(1));
        let known: &mut u32 = first.entry(instance.tag(tags::NAME).to_owned()).or_default();
        *known = next.max(*known);
    }
    first
}

/// The client token of a node: 64 characters, EC2's maximum.
fn token(wish: &str, name: &str, generation: u32) -> String {
    tags::digest(&format!("{wish}\n{name}\n{generation}"))
}
