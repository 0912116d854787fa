//! The pages of the reference in `docs/`, generated from what the program itself uses.

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
