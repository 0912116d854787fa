//! The options of a service in pallet.toml, and of node-specs for this provider.

use pallet_core::prelude::*;

/// Publishers whose image names are trusted: Amazon, Debian, Canonical, Red Hat, Rocky, AlmaLinux,
/// SUSE, Fedora and CentOS; and the account itself.
const OWNERS: [&str; 9] = [
    "amazon",
    "136693071363",
    "099720109477",
    "309956199498",
    "792107900819",
    "764336703387",
    "013907871322",
    "125523088429",
    "self",
];

pallet_core::parameters! {
    /// Instances of Amazon EC2, or of a cloud with a compatible API.
    pub(crate) struct Options {
        /// The region: `eu-west-1`. Default: the region in AWS's own configuration (AWS_REGION, the
        /// profile, the instance that this runs on).
        #[serde(default)]
        pub(crate) region: Option<String>,
        /// The profile in AWS's shared config and credentials files. Default: AWS's credential
        /// chain (the environment, the default profile, a web identity, the container or the
        /// instance that this runs on).
        #[serde(default)]
        pub(crate) profile: Option<String>,
        /// The URL of the service, for clouds with a compatible API. Default: the endpoint of AWS
        /// for the region.
        #[serde(default)]
        pub(crate) endpoint: Option<String>,
        /// Accounts whose images are offered, by id or alias. Default: Amazon, the accounts of the
        /// distributions, and `self`.
        #[serde(default = "default_owners")]
        pub(crate) owners: Vec<String>,
        /// The VPC of the nodes. Default: the VPC of the subnet, or the default VPC of the region.
        #[serde(default)]
        pub(crate) vpc: Option<String>,
        /// The subnet of nodes whose node-spec names none. Default: a subnet of the VPC.
        #[serde(default)]
        pub(crate) subnet: Option<String>,
        /// An existing key pair. Default: the admin user's first public key is imported.
        #[serde(default)]
        pub(crate) key_name: Option<String>,
        /// The address to connect to: `public` or `private`. Default: the public address, if there
        /// is one.
        #[serde(default)]
        pub(crate) address: Option<AddressKind>,
        /// Networks that may connect to ssh on nodes. Default: all.
        #[serde(default = "everywhere")]
        pub(crate) ssh_from: Vec<String>
    }

    /// Options of a node-spec: `provider = {"ec2": {...}}`.
    pub(crate) struct NodeOptions {
        /// The instance type; overrides the node-spec's hardware. Types that are not offered, such
        /// as `c5.metal`, are allowed.
        #[serde(default)]
        pub(crate) instance_type: Option<String>,
        /// The IAM instance profile of the nodes: its name or ARN.
        #[serde(default)]
        pub(crate) iam_instance_profile: Option<String>,
        /// The size of the root volume, in GiB. Default: the node-spec's min_disk, or the size in
        /// the image.
        #[serde(default)]
        pub(crate) root_volume_size: Option<u64>,
        /// The type of the root volume: `gp3`.
        #[serde(default)]
        pub(crate) root_volume_type: Option<String>,
        /// The placement group of the nodes.
        #[serde(default)]
        pub(crate) placement_group: Option<String>,
        /// Assign public addresses to nodes. Default: as the subnet is configured.
        #[serde(default)]
        pub(crate) public_address: Option<bool>
    }
}

/// Which of its addresses a node is reached at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pallet_core::serde", rename_all = "snake_case")]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) enum AddressKind {
    /// The one that the whole internet knows.
    Public,
    /// The one of its subnet.
    Private,
}

fn default_owners() -> Vec<String> {
    OWNERS.map(str::to_owned).into()
}

fn everywhere() -> Vec<String> {
    vec!["0.0.0.0/0".to_owned(), "::/0".to_owned()]
}

impl Options {
    /// Refuses invalid options.
    pub(crate) fn check(&self, service: &str) -> Result<(), PluginError> {
        let named = |what: &str, problem: String| {
            Err(PluginError::invalid_input(format!("services.{service}.{what}: {problem}")))
        };
        // it becomes part of a host name
        if let Some(region) = self.region.as_ref().filter(|region| !is_region(region)) {
            return named(
                "region",
                format!("`{region}` is not the name of a region, such as eu-west-1"),
            );
        }
        if let Some(url) = self
            .endpoint
            .as_ref()
            .filter(|url| !url.starts_with("http://") && !url.starts_with("https://"))
        {
            return named(
                "endpoint",
                format!("`{url}` is not a URL, such as https://ec2.example.org"),
            );
        }
        if self.owners.is_empty() {
            return named(
                "owners",
                "there are no images without an owner; name one, such as amazon or self".to_owned(),
            );
        }
        if let Some(network) = self.ssh_from.iter().find(|network| !network.contains('/')) {
            return named(
                "ssh_from",
                format!("`{network}` is not a network, such as 192.0.2.0/24"),
            );
        }
        Ok(())
    }
}

impl NodeOptions {
    /// The options of a node-spec.
    pub(crate) fn of(spec: &NodeSpec) -> Result<Self, PluginError> {
        // EC2's console shows this tag as the name of the instance, and Pallet sets it to the
        // node's name
        if spec.tags.contains_key("Name") {
            return Err(PluginError::invalid_input(
                "node-spec: the tag Name is reserved at ec2: Pallet sets it to the node's name",
            ));
        }
        if let Some(tag) = spec.tags.keys().find(|tag| tag.starts_with("aws:")) {
            return Err(PluginError::invalid_input(format!(
                "node-spec: tag {tag} is reserved by EC2"
            )));
        }
        node_options(spec, "ec2")
    }
}

/// Whether a region is a valid label of a host name.
pub(crate) fn is_region(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}
