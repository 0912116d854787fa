//! Converts a lock to pins of the plugins in the store.

use super::lock::{Lock, LockedPlugin};
use super::store::Store;
use crate::plugins::{Machine, Pin, PinnedFiles, build_for};

/// The pins of all locked plugins.
pub fn pins(lock: &Lock, store: &Store) -> Vec<Pin> {
    let machine = Machine::target_of_this();
    let pin = |locked: &LockedPlugin| Pin {
        kind: locked.kind,
        name: locked.name.clone(),
        version: locked.version.clone(),
        files: build_for(&locked.targets, &machine).map(|(_, target)| PinnedFiles {
            directory: store.directory(target.content.digest()),
            h1: target.h1.clone(),
        }),
    };
    lock.plugins().map(pin).collect()
}
