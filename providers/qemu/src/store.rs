//! What is kept of nodes on disk: a directory for each, under DATA/PROJECT/SERVICE/NODE, and the
//! lock on all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pallet_core::prelude::*;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::image::Kernel;
use crate::process;

/// How long to wait for others before giving up.
const PATIENCE: Duration = Duration::from_secs(300);

/// What is kept of one node, in record.json.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(crate = "pallet_core::serde")]
pub(crate) struct Record {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) group: String,
    /// Those that were laid over the provider's own.
    pub(crate) tags: BTreeMap<String, String>,
    /// In seconds since 1970-01-01 UTC.
    pub(crate) created: u64,
    pub(crate) login_user: Option<String>,
    pub(crate) os: Option<Os>,
    pub(crate) cores: u32,
    pub(crate) ram: u64,
    pub(crate) kernel: Option<Kernel>,
    /// Ports of the node, and the ports of this machine that lead there.
    pub(crate) ports: BTreeMap<u16, u16>,
    /// `ssh-ed25519 AAAA...`
    pub(crate) host_key: String,
    /// Whether it has run once. What has not is the remains of a creation that was interrupted.
    pub(crate) complete: bool,
    /// Whether its sshd has answered since it was started.
    #[serde(default)]
    pub(crate) answered: bool,
}

/// The nodes of one service of one project.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    pub(crate) data: PathBuf,
    project: PathBuf,
    pub(crate) service: PathBuf,
}

/// The right to change what is kept in a data directory; given back when dropped.
pub(crate) struct Lock {
    _directory: File,
}

impl Store {
    pub(crate) fn new(context: &ServiceContext) -> Self {
        let data = context.data_directory.clone();
        let project = data.join(files::file_name(&context.project));
        let service = project.join(files::file_name(&context.service));
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

    /// The service's nodes, by name.
    pub(crate) fn nodes(&self) -> Result<Vec<Record>> {
        let records = files::subdirectories(&self.service)?
            .into_iter()
            .filter_map(|directory| read(&directory));
        Ok(records.filter(|record| record.complete).collect())
    }

    /// Removes what creations left that were interrupted. Nobody else creates while this one has
    /// the lock.
    pub(crate) fn remove_remains(&self, _lock: &Lock) -> Result<()> {
        for directory in files::subdirectories(&self.service)? {
            if !read(&directory).is_some_and(|record| record.complete) {
                remove(&directory)?;
            }
        }
        Ok(())
    }

    /// The ports of this machine that nodes have, of whatever project.
    pub(crate) fn ports(&self) -> Result<BTreeSet<u16>> {
        let mut ports = BTreeSet::new();
        for project in files::subdirectories(&self.data)? {
            for service in files::subdirectories(&project)? {
                let records = files::subdirectories(&service)?
                    .into_iter()
                    .filter_map(|directory| read(&directory));
                ports.extend(records.flat_map(|record| record.ports.into_values()));
            }
        }
        Ok(ports)
    }

    /// Keeps a record.
    pub(crate) fn save(&self, record: &Record) -> Result<()> {
        files::write_whole(
            &self.directory(&record.name).join("record.json"),
            &serde_json::to_vec_pretty(record)?,
        )
    }

    /// Waits for its turn.
    pub(crate) fn lock(&self) -> Result<Lock> {
        let start = Instant::now();
        loop {
            if let Some(lock) = Lock::try_take(&self.data)? {
                return Ok(lock);
            }
            if start.elapsed() > PATIENCE {
                let message = "another pallet-cli has been changing nodes of provider qemu for \
                    five minutes";
                return Err(PluginError::new(ErrorKind::Transient, message)
                    .with_help(
                        "wait for it, \
                    or end it",
                    )
                    .into());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Removes directories that hold nothing any more.
    pub(crate) fn remove_empty(&self) {
        for directory in [&self.service, &self.project, &self.data] {
            // one that is not empty stays
            let _ = fs::remove_dir(directory);
        }
    }
}

impl Lock {
    fn try_take(directory: &Path) -> Result<Option<Lock>> {
        files::make_private_directory(directory)?;
        let file = match File::open(directory) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot open {}", directory.display()));
            }
        };
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK | Errno::INTR) => return Ok(None),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot lock {}", directory.display()));
            }
        }
        // whoever had it before may have removed the directory with it
        let held = file.metadata()?;
        let same = fs::metadata(directory)
            .is_ok_and(|now| (now.dev(), now.ino()) == (held.dev(), held.ino()));
        Ok(same.then_some(Lock { _directory: file }))
    }
}

/// Ends the machine in `directory`, and removes all that there is of it.
pub(crate) fn remove(directory: &Path) -> Result<()> {
    process::end(directory)?;
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", directory.display()))
        }
        _ => Ok(()),
    }
}

fn read(directory: &Path) -> Option<Record> {
    serde_json::from_slice(&fs::read(directory.join("record.json")).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(data: &Path, project: &str) -> Store {
        Store::new(&ServiceContext {
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
        assert_eq!(shop.ports().unwrap(), BTreeSet::from([1, 2, 3]));
        shop.remove_remains(&shop.lock().unwrap()).unwrap();
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

    #[test]
    fn one_changes_at_a_time_and_a_removed_directory_is_made_again() {
        let data = tempfile::tempdir().unwrap();
        let store = store(data.path(), "shop");
        let held = store.lock().unwrap();
        assert!(Lock::try_take(&store.data).unwrap().is_none());
        fs::remove_dir(&store.data).unwrap();
        drop(held);
        let _again = store.lock().unwrap();
        assert!(store.data.is_dir());
    }
}
