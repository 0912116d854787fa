//! The stored state of nodes: a directory for each, DATA/PROJECT/SERVICE/NODE, and a lock for all
//! of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use pallet_core::prelude::*;

use crate::image::Kernel;
use crate::process;

/// The state of a node, in record.json.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(crate = "pallet_core::serde")]
pub(crate) struct Record {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) group: String,
    /// Tags that were added to the provider's own.
    pub(crate) tags: BTreeMap<String, String>,
    /// In seconds since 1970-01-01 UTC.
    pub(crate) created: u64,
    pub(crate) login_user: Option<String>,
    pub(crate) os: Option<Os>,
    pub(crate) cores: u32,
    pub(crate) ram: u64,
    pub(crate) kernel: Option<Kernel>,
    /// Ports of the node, with the ports of this machine that are forwarded there.
    pub(crate) ports: BTreeMap<u16, u16>,
    /// `ssh-ed25519 AAAA...`
    pub(crate) host_key: String,
    /// Whether it has ever been started. If not, its creation was interrupted.
    pub(crate) complete: bool,
    /// Whether its sshd has answered since the last start.
    #[serde(default)]
    pub(crate) answered: bool,
}

impl NodeRecord for Record {
    const FILE: &'static str = "record.json";

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
    Store::new(context, files::file_name)
}

/// Waits for the lock on nodes.
pub(crate) fn lock(store: &Store) -> Result<DirectoryLock> {
    wait_for_lock("qemu", || DirectoryLock::try_take(&store.data))
}

/// Removes leftovers of interrupted creations. The lock ensures that no creation is running.
pub(crate) fn remove_remains(store: &Store, _lock: &DirectoryLock) -> Result<()> {
    store.scan()?.1.iter().try_for_each(|directory| remove(directory))
}

/// The ports of this machine that nodes use, in all projects.
pub(crate) fn ports(store: &Store) -> Result<BTreeSet<u16>> {
    let records = store.records_of_all()?;
    Ok(records.into_iter().flat_map(|record| record.ports.into_values()).collect())
}

/// Ends the machine in `directory`, and removes all its files.
pub(crate) fn remove(directory: &Path) -> Result<()> {
    process::end(directory)?;
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", directory.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(data: &Path, project: &str) -> Store {
        open(&ServiceContext {
            project: project.into(),
            service: "vm".into(),
            data_directory: data.join("qemu"),
            ..Default::default()
        })
    }

    fn record(name: &str, port: u16) -> Record {
        Record {
            id: format!("id-{name}"),
            name: name.into(),
            group: "web".into(),
            tags: BTreeMap::new(),
            created: 1,
            login_user: None,
            os: None,
            cores: 1,
            ram: 512,
            kernel: None,
            ports: BTreeMap::from([(22, port)]),
            host_key: "ssh-ed25519 AAAA".into(),
            complete: true,
            answered: true,
        }
    }

    #[test]
    fn what_is_complete_stays_and_what_is_not_goes() {
        let data = tempfile::tempdir().unwrap();
        let (shop, other) = (store(data.path(), "a/b"), store(data.path(), "a.b"));
        for (store, record) in [
            (&shop, record("web-1", 1)),
            (&shop, Record { complete: false, ..record("web-2", 2) }),
            (&other, record("web-1", 3)),
        ] {
            files::make_private_directory(&store.directory(&record.name)).unwrap();
            store.save(&record).unwrap();
        }
        files::make_private_directory(&shop.directory("web-3")).unwrap();
        fs::write(shop.directory("web-3").join("record.json"), "{").unwrap();
        assert_eq!(shop.nodes().unwrap(), [record("web-1", 1)]);
        assert_eq!(ports(&shop).unwrap(), BTreeSet::from([1, 2, 3]));
        remove_remains(&shop, &lock(&shop).unwrap()).unwrap();
        assert!(
            shop.directory("web-1").exists()
                && !shop.directory("web-2").exists()
                && !shop.directory("web-3").exists()
        );
        remove(&shop.directory("web-1")).unwrap();
        shop.remove_empty();
        assert_eq!(shop.nodes().unwrap(), []);
        assert_eq!(other.nodes().unwrap().len(), 1);
        remove(&other.directory("web-1")).unwrap();
        other.remove_empty();
        assert_eq!(fs::read_dir(data.path()).unwrap().count(), 0, "nothing is left");
    }
}
