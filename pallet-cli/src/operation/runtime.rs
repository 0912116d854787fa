//! The runtime of operations, and their exit codes.

use anyhow::Context as _;
use pallet_core::engine::Outcome;
use tokio::runtime::Runtime;

use crate::process::{DRIFT, INTERRUPTED, SOME_NODE_FAILED};

/// The exit code of an operation.
pub(crate) fn exit_code(outcome: &Outcome) -> u8 {
    match code(outcome.cancelled, outcome.ok()) {
        0 if outcome.drift_only && outcome.drifted() > 0 => DRIFT,
        code => code,
    }
}

/// Whether an operation changes something or, in a dry run, would.
pub(crate) fn has_changes(outcome: &Outcome) -> bool {
    let (changed, _, _) = outcome.counts();
    changed > 0 || !outcome.created.is_empty() || !outcome.destroyed.is_empty()
}

/// The exit code of any work on nodes: whether it was stopped, and whether everything succeeded.
pub(crate) fn code(cancelled: bool, ok: bool) -> u8 {
    match (cancelled, ok) {
        (true, _) => INTERRUPTED,
        (false, true) => 0,
        (false, false) => SOME_NODE_FAILED,
    }
}

/// The runtime of operations. A node costs the controller only a few milliseconds, so few threads
/// suffice, and they wake each other less.
pub(crate) fn runtime() -> anyhow::Result<Runtime> {
    let workers =
        std::thread::available_parallelism().map_or(1, |cores| (cores.get() / 4).clamp(1, 8));
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()
        .context("cannot start the runtime")
}
