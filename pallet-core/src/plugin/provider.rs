//! A provider: creates, finds and destroys nodes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ErrorKind, PluginError, ServiceHost};
use crate::model::{AdminUser, ImageSpec, Node, NodeSpec, Os};

/// The type that a dylib in `providers/` exports, with `pallet_core::export_provider!(TheType);`.
///
/// One value is one configured service. Calls may block: the host makes them on threads for
/// blocking work. Return a [`PluginError`] if the kind of the error matters to the host. Any other
/// error counts as [`ErrorKind::Failed`].
pub trait Provider: Send + Sync + Sized + 'static {
    /// The provider's name: lower case letters, digits and `-`.
    const NAME: &'static str;
    /// A one-line description.
    const ABOUT: &'static str;
    /// The options of a service in pallet.toml; their doc comments are their documentation.
    type Options: DeserializeOwned + JsonSchema;

    /// Creates the service with these options. It need not connect to anything yet.
    fn connect(options: Self::Options, context: ServiceContext) -> anyhow::Result<Self>;

    /// The project's nodes at this service, in every state except destroyed. Only their tags
    /// identify them.
    fn nodes(&self) -> anyhow::Result<Vec<Node>>;

    /// Creates nodes. Existing nodes are started if they are stopped, or waited for if they are
    /// starting, whether or not an image was chosen. Returns one result per requested node, in
    /// order, once the addresses are known; the host waits until the nodes answer. Set the tags of
    /// the spec in the same step that creates a node.
    ///
    /// Without names, it only updates what the group's nodes share, which is the reachable ports,
    /// to match the spec. A converge calls it like this if no node needs to be created or started.
    fn run_nodes(&self, wanted: &RunNodes) -> anyhow::Result<Vec<Created>>;

    /// Destroys nodes, by id. A node that does not exist counts as destroyed. A node without the
    /// project's tag is never touched. If only some nodes cannot be destroyed, the error lists them
    /// in [`PluginError::nodes`]; otherwise the host asks which nodes still exist. A provider that
    /// never destroys nodes marks each as [`Node::permanent`], and this is not called.
    fn destroy_nodes(&self, ids: &[String]) -> anyhow::Result<()>;

    /// Merges tags over those of a node.
    fn tag_node(&self, _id: &str, _tags: &BTreeMap<String, String>) -> anyhow::Result<()> {
        Err(unsupported(Self::NAME, "keep tags"))
    }

    /// Ends the service for this project: removes everything that it keeps besides nodes, such as
    /// networks and keys. Called when no nodes are left.
    fn clean_up(&self) -> anyhow::Result<()> {
        Ok(())
    }

    /// The available images. If several match, the preferred one comes first. Images that `wanted`
    /// rules out may be omitted. Empty: the provider chooses itself.
    fn images(&self, _wanted: &ImageSpec) -> anyhow::Result<Vec<Image>> {
        Ok(Vec::new())
    }

    /// The available kinds of machines. Empty: the provider chooses itself.
    fn hardware(&self) -> anyhow::Result<Vec<Hardware>> {
        Ok(Vec::new())
    }

    /// The available locations. Empty: the provider chooses itself.
    fn locations(&self) -> anyhow::Result<Vec<Location>> {
        Ok(Vec::new())
    }

    /// All of the above. Override it if they depend on more than the image spec.
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

    /// Takes the lease of all the project's nodes at this service until `wanted.until`, or renews
    /// it if `wanted.token` has it. Returns `None` if it was granted, or else the lease of its
    /// other holder. Store the lease with the nodes, so that it applies on every machine. An
    /// expired lease does not count. A provider that neither creates nor destroys nodes needs no
    /// lease.
    fn take_lease(&self, _wanted: &Lease) -> anyhow::Result<Option<Lease>> {
        Ok(None)
    }

    /// Releases the lease, if it has this token.
    fn release_lease(&self, _token: &str) -> anyhow::Result<()> {
        Ok(())
    }
}

fn unsupported(name: &str, what: &str) -> anyhow::Error {
    PluginError::new(ErrorKind::Unsupported, format!("provider {name} cannot {what}")).into()
}

