//! What kind of error ends a command, and the exit code that says so.

use std::fmt;

use pallet_core::engine::EngineError;

/// Some node failed; the others did what was asked.
pub(crate) const SOME_NODE_FAILED: u8 = 1;
/// The command line, the project or a plugin is not right; no node was touched.
pub(crate) const USAGE: u8 = 2;
/// Something on a node is not any more as Pallet made it.
pub(crate) const DRIFT: u8 = 3;
/// What was tried is right, and some system could not be tried.
pub(crate) const UNTESTED: u8 = 4;
/// It was stopped by Ctrl-C.
pub(crate) const INTERRUPTED: u8 = 130;

/// An error whose exit code is not [`USAGE`].
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: u8,
    pub(crate) message: String,
}

impl Failure {
    /// Ctrl-C ended it.
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

/// The exit code that an error asks for.
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
                | EngineError::NoNodes { .. },
            ) => USAGE,
            Some(_) => SOME_NODE_FAILED,
        },
    }
}

/// Makes whatever this process creates unwritable for others, whatever its umask was.
pub(crate) fn restrict_umask() {
    use rustix::fs::Mode;
    let mask = rustix::process::umask(Mode::WGRP | Mode::WOTH);
    rustix::process::umask(mask | Mode::WGRP | Mode::WOTH);
}
