//! A small file system, for as long as the value lives.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::Process;

const SHORT: Duration = Duration::from_secs(10);

/// A small file system, for as long as this lives.
#[derive(Debug)]
pub struct Mounted(PathBuf);

impl Mounted {
    /// Mounts one of this size, such as `4m`, on a directory.
    pub fn tmpfs(place: &Path, size: &str) -> Self {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(place);
        Process::start(mount, SHORT).wait().exits(0);
        Mounted(place.to_owned())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let mut umount = Command::new("umount");
        umount.arg(&self.0);
        Process::start(umount, SHORT).wait();
    }
}
