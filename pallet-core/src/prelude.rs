//! The one import of a plugin.

pub use anyhow::{Context, Result, anyhow, bail, ensure};
pub use schemars::{self, JsonSchema};
pub use serde::{self, Deserialize, Serialize};
pub use serde_json::{Value, json};

// the actions; the types of the same names are `model::PackageManager` and `plugin::Service`
pub use crate::action::*;
pub use crate::action::{PackageManager, Service};
pub use crate::model::*;
pub use crate::observe::{
    Attributes, CommandState, FileQuestion, FileState, GroupState, NodeState, Observation,
    PackageState, Reading, ServiceState, UserState,
};
pub use crate::plugin::*;
pub use crate::{export_crate, export_provider, functions, parameters};
