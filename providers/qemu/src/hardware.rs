//! The machine types, and the program that runs them.

use std::path::{Path, PathBuf};

use pallet_core::prelude::*;

use crate::options::Options;

/// The default machine types: name, cores, and memory in MiB.
const SIZES: [(&str, u32, u64); 3] = [("small", 1, 1024), ("medium", 2, 2048), ("large", 4, 4096)];

/// The machine types of the options, otherwise the default ones that fit this machine.
pub(crate) fn all(options: &Options, arch: &str) -> Vec<Hardware> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    kinds(
        options,
        arch,
        cores,
        memory(&std::fs::read_to_string("/proc/meminfo").unwrap_or_default()),
    )
}

fn kinds(options: &Options, arch: &str, cores: usize, memory: Option<u64>) -> Vec<Hardware> {
    let hardware = |id: &str, cores: u32, ram: u64| Hardware {
        id: id.to_owned(),
        cores,
        ram,
        disk: None,
        arch: vec![arch.to_owned()],
        price: None,
    };
    if !options.hardware.is_empty() {
        return options
            .hardware
            .iter()
            .map(|(id, size)| hardware(id, size.cores, size.ram))
            .collect();
    }
    let fits = |(_, wanted, ram): &&(&str, u32, u64)| {
        *wanted as usize <= cores && memory.is_none_or(|memory| *ram <= memory)
    };
    let fitting: Vec<_> =
        SIZES.iter().filter(fits).map(|(id, cores, ram)| hardware(id, *cores, *ram)).collect();
    // a machine that is too small for all of them can at least try the smallest
    if fitting.is_empty() {
        SIZES.iter().take(1).map(|(id, cores, ram)| hardware(id, *cores, *ram)).collect()
    } else {
        fitting
    }
}

/// This machine's memory in MiB, from /proc/meminfo.
fn memory(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? / 1024)
}

/// The program that runs machines, and their architecture.
pub(crate) fn program(option: Option<&Path>, directory: &Path) -> (PathBuf, String) {
    let own = format!("qemu-system-{}", std::env::consts::ARCH);
    let option = option.unwrap_or(Path::new(&own));
    let name = option.file_name().unwrap_or_default().to_string_lossy();
    let arch = name
        .strip_prefix("qemu-system-")
        .filter(|arch| !arch.is_empty())
        .unwrap_or(std::env::consts::ARCH);
    // a name without a directory is searched in PATH
    let is_path = option.components().count() > 1;
    (if is_path { directory.join(option) } else { option.to_owned() }, arch.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(options: Value, cores: usize, memory: Option<u64>) -> Vec<String> {
        let options = serde_json::from_value(options).unwrap();
        kinds(&options, "x86_64", cores, memory)
            .into_iter()
            .map(|kind| format!("{} {} {}", kind.id, kind.cores, kind.ram))
            .collect()
    }

    #[test]
    fn kinds_are_those_that_this_machine_can_be() {
        let none = || json!({"images": {}});
        assert_eq!(ids(none(), 8, Some(32_000)), ["small 1 1024", "medium 2 2048", "large 4 4096"]);
        assert_eq!(ids(none(), 2, Some(32_000)), ["small 1 1024", "medium 2 2048"]);
        assert_eq!(ids(none(), 8, Some(1500)), ["small 1 1024"]);
        assert_eq!(ids(none(), 1, Some(500)), ["small 1 1024"]);
        assert_eq!(
            ids(
                json!({"images": {}, "hardware": {"tiny": {"cores": 1, "ram": 256}}}),
                1,
                Some(500)
            ),
            ["tiny 1 256"]
        );
        assert_eq!(memory("MemTotal:       24685312 kB\nMemFree: 1 kB\n"), Some(24_106));
    }

    #[test]
    fn the_program_says_the_architecture() {
        let at = |option: &str| program(Some(Path::new(option)), Path::new("/project"));
        assert_eq!(at("qemu-system-aarch64"), ("qemu-system-aarch64".into(), "aarch64".to_owned()));
        assert_eq!(
            at("bin/qemu-system-x86_64"),
            ("/project/bin/qemu-system-x86_64".into(), "x86_64".to_owned())
        );
        assert_eq!(at("/opt/run"), ("/opt/run".into(), std::env::consts::ARCH.to_owned()));
        assert_eq!(program(None, Path::new("/")).1, std::env::consts::ARCH);
    }
}
