//! Random tokens that mark the output of Pallet's own scripts.

use crate::transport::token;

/// A token that no command prints by chance.
pub(super) fn random_token() -> String {
    format!("pallet-{}{}", token(), token())
}
