//! The types of the tables `[stages.NAME]`.

use std::collections::BTreeMap;

use pallet_core::model::Environment;
use pallet_core::schemars::JsonSchema;

use super::named::Named;
use super::plugin_tables::SignerConfig;
use crate::diagnostic::SourceSpan;

/// A stage.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) struct StageConfig {
    /// The service that it uses. Default: `default_service`.
    #[schemars(with = "Option<String>")]
    pub(crate) service: Option<Named>,
    /// The name of the project in this stage, by which its nodes and its journal are found.
    /// Default: `NAME-STAGE`, so that every stage has nodes of its own.
    pub(crate) project: Option<String>,
    /// Values that override `[environment]` and those of the service.
    #[schemars(default)]
    pub(crate) environment: Environment,
    /// The number of nodes of groups: `counts = { web = 6 }`. It overrides what `pallet.star` says.
    #[schemars(default, with = "BTreeMap<String, u32>")]
    pub(crate) counts: BTreeMap<String, (u32, SourceSpan)>,
    /// The groups whose nodes must not be destroyed, or `true` for all groups.
    #[schemars(extend("x-takes" = "a list of groups, or `true`"))]
    pub(crate) protect: Protect,
    /// Whether operations that change something ask for its name, which `--confirm-stage` gives
    /// without a question. Default: false.
    #[schemars(with = "Option<bool>")]
    pub(crate) confirm: bool,
    /// Whose signatures count, like `[trust]`, which it overrides for each beginning of a source
    /// that it names.
    #[schemars(extend("x-takes" = "a table like `[trust]`"))]
    #[schemars(with = "BTreeMap<String, String>")]
    pub(crate) trust: BTreeMap<String, Vec<SignerConfig>>,
    /// The places of its values of the environment, by their dotted keys.
    #[schemars(skip)]
    pub(crate) environment_places: BTreeMap<String, SourceSpan>,
    /// The place of the table.
    #[schemars(skip)]
    pub(crate) place: SourceSpan,
}

/// The groups that a stage protects.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) enum Protect {
    /// All.
    All,
    /// These.
    Groups(#[schemars(with = "Vec<String>")] Vec<Named>),
}

impl Protect {
    /// Whether it protects any.
    pub(crate) fn is_any(&self) -> bool {
        !matches!(self, Protect::Groups(groups) if groups.is_empty())
    }
}
