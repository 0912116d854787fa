//! A provider: makes, finds and destroys nodes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ErrorKind, PluginError, ServiceHost};
use crate::model::{AdminUser, ImageSpec, Node, NodeSpec, Os};

/// What a dylib in `providers/` exports, with `pallet_core::export_provider!(TheType);`.
///
/// One value is one configured service. Calls block; the host makes them on threads that may block.
/// Return a [`PluginError`] where the kind of the failure matters to the host; anything else counts
/// as [`ErrorKind::Failed`].
pub trait Provider: Send + Sync + Sized + 'static {
    /// The provider's name: lower case letters, digits and `-`.
    const NAME: &'static str;
    /// One line on what it is.
    const ABOUT: &'static str;
    /// The options of a service in pallet.toml; their doc comments are their documentation.
    type Options: DeserializeOwned + JsonSchema;

    /// Makes the service of these options. Does not have to reach anything yet.
    fn connect(options: Self::Options, context: ServiceContext) -> anyhow::Result<Self>;

    /// The project's nodes at this service, in every state but gone. They are found by their tags
    /// alone.
    fn nodes(&self) -> anyhow::Result<Vec<Node>>;

    /// Makes nodes; of those that exist, starts what is stopped and waits for what is starting,
    /// whether an image was chosen or not. One result for each that was asked for, in order. It
    /// returns when their addresses are known; the host waits until they answer. Tags of the spec
    /// are set in the step that makes a node.
    ///
    /// Without any name, what the nodes of the group share is brought to what the spec says: which
    /// ports may be reached. A converge asks so where no node is to be made or started.
    fn run_nodes(&self, wanted: &RunNodes) -> anyhow::Result<Vec<Created>>;

    /// Destroys nodes, by id. One that does not exist is destroyed already; one that does not carry
    /// the project's tag is never touched. Where only some cannot be destroyed, the error names
    /// them in [`PluginError::nodes`]; if it does not, the host asks which nodes are still there. A
    /// provider that never destroys nodes says so of each ([`Node::permanent`]), and is not asked
    /// to.
    fn destroy_nodes(&self, ids: &[String]) -> anyhow::Result<()>;

    /// Lays tags over those of a node.
    fn tag_node(&self, _id: &str, _tags: &BTreeMap<String, String>) -> anyhow::Result<()> {
        Err(unsupported(Self::NAME, "keep tags"))
    }

    /// Ends the service for this project: whatever it keeps besides nodes (networks, keys) goes.
    /// Called when no node is left.
    fn clean_up(&self) -> anyhow::Result<()> {
        Ok(())
    }

    /// The images that nodes can be made from, the preferred one first where several would do. What
    /// `wanted` surely rules out may be left out. None at all: the provider decides for itself.
    fn images(&self, _wanted: &ImageSpec) -> anyhow::Result<Vec<Image>> {
        Ok(Vec::new())
    }

    /// The kinds of machines there are. None at all: the provider decides for itself.
    fn hardware(&self) -> anyhow::Result<Vec<Hardware>> {
        Ok(Vec::new())
    }

    /// The places there are. None at all: the provider decides for itself.
    fn locations(&self) -> anyhow::Result<Vec<Location>> {
        Ok(Vec::new())
    }

    /// All of these. A provider whose offers depend on more than the image spec says so here.
    fn offers(&self, wanted: &WantedOffers) -> anyhow::Result<Offers> {
        let image = wanted.spec.image.clone().unwrap_or_default();
        Ok(Offers {
            images: self.images(&image)?,
            hardware: self.hardware()?,
            locations: self.locations()?,
        })
    }

    /// Where each credential comes from, without its value.
    fn credentials(&self) -> anyhow::Result<Vec<Credential>> {
        Ok(Vec::new())
    }

    /// Takes the lease of the project's nodes at this service, all of them wherever they are, or
    /// renews it if `wanted.token` has it, until `wanted.until`. `None` if it was granted, or else
    /// the lease that another holds. It is kept where the nodes are, so that it holds for every
    /// machine; one that is past its time is no lease. A provider whose nodes are neither made nor
    /// destroyed needs none.
    fn take_lease(&self, _wanted: &Lease) -> anyhow::Result<Option<Lease>> {
        Ok(None)
    }

    /// Gives the lease back, if this token has it.
    fn release_lease(&self, _token: &str) -> anyhow::Result<()> {
        Ok(())
    }
}

fn unsupported(name: &str, what: &str) -> anyhow::Error {
    PluginError::new(ErrorKind::Unsupported, format!("provider {name} cannot {what}")).into()
}

