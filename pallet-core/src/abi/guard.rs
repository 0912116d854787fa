//! No panic crosses the boundary: it becomes an error inside the plugin.

use std::panic::{AssertUnwindSafe, catch_unwind};

use abi_stable::std_types::{RResult, RVec};
use serde::Serialize;

use crate::plugin::{ErrorKind, PluginError};

/// Runs `work`, and turns its result, its error or its panic into what crosses the boundary.
pub(super) fn guard<T>(work: impl FnOnce() -> Result<T, PluginError>) -> RResult<T, RVec<u8>> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => RResult::ROk(value),
        Ok(Err(error)) => RResult::RErr(to_json(&error)),
        Err(payload) => {
            let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned()).or_else(|| payload.downcast_ref::<String>().cloned());
            // dropping the payload could panic again
            std::mem::forget(payload);
            let message = format!("it panicked: {}", text.unwrap_or_else(|| "without a message".to_owned()));
            RResult::RErr(to_json(&PluginError::new(ErrorKind::Panicked, message)))
        }
    }
}

/// The same for work whose value travels as JSON.
pub(super) fn guard_json<T: Serialize>(work: impl FnOnce() -> Result<T, PluginError>) -> super::Outcome {
    guard(|| {
        let value = work()?;
        let json = serde_json::to_vec(&value)
            .map_err(|error| PluginError::new(ErrorKind::Failed, format!("its answer cannot be written: {error}")))?;
        Ok(json.into())
    })
}

pub(super) fn to_json(error: &PluginError) -> RVec<u8> {
    serde_json::to_vec(error).unwrap_or_else(|_| br#"{"message":"an error that cannot be written"}"#.to_vec()).into()
}

pub(super) fn error_from_json(json: &[u8]) -> PluginError {
    serde_json::from_slice(json).unwrap_or_else(|_| PluginError::new(ErrorKind::Failed, String::from_utf8_lossy(json)))
}
