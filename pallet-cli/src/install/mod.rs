//! Plugins of a project or of a user: which files say what is required and what is locked, and what
//! changes them.

mod argument;
mod changes;
mod edit;
mod setup;
mod work;

pub(crate) use argument::Argument;
pub(crate) use changes::{Changes, signer};
pub(crate) use setup::{Reach, Setup};
pub(crate) use work::{Decided, Plan, block_on};

use std::path::Path;

/// The lock that says what is loaded: the project's, or the user's where the project has none.
pub(crate) fn lock_in_use(
    project: &Path,
    configuration: &Path,
) -> Option<(std::path::PathBuf, bool)> {
    let lock = |directory: &Path| {
        Some(directory.join(pallet_core::distribution::lock::LOCK_FILE))
            .filter(|lock| lock.is_file())
    };
    lock(project).map(|lock| (lock, true)).or_else(|| lock(configuration).map(|lock| (lock, false)))
}
