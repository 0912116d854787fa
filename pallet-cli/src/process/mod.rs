//! This process: its environment, the signals that it gets, and the codes that it exits with.

mod env;
mod exit;
mod signals;

pub(crate) use env::{ProcessEnv, expand};
pub(crate) use exit::{
    DRIFT, Failure, INTERRUPTED, SOME_NODE_FAILED, UNTESTED, USAGE, restrict_umask, exit_code,
};
pub(crate) use signals::{SignalGuard, exit_now, in_background, on_signal, with_deadline};
