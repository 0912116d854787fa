//! The context of every command: the project, the plugins, the engine.

mod base;
mod consent;
mod engine;
mod journal;
mod load;
mod messages;
mod options;
mod plugins;
mod secrets;
mod services;

pub(crate) use base::{Context, ProjectWithPlugins};
pub(crate) use journal::Asked;
pub(crate) use options::GlobalOptions;
pub(crate) use plugins::{InstalledCrates, check_plugins, refuse_problems};
pub(crate) use secrets::SecretFinder;
