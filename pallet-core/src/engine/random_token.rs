//! Random words that mark where output of Pallet's own scripts begins.

use crate::transport::token;

/// A word that no command prints by chance.
pub(super) fn random_token() -> String {
    format!("pallet-{}{}", token(), token())
}
