//! The runtime that operations run on, and the exit code of how they ended.

use anyhow::Context as _;
use pallet_core::engine::Outcome;
use tokio::runtime::Runtime;

use crate::process::{DRIFT, INTERRUPTED, SOME_NODE_FAILED};

/// The exit code of an operation that ended so.
pub(crate) fn exit_code(outcome: &Outcome) -> u8 {
    match code(outcome.cancelled, outcome.ok()) {
        0 if outcome.drift_only && outcome.drifted() > 0 => DRIFT,
        code => code,
    }
}

/// The exit code of anything that was done on nodes: whether it was stopped, and whether all is
/// well.
pub(crate) fn code(cancelled: bool, ok: bool) -> u8 {
    match (cancelled, ok) {
        (true, _) => INTERRUPTED,
        (false, true) => 0,
        (false, false) => SOME_NODE_FAILED,
    }
}

/// The runtime that operations run on. A node costs the controller some milliseconds, so few
/// threads do, and they wake each other less.
pub(crate) fn runtime() -> anyhow::Result<Runtime> {
    let workers =
        std::thread::available_parallelism().map_or(1, |cores| (cores.get() / 4).clamp(1, 8));
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()
        .context("cannot start the runtime")
}
