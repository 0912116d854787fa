//! The package of a plugin that somebody writes, outside of this workspace: writing a new one, building it.

mod build;
mod template;

pub(crate) use build::build;
pub(crate) use template::{Kind, License, Template};
