//! Permissions of files that are open.

use std::io;
use std::os::fd::AsFd;

use rustix::fs::{Mode, RawMode, fchmod};

/// Sets the mode of an open file or directory.
pub(crate) fn set_mode(file: impl AsFd, mode: u32) -> io::Result<()> {
    // each system has its own width for it
    Ok(fchmod(file, Mode::from_raw_mode(mode as RawMode))?)
}
