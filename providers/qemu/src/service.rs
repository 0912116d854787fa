//! A configured service, and its nodes as Pallet sees them.

use std::path::{Path, PathBuf};

use pallet_core::prelude::*;

use crate::machine::Machine;
use crate::options::Options;
use crate::process;
use crate::store::{Record, Store};

/// The address of all forwarded ports.
pub(crate) const ADDRESS: &str = "127.0.0.1";

/// A configured service.
pub(crate) struct Qemu {
    pub(crate) options: Options,
    pub(crate) context: ServiceContext,
    pub(crate) store: Store,
    pub(crate) program: PathBuf,
    pub(crate) arch: String,
}

impl Qemu {
    pub(crate) fn machine<'a>(&'a self, directory: &'a Path) -> Machine<'a> {
        Machine { program: &self.program, arch: &self.arch, options: &self.options, directory }
    }

    pub(crate) fn node(&self, record: &Record) -> Node {
        let runs = process::of(&self.store.directory(&record.name)).is_some();
        let ssh = SshConnection {
            host: ADDRESS.to_owned(),
            port: record.ports.get(&22).copied(),
            host_keys: vec![record.host_key.clone()],
            ..SshConnection::default()
        };
        let mut tags = node_tags::of_node(&self.context.project, &record.group, &record.name);
        tags.extend(record.tags.clone());
        let inbound = record.ports.iter().filter(|(inside, _)| **inside != 22);
        let status = match (runs, record.answered) {
            (true, true) => NodeStatus::Running,
            (true, false) => NodeStatus::Starting,
            (false, _) => NodeStatus::Stopped,
        };
        Node {
            group: Some(record.group.clone()),
            address: Some(ADDRESS.to_owned()),
            ports: inbound
                .map(|(inside, outside)| (*inside, format!("{ADDRESS}:{outside}")))
                .collect(),
            image_user: record.login_user.clone(),
            status,
            os: record.os.clone(),
            tags,
            taggable: true,
            created: record.created,
            ..Node::new(&record.id, &record.name, Connection::Ssh(ssh))
        }
    }
}
