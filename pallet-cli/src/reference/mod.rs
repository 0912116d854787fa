//! The reference: actions, functions, options and plugins, from the schemas of their parameters.

mod declarations;
mod documented;
mod entry;
mod find;
mod pages;
mod plugin;

pub(crate) use declarations::declarations;
pub(crate) use entry::{DocEntry, actions, markdown, options, text};
pub(crate) use find::find;
pub(crate) use pages::{Page, configuration, named, request};
pub(crate) use plugin::PluginDocs;
