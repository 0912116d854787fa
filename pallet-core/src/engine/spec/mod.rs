//! What is declared: server-specs, group-specs, cluster-specs, and the phases in them.

mod choice;
mod cluster;
mod order;
mod phase;
mod server;

pub use choice::ChoiceError;
pub use cluster::ClusterSpec;
pub(super) use order::merge_order;
pub use phase::{Phase, PhaseError, PhaseFunction};
pub use server::{GroupSpec, ServerSpec, SpecError};
