//! `pallet.lock`: exactly which plugins, from where, with the digests of every build and who signed
//! them.
//!
//! The text is sorted and always written alike, so that a difference of two locks is a difference
//! of plugins.

mod document;
mod entry;
mod origin;
#[cfg(test)]
mod tests;
mod text;

pub use document::{LOCK_FILE, Lock, LockError};
pub use entry::{Accepted, LockedContent, LockedPlugin, LockedTarget};
pub use origin::Origin;
