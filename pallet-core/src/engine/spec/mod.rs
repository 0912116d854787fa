//! Declarations: server-specs, group-specs, cluster-specs, and the phases in them.

mod all_phases;
mod choice;
mod cluster;
mod error;
mod fact;
mod order;
mod phase;
mod phase_names;
mod rollout;
mod server;

pub(super) use all_phases::all_phases;
pub use choice::ChoiceError;
pub use cluster::ClusterSpec;
pub use error::SpecError;
pub use fact::{FactKind, FactSpec};
pub(super) use order::merge_order;
pub use phase::{Phase, PhaseError, PhaseFunction};
pub(super) use phase_names::{
    AUTOMATIC, BOOTSTRAP, CREATE_GROUP, DESTROY_GROUP, DESTROY_SERVER, DRAIN, HEALTH, INLINE,
    SETTINGS, UNDRAIN,
};
pub use rollout::{Rollout, RolloutError, Share, Waves};
pub use server::{GroupSpec, ServerSpec};
