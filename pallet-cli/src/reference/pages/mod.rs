//! The pages of the reference in `docs/`, generated from the program's own definitions.

mod commands;
mod configuration;
mod named;
mod page;
mod plugins;
mod request;

pub(crate) use configuration::configuration;
pub(crate) use named::named;
pub(crate) use page::Page;
pub(crate) use request::request;
