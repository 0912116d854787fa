//! The offers: images, hardware, locations.

use pallet_core::prelude::*;

use crate::ami_name::{self, NAMINGS, Named};
use crate::api::{Api, ApiError, Call, Element, seconds};

/// The images that may match, in order of preference: by distribution, version (LTS releases
/// first), architecture, and date.
pub(crate) fn images(
    api: &Api,
    owners: &[String],
    wanted: &ImageSpec,
) -> Result<Vec<Image>, PluginError> {
    let call = Call::new("DescribeImages");
    let found = match &wanted.image_id {
        // an image with a given id may have any owner
        Some(id) => api
            .call(&call.list("ImageId", [id]))
            .map(|answer| answer.items("imagesSet").cloned().collect())?,
        None => {
            let arch = wanted.arch.as_deref();
            let call = call
                .list("Owner", owners)
                .filter("state", ["available"])
                .filter("name", names(wanted));
            let call = if let Some(arch) = arch {
                call.filter("architecture", [ec2_arch(arch)])
            } else {
                call
            };
            api.pages(&call, 1000, "imagesSet")?
        }
    };
    let mut images: Vec<_> = found
        .iter()
        .filter(|image| wanted.image_id.is_some() || usable(image))
        .map(Candidate::of)
        .collect();
    if images.is_empty() {
        return Err(none(api, owners, wanted)?);
    }
    images.sort_by(|one, other| {
        one.key().cmp(&other.key()).then_with(|| other.created.cmp(&one.created))
    });
    Ok(images.into_iter().map(|candidate| candidate.image).collect())
}

/// EC2's name filters.
fn names(wanted: &ImageSpec) -> Vec<String> {
    if let Some(name) = &wanted.image_name {
        // EC2's filters are case-sensitive, node-specs are not: try the spellings of the user and
        // of the distributions
        let mut names = vec![name.clone(), name.to_lowercase(), name.to_uppercase()];
        for word in
            ["RHEL", "Rocky", "AlmaLinux OS", "CentOS Stream", "Fedora-Cloud-Base", "openSUSE-Leap"]
        {
            if let Some(rest) = name.to_lowercase().strip_prefix(&word.to_lowercase()) {
                names.push(format!("{word}{rest}"));
                names.push(format!("{word}{}", &name[name.len() - rest.len()..]));
            }
        }
        names.sort();
        names.dedup();
        return names;
    }
    // the host evaluates version ranges
    let plain = |version: &&String| {
        version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && !version.is_empty()
    };
    let version = wanted.os_version.as_ref().filter(plain).map(String::as_str);
    let asked = |id: &str| {
        wanted
            .os_family
            .as_ref()
            .is_none_or(|family| family == id || family == OsFamily::of(id, "").as_str())
    };
    NAMINGS
        .iter()
        .filter(|naming| asked(naming.id))
        .map(|naming| naming.filter(wanted.arch.as_deref(), version))
        .collect()
}

fn ec2_arch(arch: &str) -> &str {
    if arch == "aarch64" { "arm64" } else { arch }
}

/// Whether an ordinary instance can boot from it.
fn usable(image: &Element) -> bool {
    image.text("rootDeviceType") == "ebs"
        && ["", "machine"].contains(&image.text("imageType"))
        && ["", "hvm"].contains(&image.text("virtualizationType"))
        && image.text("platform") != "windows"
}

/// An image with its sort key.
#[derive(Debug)]
struct Candidate {
    image: Image,
    rank: usize,
    created: u64,
}

impl Candidate {
    fn of(image: &Element) -> Candidate {
        let (name, arch) = (image.text("name"), image.text("architecture"));
        let named: Option<Named> = ami_name::read(name, arch);
        let root = image.text("rootDeviceName");
        let min_disk =
            image.items("blockDeviceMapping").find(|device| device.text("deviceName") == root);
        Candidate {
            rank: named.as_ref().map_or(NAMINGS.len(), |named| named.rank),
            created: seconds(image.text("creationDate")),
            image: Image {
                id: image.text("imageId").to_owned(),
                name: name.to_owned(),
                login_user: named.as_ref().map(|named| named.login_user.to_owned()),
                os: named.map(|named| named.os),
                min_disk: min_disk.and_then(|device| device.text("ebs/volumeSize").parse().ok()),
            },
        }
    }

