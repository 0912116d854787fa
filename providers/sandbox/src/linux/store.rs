//! The stored state of nodes: a directory for each, DATA/PROJECT/SERVICE/NODE.

use std::collections::BTreeMap;
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pallet_core::prelude::*;

use crate::linux::process::Process;
use crate::options::Init;

/// The state of a node, in node.json.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(crate = "pallet_core::serde")]
pub(crate) struct Record {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) group: String,
    pub(crate) tags: BTreeMap<String, String>,
    /// In seconds since 1970-01-01 UTC. Nodes of one call share it; later calls for the same group
    /// have greater ones.
    pub(crate) created: u64,
    /// The token of the request that created it.
    pub(crate) token: String,
    /// The id of its image.
    pub(crate) image: String,
    /// The directory of its image.
    pub(crate) root: PathBuf,
    pub(crate) address: Ipv4Addr,
    /// Its network device on the machine.
    pub(crate) device: String,
    /// Whether its disk is in memory, and lost when it stops.
    pub(crate) disk_in_memory: bool,
    /// Its first process.
    #[serde(default)]
    pub(crate) init: Init,
    /// The control group of all its processes, if it has one of its own.
    #[serde(default)]
    pub(crate) cgroup: Option<PathBuf>,
    /// Why it has no access to the outside, if so.
    pub(crate) isolated: Option<String>,
    /// The boot of the machine that `process` belongs to.
    pub(crate) boot_id: String,
    /// Its first process since the last start.
    pub(crate) process: Option<Process>,
    /// The process of Pallet that waits for the end of its boot, and reads its console until then.
    #[serde(default)]
    pub(crate) booted_by: Option<Process>,
    /// Whether it has ever been started. If not, its creation was interrupted.
    pub(crate) complete: bool,
}

impl Record {
    /// Its first process, if it is running.
    pub(crate) fn running(&self, boot_id: &str) -> Option<Process> {
        self.process.filter(|process| self.boot_id == boot_id && process.is_alive())
    }
}

impl NodeRecord for Record {
    const FILE: &'static str = "node.json";

    fn name(&self) -> &str {
        &self.name
    }

    fn is_complete(&self) -> bool {
        self.complete
    }
}

/// The nodes of one service of one project.
pub(crate) type Store = NodeStore<Record>;

/// The store of a service.
pub(crate) fn open(context: &ServiceContext) -> Store {
    Store::new(context, file_name)
}

/// Removes a directory recursively. Processes of a killed creation may still be ending in it, so
/// this is repeated for a while.
pub(crate) fn remove_directory(path: &Path) -> Result<()> {
    let start = Instant::now();
    loop {
        match fs::remove_dir_all(path) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(_) if start.elapsed() < Duration::from_secs(2) => {
                std::thread::sleep(Duration::from_millis(20))
            }
            Err(error) => {
                return Err(error).with_context(|| format!("cannot remove {}", path.display()));
            }
        }
    }
}

/// A name as a file name: unchanged if it is valid, otherwise with a digest that makes it unique.
fn file_name(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if (1..=80).contains(&name.len()) && name.bytes().all(plain) && !name.starts_with('.') {
        return name.to_owned();
    }
    let kept: String = name.chars().filter(char::is_ascii_alphanumeric).take(40).collect();
    format!("{kept}.{:016x}", digest(&[name]))
}

/// A digest of words (FNV-1a): stable across releases, unlike that of the standard library.
pub(crate) fn digest(words: &[&str]) -> u64 {
    let bytes = words.iter().flat_map(|word| word.bytes().chain([0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_file_names_that_stay_apart() {
        assert_eq!(file_name("shop-1.0"), "shop-1.0");
        for name in ["", "..", "a/b", "a b", "ä"] {
            let file = file_name(name);
            assert!(
                !file.contains('/') && !file.starts_with("..") && !file.contains(' '),
                "{file}"
            );
        }
        assert_ne!(file_name("a/b"), file_name("a:b"));
    }
}
