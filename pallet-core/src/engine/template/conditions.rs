//! The conditions of a node-spec for images, hardware and locations: which of them an offer fails.

use crate::model::{HardwareSpec, ImageSpec, pattern, version_is};
use crate::plugin::{Hardware, Image, Location};

/// The conditions that an image fails.
pub(super) fn image_fails(wanted: &ImageSpec, image: &Image) -> Vec<String> {
    let mut fails = Vec::new();
    if let Some(id) = wanted.image_id.as_ref().filter(|id| **id != image.id) {
        fails.push(format!("image_id is not {id}"));
    }
    if let Some(name) =
        wanted.image_name.as_ref().filter(|name| !pattern::matches(name, &image.name))
    {
        fails.push(format!("image_name is {:?}, not {name}", image.name));
    }
    let asked =
        [&wanted.os_family, &wanted.os_version, &wanted.arch].iter().any(|wish| wish.is_some());
    match &image.os {
        // an image that is named by ID is trusted to fit
        None if asked && wanted.image_id.is_none() => {
            fails.push("its system is not known".to_owned())
        }
        None => {}
        Some(os) => {
            if let Some(family) = wanted
                .os_family
                .as_ref()
                .filter(|family| **family != os.id && **family != os.family.as_str())
            {
                fails.push(format!("os_family is {}, not {family}", os.id));
            }
            if let Some(version) =
                wanted.os_version.as_ref().filter(|version| !version_is(version, &os.version))
            {
                let has = if os.version.is_empty() { "not known" } else { &os.version };
                fails.push(format!("os_version is {has}, not {version}"));
            }
            if let Some(arch) = wanted.arch.as_ref().filter(|arch| **arch != os.arch) {
                fails.push(format!("arch is {}, not {arch}", os.arch));
            }
        }
    }
    fails
}

/// The conditions that a hardware type fails, with this image.
pub(super) fn hardware_fails(
    wanted: &HardwareSpec,
    image: Option<&Image>,
    hardware: &Hardware,
) -> Vec<String> {
    let mut fails = Vec::new();
    if let Some(id) = wanted.hardware_id.as_ref().filter(|id| **id != hardware.id) {
        fails.push(format!("hardware_id is not {id}"));
    }
    if let Some(cores) = wanted.min_cores.filter(|cores| *cores > hardware.cores) {
        fails.push(format!("cores are {}, min_cores is {cores}", hardware.cores));
    }
    if let Some(ram) = wanted.min_ram.filter(|ram| *ram > hardware.ram) {
        fails.push(format!("ram is {} MiB, min_ram is {ram}", hardware.ram));
    }
    let needed = wanted.min_disk.max(image.and_then(|image| image.min_disk));
    if let (Some(disk), Some(has)) = (needed, hardware.disk)
        && disk > has
    {
        fails.push(format!("disk is {has} GiB, {disk} are needed"));
    }
    if let Some(arch) = image.and_then(|image| image.os.as_ref()).map(|os| &os.arch)
        && !arch.is_empty()
        && !hardware.arch.is_empty()
        && !hardware.arch.contains(arch)
    {
        fails.push(format!("arch is {}, the image's is {arch}", hardware.arch.join(" or ")));
    }
    fails
}

/// The conditions that a location fails.
pub(super) fn location_fails(wanted: &str, location: &Location) -> Vec<String> {
    if location.id == wanted { Vec::new() } else { vec![format!("location_id is not {wanted}")] }
}
