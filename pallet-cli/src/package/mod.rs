//! The package of a plugin outside this workspace: creating, building and publishing it.

mod build;
mod details;
mod scenario;
mod template;

pub(crate) use build::build;
pub(crate) use details::details;
pub(crate) use scenario::{Scenario, link_library, scenarios};
pub(crate) use template::{
    CoreSource, Language, License, PackageKind, Template, check_new, checkout_around,
};
