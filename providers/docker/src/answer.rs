//! What the steps of this provider give.

use pallet_core::prelude::*;

/// What a step of this provider gives.
pub(crate) type Answer<T> = Result<T, PluginError>;
