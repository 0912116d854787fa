//! A node's own control group, in the hierarchy of version 2: systemd manages its units there.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pallet_core::prelude::*;

use crate::linux::machine;

/// The group of all nodes on this machine.
const ALL: &str = "pallet";

/// How long the processes of a group that were killed may take to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// The path of a node's group.
pub(crate) fn of_node(id: &str) -> Result<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").context("cannot read mounts")?;
    match hierarchy(&mounts) {
        Some(root) => Ok(root.join(ALL).join(id)),
        None => Err(machine::cannot(
            "needs cgroup2 for nodes with systemd, and it is not mounted on this machine, or \
             read-only",
        )),
    }
}

/// Creates a node's group anew, with the limits that this machine lets it set.
pub(crate) fn create(group: &Path) -> Result<()> {
    remove(group)?;
    fs::create_dir_all(group)
        .with_context(|| format!("cannot make the control group {}", group.display()))?;
    // without controllers, units run without limits
    if let Some(all) = group.parent() {
        let controllers = fs::read_to_string(all.join("cgroup.controllers")).unwrap_or_default();
        for controller in controllers.split_whitespace() {
            let _ = fs::write(all.join("cgroup.subtree_control"), format!("+{controller}"));
        }
    }
    Ok(())
}

/// Removes a node's group with everything in it. Its processes must have been killed.
pub(crate) fn remove(group: &Path) -> Result<()> {
    let start = Instant::now();
    loop {
        match remove_tree(group) {
            Ok(()) => break,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => break,
            Err(_) if start.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(5)),
            Err(error) => {
                return Err(error).with_context(|| {
                    format!("cannot remove the control group {}", group.display())
                });
            }
        }
    }
    if let Some(all) = group.parent() {
        // fails while other nodes have groups in it
        let _ = fs::remove_dir(all);
    }
    Ok(())
}

/// A group's files go with it, and only its directories can be removed.
fn remove_tree(group: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(group)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_tree(&entry.path())?;
        }
    }
    fs::remove_dir(group)
}

/// Where the hierarchy of version 2 can be written. Machines with both versions have it beside
/// those of version 1.
fn hierarchy(mountinfo: &str) -> Option<PathBuf> {
    mountinfo.lines().find_map(|line| {
        let (place, kind) = line.split_once(" - ")?;
        let mut place = place.split(' ').skip(4);
        let (path, options) = (place.next()?, place.next()?);
        let writable = options.split(',').any(|option| option == "rw");
        (kind.split(' ').next()? == "cgroup2" && writable).then(|| PathBuf::from(path))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hierarchy_of_version_2_is_found_among_others() {
        let hybrid = "\
            29 24 0:26 / /sys/fs/cgroup rw,nosuid - tmpfs tmpfs rw,mode=755\n\
            30 29 0:27 / /sys/fs/cgroup/memory rw,nosuid shared:9 - cgroup cgroup rw,memory\n\
            31 29 0:28 / /sys/fs/cgroup/unified rw,nosuid shared:9 - cgroup2 cgroup2 rw\n";
        assert_eq!(hierarchy(hybrid), Some("/sys/fs/cgroup/unified".into()));
        let container = "30 29 0:27 / /sys/fs/cgroup ro,nosuid - cgroup2 cgroup rw,nsdelegate\n";
        assert_eq!(hierarchy(container), None, "it is read-only");
        assert_eq!(hierarchy(""), None);
    }

    #[test]
    fn a_group_that_is_not_there_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        remove(&directory.path().join("pallet/web-1")).unwrap();
    }
}
