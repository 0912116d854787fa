//! The role of each phase in an operation.

/// The role of a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// `settings`, `bootstrap`, and the phases that the operation is for.
    Named,
    /// Takes a node out of service before its changes.
    Drain,
    /// Checks the health of a node after its changes.
    Health,
    /// Takes a node back into service.
    Undrain,
}
