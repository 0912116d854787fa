//! A phase: functions that declare actions, run one after the other for every node.

use std::fmt;
use std::sync::Arc;

use thiserror::Error;

use crate::action::SourceLocation;
use crate::plugin::{PluginError, Request};

/// A function that configures a node by declaring actions on its request.
pub trait PhaseFunction: Send + Sync {
    /// Declares the actions for the request's target. It may be called on any thread, and for
    /// several nodes at once.
    fn call(&self, request: &mut Request) -> Result<(), PhaseError>;
}

impl<F: Fn(&mut Request) -> anyhow::Result<()> + Send + Sync> PhaseFunction for F {
    fn call(&self, request: &mut Request) -> Result<(), PhaseError> {
        self(request).map_err(PhaseError::from)
    }
}

/// Why a phase function failed.
#[derive(Debug, Clone, Error)]
#[error("{message}")]
pub struct PhaseError {
    /// The error, in one line.
    pub message: String,
    /// The place in the project.
    pub source_location: Option<SourceLocation>,
    /// It was stopped because it ran too long.
    pub timed_out: bool,
    /// The error for people: with file, line, column and the line itself; empty if there are no
    /// details.
    pub rendered: String,
}

impl From<anyhow::Error> for PhaseError {
    fn from(error: anyhow::Error) -> Self {
        PhaseError {
            message: PluginError::from(error).to_string(),
            source_location: None,
            timed_out: false,
            rendered: String::new(),
        }
    }
}

/// The functions of one phase, in order.
#[derive(Clone, Default)]
pub struct Phase(Vec<Arc<dyn PhaseFunction>>);

impl Phase {
    /// A phase of one function.
    pub fn new(function: impl PhaseFunction + 'static) -> Self {
        Phase(vec![Arc::new(function)])
    }

    /// These functions, followed by those of `other`.
    pub fn then(mut self, other: &Phase) -> Self {
        self.0.extend(other.0.iter().cloned());
        self
    }

    /// The functions, in order.
    pub fn functions(&self) -> &[Arc<dyn PhaseFunction>] {
        &self.0
    }
}

impl fmt::Debug for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Phase({} functions)", self.0.len())
    }
}
