//! No panic crosses the boundary: it becomes an error inside the plugin.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use abi_stable::std_types::{RResult, RVec};
use serde::Serialize;

use crate::plugin::{ErrorKind, PluginError};

thread_local! {
    /// How many guarded calls are under way on this thread.
    static GUARDED: Cell<usize> = const { Cell::new(0) };
    /// Where the last guarded panic of this thread happened.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Lets guarded panics be told by the host alone, and not on standard error as well. Each library
/// has a panic hook of its own.
fn keep_quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| match GUARDED.get() {
            0 => usual(info),
            _ => {
                PLACE.set(info.location().map(|place| format!("{}:{}", place.file(), place.line())))
            }
        }));
    });
}

/// Runs `work`, and turns its result, its error or its panic into what crosses the boundary.
pub(super) fn guard<T>(work: impl FnOnce() -> Result<T, PluginError>) -> RResult<T, RVec<u8>> {
    keep_quiet();
    GUARDED.set(GUARDED.get() + 1);
    let result = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(GUARDED.get() - 1);
    match result {
        Ok(Ok(value)) => RResult::ROk(value),
        Ok(Err(error)) => RResult::RErr(to_json(&error)),
        Err(payload) => {
            let text = payload
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned())
                .or_else(|| payload.downcast_ref::<String>().cloned());
            // dropping the payload could panic again
            std::mem::forget(payload);
            let place = PLACE.take().map(|place| format!(" at {place}")).unwrap_or_default();
            let message = format!(
                "it panicked{place}: {}",
                text.unwrap_or_else(|| "without a message".to_owned())
            );
            RResult::RErr(to_json(&PluginError::new(ErrorKind::Panicked, message)))
        }
    }
}

/// The same for work whose value travels as JSON.
pub(super) fn guard_json<T: Serialize>(
    work: impl FnOnce() -> Result<T, PluginError>,
) -> super::Outcome {
    guard(|| {
        let value = work()?;
        let json = serde_json::to_vec(&value).map_err(|error| {
            PluginError::new(ErrorKind::Failed, format!("its answer cannot be written: {error}"))
        })?;
        Ok(json.into())
    })
}

pub(super) fn to_json(error: &PluginError) -> RVec<u8> {
    serde_json::to_vec(error)
        .unwrap_or_else(|_| br#"{"message":"an error that cannot be written"}"#.to_vec())
        .into()
}

pub(super) fn error_from_json(json: &[u8]) -> PluginError {
    serde_json::from_slice(json)
        .unwrap_or_else(|_| PluginError::new(ErrorKind::Failed, String::from_utf8_lossy(json)))
}
