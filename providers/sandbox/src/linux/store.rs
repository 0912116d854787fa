//! What is kept of nodes on disk: a directory for each, under DATA/PROJECT/SERVICE/NODE.

use std::collections::BTreeMap;
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pallet_core::prelude::*;

use crate::linux::owner;
use crate::linux::process::Process;

/// What is kept of one node, in node.json.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(crate = "pallet_core::serde")]
pub(crate) struct Record {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) group: String,
    pub(crate) tags: BTreeMap<String, String>,
    /// In seconds since 1970. What one call made has one; a later call's in the same group is
    /// greater.
    pub(crate) created: u64,
    /// The wish that it was made for.
    pub(crate) token: String,
    /// The name of the image it was made from.
    pub(crate) image: String,
    /// The directory of that image.
    pub(crate) root: PathBuf,
    pub(crate) address: Ipv4Addr,
    /// The machine's end of the node's network device.
    pub(crate) device: String,
    /// Whether its disk is memory, which is lost when it stops.
    pub(crate) disk_in_memory: bool,
    /// Why it does not reach the outside, if it does not.
    pub(crate) isolated: Option<String>,
    /// The machine's run that `process` belongs to.
    pub(crate) boot_id: String,
    /// Its first process, since it was started.
    pub(crate) process: Option<Process>,
    /// Whether it has run once. What has not is the remains of a creation that was interrupted.
    pub(crate) complete: bool,
}

impl Record {
    /// Its first process, if it runs.
    pub(crate) fn running(&self, boot_id: &str) -> Option<Process> {
        self.process.filter(|process| self.boot_id == boot_id && process.is_alive())
    }
}

/// The nodes of one service of one project.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    pub(crate) data: PathBuf,
    pub(crate) project: PathBuf,
    pub(crate) service: PathBuf,
}

impl Store {
    pub(crate) fn new(context: &ServiceContext) -> Self {
        let data = context.data_directory.clone();
        let project = data.join(file_name(&context.project));
        let service = project.join(file_name(&context.service));
        Store { data, project, service }
    }

    /// What keeps the lease.
    pub(crate) fn lease(&self) -> PathBuf {
        self.service.join("lease.json")
    }

    /// The directory of a node.
    pub(crate) fn directory(&self, name: &str) -> PathBuf {
        self.service.join(name)
    }

    /// The service's nodes by name, and the directories of those that were never completed.
    pub(crate) fn nodes(&self) -> Result<(Vec<Record>, Vec<PathBuf>)> {
        let (mut nodes, mut remains) = (Vec::new(), Vec::new());
        for directory in files::subdirectories(&self.service)? {
            match read(&directory) {
                Some(record) if record.complete => nodes.push(record),
                _ => remains.push(directory),
            }
        }
        Ok((nodes, remains))
    }

    /// The nodes of all projects that keep theirs in this data directory.
    pub(crate) fn nodes_of_all(&self) -> Result<Vec<Record>> {
        let mut nodes = Vec::new();
        for project in files::subdirectories(&self.data)? {
            for service in files::subdirectories(&project)? {
                nodes.extend(
                    files::subdirectories(&service)?.iter().filter_map(|directory| read(directory)),
                );
            }
        }
        Ok(nodes)
    }

    /// Whether any service of the project has nodes, or what is left of them.
    pub(crate) fn project_has_nodes(&self) -> Result<bool> {
        for service in files::subdirectories(&self.project)? {
            if !files::subdirectories(&service)?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Writes what is kept of a node: all of it or nothing.
    pub(crate) fn save(&self, record: &Record) -> Result<()> {
        files::write_whole(
            &self.directory(&record.name).join("node.json"),
            &serde_json::to_vec_pretty(record)?,
        )
    }

    /// Removes directories that hold nothing any more.
    pub(crate) fn remove_empty(&self) {
        // one that is not empty stays
        let _ = fs::remove_dir(&self.service);
        if files::subdirectories(&self.project).is_ok_and(|services| services.is_empty()) {
            owner::forget(&self.project);
        }
        for directory in [&self.project, &self.data] {
            let _ = fs::remove_dir(directory);
        }
    }
}

/// What is kept of the node in `directory`.
pub(crate) fn read(directory: &Path) -> Option<Record> {
    serde_json::from_slice(&fs::read(directory.join("node.json")).ok()?).ok()
}

/// Removes a directory and what is in it. A process whose maker was killed may still be about to
/// end in there, so this is tried for a while.
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

/// A name as that of a file: unchanged if it can be one, otherwise with a digest that keeps it
/// apart from others.
fn file_name(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if (1..=80).contains(&name.len()) && name.bytes().all(plain) && !name.starts_with('.') {
        return name.to_owned();
    }
    let kept: String = name.chars().filter(char::is_ascii_alphanumeric).take(40).collect();
    format!("{kept}.{:016x}", digest(&[name]))
}

/// A digest of words (FNV-1a): the same in every release, unlike the standard library's.
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
