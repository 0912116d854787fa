//! This process: its environment, signals, exit codes and the time of the processor.

mod env;
mod exit;
pub(crate) mod processor_time;
mod signals;

pub(crate) use env::{COMPLETE, ProcessEnv, expand};
pub(crate) use exit::{
    CHANGES, DRIFT, Failure, INTERRUPTED, SOME_NODE_FAILED, UNTESTED, USAGE, exit_code,
    restrict_umask,
};
pub(crate) use signals::{SignalGuard, exit_now, in_background, on_signal, with_deadline};
