//! Checks paths, patterns and words.

use pallet_core::prelude::*;

/// Refuses what is not one absolute path.
pub(crate) fn check_path(path: &str) -> Result<()> {
    ensure!(
        path.starts_with('/') && !path.contains(|c: char| c.is_control()),
        "{path:?} is no absolute path"
    );
    Ok(())
}

/// Refuses what is not one line.
pub(crate) fn check_line(what: &str, text: &str) -> Result<()> {
    ensure!(
        !text.trim().is_empty() && !text.contains(['\n', '\r', '\0']),
        "the {what} {text:?} is not one line"
    );
    Ok(())
}

/// Refuses what is no tag: restic splits them at commas.
pub(crate) fn check_tag(tag: &str) -> Result<()> {
    let good = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    ensure!(!tag.is_empty() && tag.chars().all(good), "{tag:?} cannot be a tag");
    Ok(())
}
