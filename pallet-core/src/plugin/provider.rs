//! A provider: makes, finds and destroys nodes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{ErrorKind, PluginError};
use crate::model::{AdminUser, Node, NodeSpec, Os};

/// What a dylib in `providers/` exports, with `pallet_core::export_provider!(TheType);`.
///
/// One value is one configured service. Calls block; the host makes them on threads that may block. Return a [`PluginError`] where the
/// kind of the failure matters to the host; anything else counts as [`ErrorKind::Failed`].
pub trait Provider: Send + Sync + Sized + 'static {
    /// The provider's name: lower case letters, digits and `-`.
    const NAME: &'static str;
    /// One line on what it is.
    const ABOUT: &'static str;
    /// The options of a service in pallet.toml; their doc comments are their documentation.
    type Options: DeserializeOwned + JsonSchema;

    /// Makes the service of these options. Does not have to reach anything yet.
    fn connect(options: Self::Options, context: ServiceContext) -> anyhow::Result<Self>;

    /// The project's nodes at this service, stopped ones included.
    fn nodes(&self) -> anyhow::Result<Vec<Node>>;

    /// Makes nodes, or starts those that exist and are stopped. One result for each that was asked for, in order.
    fn run_nodes(&self, wanted: &RunNodes) -> anyhow::Result<Vec<Created>>;

    /// Destroys nodes, by id. One that does not exist is destroyed already.
    fn destroy_nodes(&self, ids: &[String]) -> anyhow::Result<()>;

    /// Lays tags over those of a node.
    fn tag_node(&self, _id: &str, _tags: &BTreeMap<String, String>) -> anyhow::Result<()> {
        Err(unsupported(Self::NAME, "keep tags"))
    }

    /// Ends the service for this project: whatever it keeps besides nodes (networks, keys) goes. Called when no node is left.
    fn clean_up(&self) -> anyhow::Result<()> {
        Ok(())
    }

    /// The images there are.
    fn images(&self) -> anyhow::Result<Vec<Image>> {
        Ok(Vec::new())
    }

    /// The kinds of machines there are.
    fn hardware(&self) -> anyhow::Result<Vec<Hardware>> {
        Ok(Vec::new())
    }

    /// The places there are.
    fn locations(&self) -> anyhow::Result<Vec<Location>> {
        Ok(Vec::new())
    }
}

fn unsupported(name: &str, what: &str) -> anyhow::Error {
    PluginError::new(ErrorKind::Unsupported, format!("provider {name} cannot {what}")).into()
}

/// What a service is told of the host that it serves. A plugin reads no environment: what it needs to know is here.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServiceContext {
    /// Names the project: nodes belong to the project that made them, and only to it.
    pub project: String,
    /// The name of the service in pallet.toml.
    pub service: String,
    /// The directory of pallet.toml; relative paths in options are relative to it.
    pub directory: PathBuf,
    /// Where the provider may keep files of its own on this machine (it makes the directory when it needs it).
    pub data_directory: PathBuf,
    /// The home directory of the user who runs Pallet.
    pub home: PathBuf,
    /// Who Pallet is on the nodes.
    pub admin_user: AdminUser,
}

/// Nodes to make.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunNodes {
    /// The group that they belong to.
    pub group: String,
    /// Their names, one for each node.
    pub names: Vec<String>,
    /// What they should be.
    pub spec: NodeSpec,
    /// Names this wish: the same token again makes no second set of nodes.
    pub token: String,
}

/// What became of one wanted node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Created {
    /// It exists and runs.
    Node(Box<Node>),
    /// It could not be made; nothing of it is left.
    Failed(PluginError),
}

/// An image that nodes can be made from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Image {
    /// The provider's name for it.
    pub id: String,
    /// What a person calls it.
    pub name: String,
    /// The system on it.
    #[serde(default)]
    pub os: Option<Os>,
}

/// A kind of machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hardware {
    /// The provider's name for it.
    pub id: String,
    /// Processor cores.
    pub cores: u32,
    /// Memory, in MiB.
    pub ram: u64,
    /// Disk, in GiB; `None`: as large as the image.
    #[serde(default)]
    pub disk: Option<u64>,
}

/// A place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Location {
    /// The provider's name for it.
    pub id: String,
    /// What a person calls it.
    pub name: String,
}
