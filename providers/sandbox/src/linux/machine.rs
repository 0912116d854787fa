//! The machine that nodes run on: its properties, and whether it can run nodes.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use pallet_core::prelude::*;

/// Where programs are searched, on the machine and in nodes.
pub(crate) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The programs that starting a node requires besides `sh`. All are parts of util-linux.
const PROGRAMS: [&str; 5] = ["unshare", "nsenter", "setsid", "mount", "pivot_root"];

const INOTIFY_LIMIT: &str = "/proc/sys/fs/inotify/max_user_instances";

const ELSEWHERE: &str = "use the provider `node-list` for existing machines, or `localhost` for \
    this one";

/// Returns a clear error if this machine cannot run nodes.
pub(crate) fn check() -> Result<()> {
    if !is_root() {
        let error = PluginError::unsupported(
            "provider sandbox needs root, to create namespaces and networks",
        );
        return Err(error.with_help(format!("run pallet-cli as root, or {ELSEWHERE}")).into());
    }
    let missing: Vec<_> = PROGRAMS.into_iter().filter(|name| program(name).is_none()).collect();
    if !missing.is_empty() {
        return Err(cannot(&format!(
            "needs {}, which this machine does not have (package util-linux)",
            missing.join(", ")
        )));
    }
    for namespace in ["mnt", "pid", "uts", "ipc", "net"] {
        if !Path::new("/proc/self/ns").join(namespace).exists() {
            return Err(cannot(&format!(
                "needs namespaces of kind `{namespace}`, which this kernel does not have"
            )));
        }
    }
    Ok(())
}

/// The error for a machine that cannot run nodes because of `why`.
pub(crate) fn cannot(why: &str) -> anyhow::Error {
    PluginError::unsupported(format!("provider sandbox {why}")).with_help(ELSEWHERE).into()
}

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The path of a program.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    PATH.split(':').map(|directory| Path::new(directory).join(name)).find(|path| path.is_file())
}

/// Whether overlayfs is loaded. The kernel loads the module when an overlay is mounted.
pub(crate) fn has_overlay() -> bool {
    fs::read_to_string("/proc/filesystems")
        .is_ok_and(|all| all.lines().any(|line| line.split_whitespace().last() == Some("overlay")))
}

/// Identifies the current boot of the machine.
pub(crate) fn boot_id() -> Result<String> {
    let path = "/proc/sys/kernel/random/boot_id";
    Ok(fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?.trim().to_owned())
}

/// Instances of inotify: systemd and its neighbours need some in each node, and hang or fail
/// without them. The kernel limits them for all of root's processes together.
pub(crate) fn inotify_instances(count: usize) -> Result<Vec<OwnedFd>> {
    let mut instances = Vec::new();
    for _ in 0..count {
        match rustix::fs::inotify::init(rustix::fs::inotify::CreateFlags::CLOEXEC) {
            Ok(instance) => instances.push(instance),
            // this process has no file descriptor left, which tells nothing of the machine
            Err(_) if fs::File::open("/dev/null").is_err() => break,
            Err(_) => {
                let limit = fs::read_to_string(INOTIFY_LIMIT).unwrap_or_default();
                let message = format!(
                    "this machine has not enough inotify instances for one more systemd: \
                     fs.inotify.max_user_instances is {}",
                    limit.trim()
                );
                return Err(PluginError::failed(message)
                    .with_help("raise it: sysctl fs.inotify.max_user_instances=2048")
                    .into());
            }
        }
    }
    Ok(instances)
}

/// 128 random bits, as 32 hexadecimal digits.
pub(crate) fn random_id() -> Result<String> {
    let path = "/proc/sys/kernel/random/uuid";
    Ok(fs::read_to_string(path)
        .with_context(|| format!("cannot read {path}"))?
        .trim()
        .replace('-', ""))
}

/// `x86_64`, `aarch64`, ...
pub(crate) fn architecture() -> String {
    rustix::system::uname().machine().to_string_lossy().into_owned()
}

pub(crate) fn cores() -> u32 {
    std::thread::available_parallelism()
        .map_or(1, |count| u32::try_from(count.get()).unwrap_or(u32::MAX))
}

/// Memory, in MiB.
pub(crate) fn memory() -> u64 {
    let info = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = info.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    total.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// Free disk, in GiB, where `path` is or will be.
pub(crate) fn free_disk(path: &Path) -> Option<u64> {
    let there = path.ancestors().find(|path| path.exists())?;
    let disk = rustix::fs::statvfs(there).ok()?;
    Some((disk.f_bavail * disk.f_frsize) >> 30)
}
