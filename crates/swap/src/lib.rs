//! Swap space: files, devices, and how eagerly it is used.
#![forbid(unsafe_code)]

use pallet_core::prelude::*;

struct SwapSpace;

impl ConfigCrate for SwapSpace {
    const NAME: &'static str = "swap";
    const ABOUT: &'static str = "Swap space: files, devices, swappiness";
    const CAPABILITIES: Option<Capabilities<Patterns>> = Some(Capabilities {
        paths: &[
            "/**/swap*",
            "/dev/**",
            "/etc/fstab",
            "/etc/sysctl.conf",
            "/etc/sysctl.d/*pallet-vm*swappiness.conf",
            "/proc/sys/vm/swappiness",
        ],
        ..Capabilities::NOTHING
    });
    const SYSTEMS: &'static [&'static str] =
        &["debian", "ubuntu", "rocky", "opensuse-leap", "arch", "alpine"];

    fn functions() -> Vec<Function> {
        functions![file, device, swappiness]
    }
}

pallet_core::export_crate!(SwapSpace);

parameters! {
    /// Uses a file as swap space, now and at boot.
    ///
    /// Example: `swap.file(request, "2G")`
    struct FileArguments {
        /// Its size: a number with `M`, `G` or `T`.
        size: String,
        /// Its absolute path. The name of the file begins with `swap`.
        #[serde(default = "swapfile")]
        path: String,
        /// Its priority, 0 to 32767: the highest is used first.
        #[serde(default)]
        priority: Option<u16>,
        /// `create`, or `delete` the file.
        #[serde(default)]
        action: Existence,
    }

    /// Uses a device as swap space, now and at boot. It must be empty, or hold swap space.
    ///
    /// Example: `swap.device(request, "/dev/vdb2", priority = 10)`
    struct DeviceArguments {
        /// The device.
        device: String,
        /// Its priority, 0 to 32767: the highest is used first.
        #[serde(default)]
        priority: Option<u16>,
        /// Replace what the device holds. All of it is lost.
        #[serde(default)]
        force: bool,
        /// `create`, or `delete`: it is not used any more.
        #[serde(default)]
        action: Existence,
    }

    /// Sets how eagerly the kernel moves memory to swap space, now and at boot.
    ///
    /// Example: `swap.swappiness(request, 10)`
    struct Swappiness {
        /// 0, only to avoid running out of memory, to 200.
        value: u8,
    }
}

fn swapfile() -> String {
    "/swapfile".to_owned()
}

fn file(request: &mut Request, file: FileArguments) -> Result<()> {
    ensure!(
        !file.path.starts_with("/dev/"),
        "swap.file: {} is a device; use swap.device",
        file.path
    );
    let name = file.path.rsplit('/').next().unwrap_or_default();
    ensure!(
        name.starts_with("swap") && file.path.starts_with('/'),
        "swap.file: {:?} is no absolute path of a file whose name begins with swap",
        file.path
    );
    add(request, Swap::file(file.path, file.size), file.priority, file.action)
}

fn device(request: &mut Request, device: DeviceArguments) -> Result<()> {
    ensure!(
        device.device.starts_with("/dev/"),
        "swap.device: {} is no device below /dev; use swap.file",
        device.device
    );
    let mut swap = Swap::device(device.device);
    swap.force = device.force;
    add(request, swap, device.priority, device.action)
}

fn add(
    request: &mut Request,
    mut swap: Swap,
    priority: Option<u16>,
    action: Existence,
) -> Result<()> {
    if let Some(priority) = priority {
        ensure!(priority <= 32_767, "the priority of swap space is 0 to 32767");
    }
    swap.priority = priority;
    swap.action = action;
    request.add(swap)
}

fn swappiness(request: &mut Request, swappiness: Swappiness) -> Result<()> {
    ensure!(swappiness.value <= 200, "swappiness is 0 to 200");
    request.add(Sysctl::new("vm.swappiness", swappiness.value.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_and_a_device_are_swap_space() {
        let mut recorder = Recorder::<SwapSpace>::on("debian 12");
        recorder.call("file", json!({"size": "2G", "priority": 5})).unwrap();
        recorder.call("device", json!({"device": "/dev/vdb2"})).unwrap();
        recorder.call("swappiness", json!({"value": 10})).unwrap();
        let actions = recorder.actions();
        assert_eq!(actions[0].arguments["path"], "/swapfile");
        assert_eq!(actions[0].arguments["priority"], 5);
        assert_eq!(actions[1].arguments["path"], "/dev/vdb2");
        assert_eq!(actions[2].arguments["value"], "10");
    }

    #[test]
    fn what_is_no_swap_space_is_refused() {
        let mut recorder = Recorder::<SwapSpace>::on("debian 12");
        for (function, arguments, said) in [
            ("file", json!({"size": "2G", "path": "/dev/vdb"}), "use swap.device"),
            ("file", json!({"size": "2G", "path": "/srv/data"}), "begins with swap"),
            ("device", json!({"device": "/swapfile"}), "use swap.file"),
            ("file", json!({"size": "2G", "priority": 40_000}), "0 to 32767"),
            ("swappiness", json!({"value": 201}), "0 to 200"),
        ] {
            let error = recorder.call(function, &arguments).unwrap_err();
            assert!(error.to_string().contains(said), "{arguments}: {error}");
        }
    }
}
