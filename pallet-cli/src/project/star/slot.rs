//! The properties of a phase function that are known before it can be called.

use super::limits::Limits;
use crate::diagnostic::SourceSpan;

/// Settings of phase functions.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RunSettings {
    /// The limits of their evaluation.
    pub(crate) limits: Limits,
    /// Whether their errors are rendered in colour.
    pub(crate) colour: bool,
}

/// A phase function.
#[derive(Debug, Clone)]
pub(crate) struct PhaseSlot {
    /// The hidden variable in its file that contains the function.
    pub(crate) variable: String,
    /// The name of the phase.
    pub(crate) phase: String,
    /// Its settings.
    pub(crate) run: RunSettings,
    /// The place that declared it as a phase.
    pub(crate) declared: Option<SourceSpan>,
}