/// What a service is told of the host that it serves. A plugin reads no environment: what it needs
/// to know is here.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ServiceContext {
    /// Names the project: nodes belong to the project that made them, and only to it.
    pub project: String,
    /// The name of the service in pallet.toml.
    pub service: String,
    /// The directory of pallet.toml; relative paths in options are relative to it.
    pub directory: PathBuf,
    /// Where the provider may keep files of its own on this machine (it makes the directory when it
    /// needs it).
    pub data_directory: PathBuf,
    /// The home directory of the user who runs Pallet.
    pub home: PathBuf,
    /// Who Pallet is on the nodes.
    pub admin_user: AdminUser,
    /// The host itself: progress, cancellation, and the project's other services.
    #[serde(skip)]
    pub host: ServiceHost,
}

/// Nodes to make.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunNodes {
    /// The group that they belong to.
    pub group: String,
    /// Their names, one for each node.
    pub names: Vec<String>,
    /// What they should be, in the user's words.
    pub spec: NodeSpec,
    /// The image that the host chose among the provider's; `None` if the provider has none to
    /// choose from.
    pub image: Option<Image>,
    /// The kind of machine that the host chose among the provider's.
    pub hardware: Option<Hardware>,
    /// The place, if the spec names one.
    pub location: Option<Location>,
    /// With a node's name, names the wish for that node: asked again, by whom it may be, it gives
    /// the node that it gave before.
    pub token: String,
}

/// What a node-spec says to one provider alone, under `provider`. What cannot be read is the user's
/// error.
pub fn node_options<T: DeserializeOwned>(
    spec: &NodeSpec,
    provider: &str,
) -> Result<T, PluginError> {
    let given = spec.provider.get(provider).cloned().unwrap_or_default();
    serde_json::from_value(Value::Object(given)).map_err(|error| {
        PluginError::new(
            ErrorKind::InvalidInput,
            format!("node-spec: provider.{provider}: {error}"),
        )
    })
}

/// What a node-spec can say to a provider that has no options for it: nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoNodeOptions {}

/// What became of one wanted node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Created {
    /// It exists and runs.
    Node(Box<Node>),
    /// It could not be made; nothing of it is left.
    Failed(PluginError),
}

/// What offers are wanted for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct WantedOffers {
    /// The group whose nodes would be made; `None`: any.
    pub group: Option<String>,
    /// What they should be. What this surely rules out may be left out.
    pub spec: NodeSpec,
}

/// What a service has to choose from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Offers {
    /// Its images, the preferred ones first.
    pub images: Vec<Image>,
    /// Its kinds of machines.
    pub hardware: Vec<Hardware>,
    /// Its places.
    pub locations: Vec<Location>,
}

/// An image that nodes can be made from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Image {
    /// The provider's name for it.
    pub id: String,
    /// What a person calls it.
    pub name: String,
    /// The system on it, as far as the provider knows.
    #[serde(default)]
    pub os: Option<Os>,
    /// Who logs in to a node that was just made from it; `None` if that is the admin user.
    #[serde(default)]
    pub login_user: Option<String>,
    /// The disk that it needs at least, in GiB.
    #[serde(default)]
    pub min_disk: Option<u64>,
}

/// A kind of machine.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hardware {
    /// The provider's name for it.
    pub id: String,
    /// Processor cores.
    pub cores: u32,
    /// Memory, in MiB.
    pub ram: u64,
    /// Disk, in GiB; `None`: as large as is asked for.
    pub disk: Option<u64>,
    /// The architectures that it runs, as `uname -m` says them; none: that of every image.
    pub arch: Vec<String>,
    /// What an hour costs, in the provider's currency; `None` if that is not known.
    pub price: Option<f64>,
}

/// A place.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Location {
    /// The provider's name for it.
    pub id: String,
    /// What a person calls it.
    pub name: String,
}

/// Where a credential comes from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Credential {
    /// What it is: `access key`.
    pub name: String,
    /// Where it was found, or all places where it was looked for.
    pub source: String,
    /// Whether it was found.
    pub found: bool,
}

/// The right to make and destroy the nodes of a project, for some time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lease {
    /// Names the lease.
    pub token: String,
    /// Who holds it, for people: `ops on build-7, process 4242, since 2026-01-31 12:00 UTC`.
    pub holder: String,
    /// Names the holder's machine, as it has run since its last start; empty if that is not known.
    pub machine: String,
    /// The holder's process on that machine.
    pub process: u32,
    /// Until when, in seconds since 1970-01-01 UTC.
    pub until: u64,
}

impl Lease {
    /// Whether this lease, held by another, keeps `token` from taking its place at that time.
    pub fn excludes(&self, token: &str, now: u64) -> bool {
        self.token != token && self.until > now
    }
}
