//! Declaring: runs phase functions on this machine and records the actions that they declare.

mod actions;
mod blocks;
mod caller;
mod considered;
mod context;
mod functions;
mod request;
mod scope;
mod undoes;
mod workspace;

pub(super) use considered::{Considered, USUAL_OS, named_os, target};
pub(super) use context::{ActivityKind, Placeholders};
pub(super) use functions::{Declarations, Subject, declare, request_context, run_phase};
pub(super) use workspace::digest_of;

#[cfg(test)]
pub(super) use workspace::Directory;
