//! The language server: answers editors while a user writes the files of a project.

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
