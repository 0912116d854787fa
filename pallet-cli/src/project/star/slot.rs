//! A function of the project that is a phase: what is known of it before it can be called.

use super::limits::Limits;
use crate::diagnostic::SourceSpan;

/// How phase functions run.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RunSettings {
    /// What bounds them.
    pub(crate) limits: Limits,
    /// Whether their errors are rendered in colour.
    pub(crate) colour: bool,
}

/// A phase function.
#[derive(Debug, Clone)]
pub(crate) struct PhaseSlot {
    /// The name of the hidden variable that holds the function in its file.
    pub(crate) variable: String,
    /// The name of the phase.
    pub(crate) phase: String,
    /// How it runs.
    pub(crate) run: RunSettings,
    /// The place that made it a phase.
    pub(crate) declared: Option<SourceSpan>,
}
