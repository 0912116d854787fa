//! Nodes that a provider keeps on this machine: each has a directory DATA/PROJECT/SERVICE/NODE,
//! with a file that describes it.

use std::fs;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::files;
use super::provider::{Lease, ServiceContext};

/// A provider's record of a node.
pub trait NodeRecord: Serialize + DeserializeOwned {
    /// The name of the file in the node's directory: `node.json`.
    const FILE: &'static str;

    /// The node's name.
    fn name(&self) -> &str;

    /// Whether the node has ever run. An interrupted creation leaves an incomplete one.
    fn is_complete(&self) -> bool;
}

/// The nodes of one service of one project.
#[derive(Debug)]
pub struct NodeStore<R> {
    /// The provider's directory, for all projects.
    pub data: PathBuf,
    /// The project's directory.
    pub project: PathBuf,
    /// The service's directory.
    pub service: PathBuf,
    records: PhantomData<fn() -> R>,
}

impl<R: NodeRecord> NodeStore<R> {
    /// Creates the store of a service. `file_name` converts any name to a directory name.
    pub fn new(context: &ServiceContext, file_name: impl Fn(&str) -> String) -> Self {
        let data = context.data_directory.clone();
        let project = data.join(file_name(&context.project));
        let service = project.join(file_name(&context.service));
        NodeStore { data, project, service, records: PhantomData }
    }

    /// The directory of a node.
    pub fn directory(&self, name: &str) -> PathBuf {
        self.service.join(name)
    }

    /// The record of the node in a directory.
    pub fn read(directory: &Path) -> Option<R> {
        serde_json::from_slice(&fs::read(directory.join(R::FILE)).ok()?).ok()
    }

    /// The service's complete nodes, sorted by name, and the directories of interrupted creations.
    pub fn scan(&self) -> Result<(Vec<R>, Vec<PathBuf>)> {
        let (mut nodes, mut remains) = (Vec::new(), Vec::new());
        for directory in files::subdirectories(&self.service)? {
            match Self::read(&directory) {
                Some(record) if record.is_complete() => nodes.push(record),
                _ => remains.push(directory),
            }
        }
        Ok((nodes, remains))
    }

    /// The service's complete nodes, sorted by name.
    pub fn nodes(&self) -> Result<Vec<R>> {
        Ok(self.scan()?.0)
    }

    /// The records of all projects and services, including incomplete nodes.
    pub fn records_of_all(&self) -> Result<Vec<R>> {
        let mut records = Vec::new();
        for project in files::subdirectories(&self.data)? {
            for service in files::subdirectories(&project)? {
                let directories = files::subdirectories(&service)?;
                records.extend(directories.iter().filter_map(|directory| Self::read(directory)));
            }
        }
        Ok(records)
    }

    /// Whether any service of the project has nodes, or remains of them.
    pub fn project_has_nodes(&self) -> Result<bool> {
        for service in files::subdirectories(&self.project)? {
            if !files::subdirectories(&service)?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Writes a node's record atomically.
    pub fn save(&self, record: &R) -> Result<()> {
        let file = self.directory(record.name()).join(R::FILE);
        files::write_whole(&file, &serde_json::to_vec_pretty(record)?)
    }

    /// Takes or renews the lease. Returns the lease of another holder, if there is one. The caller
    /// must hold the lock on the data directory.
    pub fn take_lease(&self, wanted: &Lease) -> Result<Option<Lease>> {
        files::take_lease(&self.lease(), wanted)
    }

    /// Releases the lease, if it has this token. The caller must hold the same lock.
    pub fn release_lease(&self, token: &str) -> Result<()> {
        files::release_lease(&self.lease(), token)
    }

    fn lease(&self) -> PathBuf {
        self.service.join("lease.json")
    }

    /// Removes the directories of the service, the project and the provider, if they are empty.
    pub fn remove_empty(&self) {
        for directory in [&self.service, &self.project, &self.data] {
            // fails for a directory that is not empty
            let _ = fs::remove_dir(directory);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Record {
        name: String,
        complete: bool,
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

    #[test]
    fn lists_complete_nodes_and_the_remains_of_others() {
        let parent = tempfile::tempdir().unwrap();
        let store = |project: &str| {
            let context = ServiceContext {
                project: project.into(),
                service: "vm".into(),
                data_directory: parent.path().join("data"),
                ..ServiceContext::default()
            };
            NodeStore::<Record>::new(&context, files::file_name)
        };
        let (shop, other) = (store("a/b"), store("a.b"));
        for (store, name, complete) in
            [(&shop, "web-1", true), (&shop, "web-2", false), (&other, "web-1", true)]
        {
            files::make_private_directory(&store.directory(name)).unwrap();
            store.save(&Record { name: name.into(), complete }).unwrap();
        }
        files::make_private_directory(&shop.directory("web-3")).unwrap();
        fs::write(shop.directory("web-3").join("node.json"), "{").unwrap();
        let (nodes, remains) = shop.scan().unwrap();
        assert_eq!(nodes, [Record { name: "web-1".into(), complete: true }]);
        assert_eq!(remains, [shop.directory("web-2"), shop.directory("web-3")]);
        assert_eq!(shop.records_of_all().unwrap().len(), 3);
        assert!(shop.project_has_nodes().unwrap());
        for store in [&shop, &other] {
            fs::remove_dir_all(&store.service).unwrap();
            store.remove_empty();
        }
        assert!(!shop.data.exists());
        assert!(!shop.project_has_nodes().unwrap());
    }
}
