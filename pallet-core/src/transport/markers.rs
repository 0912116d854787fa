//! The lines and words by which a script on the node and its transport know each other.

use std::hash::{BuildHasher, Hasher, RandomState};

/// The line that begins a script's output.
pub(super) const MARKER: &str = "#pallet\n";
/// The line that ends what is not for it in the input: another one, or something that repeats its
/// input would say that the script begins.
pub(super) const BEGIN: &str = "#begin\n";
/// Skips its input up to the marker, and says so.
pub(super) const READER: &str = r##"while IFS= read -r l && [ "$l" != "#begin" ]; do :; done; echo "#pallet"; echo "#pallet" >&2"##;
/// What runs a script as the login user, who is asked for nothing.
pub(super) const LOGIN_SHELL: &str = "sh";
/// The exit code of a script whose first line did not arrive.
pub(super) const BEHEADED: i32 = 97;

/// A word that no command prints by chance.
pub(crate) fn token() -> String {
    // each RandomState is seeded from the system's randomness
    format!("{:016x}", RandomState::new().build_hasher().finish())
}
