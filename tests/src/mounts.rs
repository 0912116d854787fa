//! Mounts, as processes see them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Whether anything is mounted at or below `path`, as this program sees it.
pub(crate) fn is_mounted_below(path: &Path) -> bool {
    !mounts("self", &path.to_string_lossy()).is_empty()
}

/// The lines of mountinfo of a process that name a path.
pub(crate) fn mounts(process: &str, home: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(format!("/proc/{process}/mountinfo")).unwrap_or_default();
    text.lines().filter(|line| line.contains(home)).map(str::to_owned).collect()
}
