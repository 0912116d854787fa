//! The reference: actions, functions, options and plugins, from the schemas of their parameters.

mod declarations;
mod documented;
mod entry;
mod find;
mod plugin;

pub(crate) use declarations::declarations;
pub(crate) use entry::{DocEntry, actions, markdown, options, page, text};
pub(crate) use find::find;
pub(crate) use plugin::PluginDocs;
