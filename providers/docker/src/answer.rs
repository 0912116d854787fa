//! The result type of this provider's steps.

use pallet_core::prelude::*;

/// The result of a step.
pub(crate) type Answer<T> = Result<T, PluginError>;
