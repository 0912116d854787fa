//! The language server: what an editor asks of a project while its files are written.

mod completion;
mod definition;
mod documents;
mod hover;
mod names;
mod position;
mod server;
mod wire;
mod workspace;

pub(crate) use server::serve;