/// What a service knows about its host. Plugins do not read the environment: everything they need
/// is here.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ServiceContext {
    /// The project's identifier: a node belongs to the project that created it, and to no other.
    pub project: String,
    /// The name of the service in pallet.toml.
    pub service: String,
    /// The directory of pallet.toml; relative paths in options are relative to it.
    pub directory: PathBuf,
    /// A directory for the provider's own files on this machine. The provider creates it when it
    /// needs it.
    pub data_directory: PathBuf,
    /// The home directory of the user who runs Pallet.
    pub home: PathBuf,
    /// The admin user on the nodes.
    pub admin_user: AdminUser,
    /// The host itself: progress, cancellation, and the project's other services.
    #[serde(skip)]
    pub host: ServiceHost,
}

/// A request to create nodes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunNodes {
    /// The group that they belong to.
    pub group: String,
    /// Their names, one for each node.
    pub names: Vec<String>,
    /// The node-spec, as the user wrote it.
    pub spec: NodeSpec,
    /// The image that the host chose from the provider's images; `None` if the provider lists none.
    pub image: Option<Image>,
    /// The kind of machine that the host chose from the provider's.
    pub hardware: Option<Hardware>,
    /// The location, if the spec names one.
    pub location: Option<Location>,
    /// Identifies the request, together with a node's name. Repeating the request, from anywhere,
    /// returns the same node.
    pub token: String,
}

/// Reads the options for one provider in a node-spec, under `provider`. Invalid options are a user
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

/// The node options of a provider that has none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoNodeOptions {}

/// The result for one requested node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Created {
    /// It exists and runs.
    Node(Box<Node>),
    /// It could not be created, and nothing of it remains.
    Failed(PluginError),
}

/// What to list offers for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct WantedOffers {
    /// The group whose nodes would be created; `None`: any.
    pub group: Option<String>,
    /// The node-spec. Offers that it rules out may be omitted.
    pub spec: NodeSpec,
}

/// The choices that a service offers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Offers {
    /// Its images, the preferred ones first.
    pub images: Vec<Image>,
    /// Its kinds of machines.
    pub hardware: Vec<Hardware>,
    /// Its locations.
    pub locations: Vec<Location>,
}

/// An image to create nodes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Image {
    /// The provider's identifier.
    pub id: String,
    /// A name for people.
    pub name: String,
    /// The system on it, as far as the provider knows.
    #[serde(default)]
    pub os: Option<Os>,
    /// The user to log in as on a new node; `None`: the admin user.
    #[serde(default)]
    pub login_user: Option<String>,
    /// The minimum disk size, in GiB.
    #[serde(default)]
    pub min_disk: Option<u64>,
}

/// A kind of machine.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hardware {
    /// The provider's identifier.
    pub id: String,
    /// Processor cores.
    pub cores: u32,
    /// Memory, in MiB.
    pub ram: u64,
    /// Disk, in GiB; `None`: any size.
    pub disk: Option<u64>,
    /// The architectures that it supports, as in `uname -m`; empty: any.
    pub arch: Vec<String>,
    /// The price per hour, in the provider's currency; `None`: unknown.
    pub price: Option<f64>,
}

/// A location, such as a region or zone.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Location {
    /// The provider's identifier.
    pub id: String,
    /// A name for people.
    pub name: String,
}

/// Where a credential comes from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Credential {
    /// Its name: `access key`.
    pub name: String,
    /// Where it was found, or all places that were searched.
    pub source: String,
    /// Whether it was found.
    pub found: bool,
}

/// The temporary right to create and destroy the nodes of a project.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lease {
    /// Identifies the lease.
    pub token: String,
    /// Who holds it, for people: `ops on build-7, process 4242, since 2026-01-31 12:00 UTC`.
    pub holder: String,
    /// Identifies the holder's machine since its last boot; empty: unknown.
    pub machine: String,
    /// The holder's process on that machine.
    pub process: u32,
    /// When it expires, in seconds since 1970-01-01 UTC.
    pub until: u64,
}

impl Lease {
    /// Whether this lease prevents `token` from taking it at time `now`.
    pub fn excludes(&self, token: &str, now: u64) -> bool {
        self.token != token && self.until > now
    }
}
