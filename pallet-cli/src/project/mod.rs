//! A project: a directory with `pallet.toml`, its configuration, and `pallet.star`, its
//! declarations.

mod analysis;
mod catalog;
pub(crate) mod config;
mod configuration;
mod files;
mod init;
mod leaves;
mod loaded;
mod options;
pub(crate) mod schema;
pub(crate) mod star;
#[cfg(test)]
mod tests;

pub(crate) use analysis::Analysis;
pub(crate) use catalog::CrateCatalog;
pub(crate) use configuration::{EnvironmentScope, read_configuration};
pub(crate) use files::{CONFIG, MAIN, file_name, utf8};
pub(crate) use init::init;
pub(crate) use leaves::leaves;
pub(crate) use loaded::LoadedProject;
pub(crate) use options::{LoadOptions, PrintSink, UnsavedFiles};
pub(crate) use star::{Definition, DefinitionKind, Limits, Outline, builtins, complete, tokens};
