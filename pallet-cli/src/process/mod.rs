//! This process: its environment, signals and exit codes.

mod env;
mod exit;
mod signals;

pub(crate) use env::{COMPLETE, ProcessEnv, expand};
pub(crate) use exit::{
    CHANGES, DRIFT, Failure, INTERRUPTED, SOME_NODE_FAILED, UNTESTED, USAGE, exit_code,
    restrict_umask,
};
pub(crate) use signals::{SignalGuard, exit_now, in_background, on_signal, with_deadline};
