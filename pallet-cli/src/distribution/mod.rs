//! Plugins of a project or of a user: which files say what is required and what is locked, and what
//! changes them.

mod argument;
mod changes;
mod context;
mod edit;
mod plan;
mod registry;

pub(crate) use argument::PluginArgument;
pub(crate) use changes::signer;
pub(crate) use context::{InstallContext, SourceOptions};
pub(crate) use plan::{InstallOptions, InstallPlan, block_on};
pub(crate) use registry::{RegistryOptions, signing_key};
