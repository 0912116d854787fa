//! Plugins of a project or a user: the files with required and locked plugins, and changes to them.

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
