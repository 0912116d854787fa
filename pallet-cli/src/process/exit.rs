//! Exit codes, and errors that select one.

use std::fmt;

use pallet_core::engine::EngineError;

/// Some nodes failed; the others succeeded.
pub(crate) const SOME_NODE_FAILED: u8 = 1;
/// The command line, the project or a plugin is invalid, or the user did not confirm; no node was
/// touched.
pub(crate) const USAGE: u8 = 2;
/// Something on a node has drifted.
pub(crate) const DRIFT: u8 = 3;
/// All tests passed, but some systems could not be tested.
pub(crate) const UNTESTED: u8 = 4;
/// A dry run with `--detailed-exitcode` found changes.
pub(crate) const CHANGES: u8 = 6;
/// The user pressed Ctrl-C.
pub(crate) const INTERRUPTED: u8 = 130;

/// An error whose exit code is not [`USAGE`].
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: u8,
    pub(crate) message: String,
}

impl Failure {
    /// The error after Ctrl-C.
    pub(crate) fn interrupted() -> Self {
        Failure { code: INTERRUPTED, message: "stopped".to_owned() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// The exit code for an error.
pub(crate) fn exit_code(error: &anyhow::Error) -> u8 {
    match error.downcast_ref::<Failure>() {
        Some(failure) => failure.code,
        None => match error.downcast_ref::<EngineError>() {
            None
            | Some(
                EngineError::NoCount { .. }
                | EngineError::Refused(_)
                | EngineError::Leased { .. }
                | EngineError::NoSuchName { .. }
                | EngineError::TooManyNodes { .. }
                | EngineError::Protected { .. }
                | EngineError::MinCount { .. }
                | EngineError::NoNodes { .. },
            ) => USAGE,
            Some(_) => SOME_NODE_FAILED,
        },
    }
}

/// Makes files of this process unwritable for others, whatever the umask.
pub(crate) fn restrict_umask() {
    use rustix::fs::Mode;
    let mask = rustix::process::umask(Mode::WGRP | Mode::WOTH);
    rustix::process::umask(mask | Mode::WGRP | Mode::WOTH);
}