    /// The sort key; lower is preferred.
    fn key(&self) -> (usize, bool, Vec<std::cmp::Reverse<u32>>, bool) {
        let os = self.image.os.as_ref();
        let version = os.map(|os| os.version.as_str()).unwrap_or_default();
        // Ubuntu's interim releases are supported for only nine months
        let short = os.is_some_and(|os| os.id == "ubuntu")
            && !version.split_once('.').is_some_and(|(year, month)| {
                month == "04" && year.parse::<u32>().is_ok_and(|year| year % 2 == 0)
            });
        let numbers =
            version.split('.').map(|part| std::cmp::Reverse(part.parse().unwrap_or(0))).collect();
        (self.rank, short, numbers, os.is_none_or(|os| os.arch != "x86_64"))
    }
}

fn none(api: &Api, owners: &[String], wanted: &ImageSpec) -> Result<PluginError, PluginError> {
    let region = api.place()?.region;
    let what = match (&wanted.image_name, &wanted.os_family) {
        (Some(name), _) => format!("whose name matches {name}"),
        (None, Some(family)) => {
            format!("of {family} {}", wanted.os_version.as_deref().unwrap_or_default())
                .trim_end()
                .to_owned()
        }
        (None, None) => "of a known system".to_owned(),
    };
    let arch = wanted.arch.as_ref().map(|arch| format!(" for {arch}")).unwrap_or_default();
    let message =
        format!("ec2 in {region} has no image {what}{arch} of the owners {}", owners.join(", "));
    Ok(PluginError::not_found(message)
        .with_help("name one by `image_id`, or its owner in `owners` of the service"))
}

/// The current instance types. Bare metal is omitted: it is the most expensive, and would be chosen
/// as the fastest; node-specs can select it with a provider option.
pub(crate) fn hardware(api: &Api) -> Result<Vec<Hardware>, ApiError> {
    let call = Call::new("DescribeInstanceTypes")
        .filter("current-generation", ["true"])
        .filter("bare-metal", ["false"]);
    let types = api.pages(&call, 100, "instanceTypeSet")?;
    Ok(types.iter().filter(|kind| kind.text("bareMetal") != "true").filter_map(machine).collect())
}

fn machine(kind: &Element) -> Option<Hardware> {
    let arch: Vec<_> =
        kind.items("processorInfo/supportedArchitectures").map(Element::own_text).collect();
    let arch: Vec<_> = arch
        .into_iter()
        .filter(|arch| ["x86_64", "arm64"].contains(arch))
        .map(|arch| ami_name::machine(arch).to_owned())
        .collect();
    let roots: Vec<_> = kind.items("supportedRootDeviceTypes").map(Element::own_text).collect();
    if arch.is_empty() || !(roots.is_empty() || roots.contains(&"ebs")) {
        return None;
    }
    Some(Hardware {
        id: kind.some("instanceType")?,
        cores: kind.text("vCpuInfo/defaultVCpus").parse().ok()?,
        ram: kind.text("memoryInfo/sizeInMiB").parse().ok()?,
        disk: None,
        arch,
        price: None,
    })
}

/// The region's availability zones that the account can use.
pub(crate) fn locations(api: &Api) -> Result<Vec<Location>, ApiError> {
    let answer =
        api.call(&Call::new("DescribeAvailabilityZones").filter("state", ["available"]))?;
    let zones = answer
        .items("availabilityZoneInfo")
        .filter(|zone| zone.text("optInStatus") != "not-opted-in");
    let location = |zone: &Element| {
        let id = zone.text("zoneName").to_owned();
        let name =
            zone.some("zoneId").map_or_else(|| id.clone(), |zone_id| format!("{id} ({zone_id})"));
        Location { id, name }
    };
    Ok(zones.map(location).collect())
}
