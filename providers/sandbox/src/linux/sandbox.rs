//! A configured service of this provider.

use std::path::PathBuf;

use pallet_core::prelude::*;

use crate::linux::cgroup;
use crate::linux::disk::Layout;
use crate::linux::image::{self, Root};
use crate::linux::network::Network;
use crate::linux::owner::Owner;
use crate::linux::store::{self, Record, Store, remove_directory};
use crate::options::Options;

/// A configured service of this provider.
pub(crate) struct Sandbox {
    pub(crate) context: ServiceContext,
    pub(crate) options: Options,
    pub(crate) network: Network,
    pub(crate) store: Store,
    pub(crate) owner: Owner,
}

impl Sandbox {
    pub(crate) fn roots(&self) -> Vec<Root> {
        image::all(&self.options, &self.context.directory)
    }

    /// The root for new nodes.
    pub(crate) fn root(&self, wanted: &RunNodes) -> Result<Root, PluginError> {
        let NoNodeOptions {} = node_options(&wanted.spec, Self::NAME)?;
        image::find(self.roots(), wanted.image.as_ref(), self.options.init)
    }

    pub(crate) fn layout(&self, root: &Root) -> Layout {
        Layout::of(
            root,
            &[&self.context.directory, &self.context.data_directory, &self.context.home],
        )
    }

    /// Removes a node completely.
    pub(crate) fn remove(&self, record: &Record, boot_id: &str) -> Result<()> {
        if let Some(process) = record.running(boot_id) {
            process.kill()?;
            process.wait()?;
        }
        self.network.disconnect(&record.device)?;
        record.cgroup.as_deref().map_or(Ok(()), cgroup::remove)?;
        remove_directory(&self.store.directory(&record.name))
    }

    /// Removes leftovers of interrupted creations. Their processes ended together with the creating
    /// process.
    pub(crate) fn remove_remains(&self, remains: &[PathBuf]) -> Result<()> {
        for directory in remains {
            if let Some(record) = Store::read(directory) {
                self.network.disconnect(&record.device)?;
                record.cgroup.as_deref().map_or(Ok(()), cgroup::remove)?;
            }
            remove_directory(directory)?;
        }
        Ok(())
    }

    /// The name of a node's network device on the machine: unique, and at most 15 bytes.
    pub(crate) fn device(&self, name: &str) -> String {
        let words = [self.network.bridge.as_str(), &self.store.service.to_string_lossy(), name];
        format!("pv{:012x}", store::digest(&words) >> 16)
    }
}
