//! The page of an operation while it runs, on loopback: read-only, under a token.

mod http;
mod server;
mod site;
mod watched;

pub(crate) use server::Server;
pub(crate) use watched::Watch;
