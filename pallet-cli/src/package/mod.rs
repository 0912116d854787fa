//! The package of a plugin that somebody writes, outside of this workspace: writing a new one,
//! building it, and what is published with it.

mod build;
mod details;
mod scenario;
mod template;

pub(crate) use build::build;
pub(crate) use details::details;
pub(crate) use scenario::{Scenario, link_library, scenarios};
pub(crate) use template::{License, PackageKind, Template};
