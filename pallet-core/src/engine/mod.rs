//! Observe, plan, apply; converge and lift; what happened, as events.

mod spec;

pub use spec::{ClusterSpec, GroupSpec, Phase, PhaseError, PhaseFunction, ServerSpec, SpecError};
