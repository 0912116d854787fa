//! `pallet.lock`: the exact plugins, their sources, the digests of all builds, and their signers.
//!
//! The text is sorted and always formatted in the same way, so a diff of two locks shows only
//! differences of plugins.

mod document;
mod entry;
mod origin;
#[cfg(test)]
mod tests;
mod text;

pub use document::{LOCK_FILE, Lock, LockError};
pub use entry::{Accepted, LockedContent, LockedPlugin, LockedTarget};
pub use origin::Origin;
