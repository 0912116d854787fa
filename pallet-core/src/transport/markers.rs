//! Lines and words that a script on the node and its transport use to recognize each other.

use std::hash::{BuildHasher, Hasher, RandomState};

/// The first line of a script's output.
pub(super) const MARKER: &str = "#pallet\n";
/// Ends the part of the input that the script must skip. It differs from [`MARKER`]: a program that
/// echoes its input would otherwise seem to start the script.
pub(super) const BEGIN: &str = "#begin\n";
/// Skips the input up to [`BEGIN`], then prints [`MARKER`].
pub(super) const READER: &str = r##"while IFS= read -r l && [ "$l" != "#begin" ]; do :; done; echo "#pallet"; echo "#pallet" >&2"##;
/// Runs a script as the login user, without a password.
pub(super) const LOGIN_SHELL: &str = "sh";
/// The exit code of a script that lost its first line.
pub(super) const BEHEADED: i32 = 97;

/// A random word that no command prints by chance.
pub(crate) fn token() -> String {
    // each RandomState is seeded from the system's randomness
    format!("{:016x}", RandomState::new().build_hasher().finish())
}
