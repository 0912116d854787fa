//! Random words that mark where output of Pallet's own scripts begins.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

/// A word that no command prints by chance.
pub(super) fn random_token() -> String {
    // each RandomState is seeded from the system's randomness
    let random = |salt| {
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_u64(salt);
        hasher.finish()
    };
    format!("pallet-{:016x}{:016x}", random(1), random(2))
}
