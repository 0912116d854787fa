//! What a node should be: image, hardware, location, network, quality of service.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A tag that users may set: nodes whose value for it is `true` are not destroyed.
pub const PROTECT_TAG: &str = "pallet-protect";

/// A template for nodes, in terms that mean the same at every provider. The provider chooses what
/// is omitted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct NodeSpec {
    /// The image that the node boots.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageSpec>,
    /// The hardware that it needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hardware: Option<HardwareSpec>,
    /// Its location.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<LocationSpec>,
    /// Its network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<NetworkSpec>,
    /// Spot price and monitoring.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qos: Option<QosSpec>,
    /// Tags that the provider sets when it creates the node. Tags that begin with `pallet` are
    /// reserved.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Options of a provider for this node, by the provider's name: `{"docker": {...}}`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub provider: BTreeMap<String, Map<String, Value>>,
}

/// Which image a node boots.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ImageSpec {
    /// The distribution, or its family: `debian`, `ubuntu`, `red_hat`, ...
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os_family: Option<String>,
    /// The version, its beginning, or a range: `12` also matches `12.4`; `>=11, <13`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os_version: Option<String>,
    /// The architecture: `x86_64`, `aarch64`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arch: Option<String>,
    /// The provider's identifier of an image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_id: Option<String>,
    /// A pattern for the image's name; `*` matches any text: `debian-12-*`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_name: Option<String>,
    /// The user to log in as on a new node. Default: the image's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login_user: Option<String>,
}

/// The hardware that a node needs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct HardwareSpec {
    /// Minimum number of processor cores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_cores: Option<u32>,
    /// Minimum memory, in MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_ram: Option<u64>,
    /// Minimum disk size, in GiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_disk: Option<u64>,
    /// The provider's identifier of a kind of machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hardware_id: Option<String>,
    /// Choose the fitting hardware with the most cores and memory, instead of the smallest and
    /// cheapest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fastest: Option<bool>,
}

/// The location of a node.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LocationSpec {
    /// The provider's identifier of a location, such as a region or zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location_id: Option<String>,
}

/// The network of a node.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct NetworkSpec {
    /// TCP ports that are reachable from outside.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inbound_ports: Vec<u16>,
    /// The provider's identifier of the subnet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subnet: Option<String>,
    /// The provider's identifiers of further security groups, besides the one that Pallet creates.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub security_groups: Vec<String>,
}

/// Spot price and monitoring of a node.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct QosSpec {
    /// The maximum price for an hour, in the provider's currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spot_price: Option<f64>,
    /// Turn on the provider's detailed monitoring.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_monitoring: Option<bool>,
}

impl NodeSpec {
    /// Merges `over` over this spec: the keys of `over` win, other keys stay.
    pub fn merged(&self, over: &NodeSpec) -> NodeSpec {
        let (Ok(mut base), Ok(over)) = (serde_json::to_value(self), serde_json::to_value(over))
        else {
            return over.clone();
        };
        super::environment::deep_merge(&mut base, over);
        serde_json::from_value(base).unwrap_or_else(|_| self.clone())
    }

    /// The first invalid tag: one without a name, or one that is reserved for Pallet.
    pub fn wrong_tag(&self) -> Option<&str> {
        self.tags
            .keys()
            .map(String::as_str)
            .filter(|tag| *tag != PROTECT_TAG)
            .find(|tag| tag.is_empty() || tag.starts_with("pallet-") || tag.starts_with("pallet."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_later_wins_and_the_rest_stays() {
        let base = NodeSpec {
            image: Some(ImageSpec {
                os_family: Some("debian".into()),
                os_version: Some("11".into()),
                ..Default::default()
            }),
            hardware: Some(HardwareSpec { min_cores: Some(2), ..Default::default() }),
            tags: tags(&[("team", "shop"), ("env", "test")]),
            ..Default::default()
        };
        let over = NodeSpec {
            image: Some(ImageSpec { os_version: Some("12".into()), ..Default::default() }),
            tags: tags(&[("env", "production")]),
            ..Default::default()
        };
        let merged = base.merged(&over);
        assert_eq!(merged.image.as_ref().and_then(|image| image.os_version.as_deref()), Some("12"));
        assert_eq!(
            merged.image.as_ref().and_then(|image| image.os_family.as_deref()),
            Some("debian")
        );
        assert_eq!(merged.hardware, base.hardware);
        assert_eq!(merged.tags, tags(&[("env", "production"), ("team", "shop")]));
    }

    #[test]
    fn tags_that_pallet_finds_nodes_by_are_its_own() {
        let spec =
            |tag: &str| NodeSpec { tags: tags(&[("a", ""), (tag, "x")]), ..Default::default() };
        assert_eq!(spec("pallet-group").wrong_tag(), Some("pallet-group"));
        assert_eq!(spec("").wrong_tag(), Some(""));
        assert_eq!(spec("palletised").wrong_tag(), None);
    }

    fn tags(tags: &[(&str, &str)]) -> BTreeMap<String, String> {
        tags.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }
}
