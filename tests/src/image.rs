//! Images of root file systems, from the scripts in `bed/`. The first use of an image builds it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::Process;

/// The directory of an image: a root file system in `root`, and a key that logs in, `id_ed25519`.
pub fn image(name: &str) -> PathBuf {
    let mut command = bed_script("image.sh");
    command.arg(name);
    PathBuf::from(Process::start(command, Duration::from_secs(900)).wait().exits(0).stdout.trim())
}

/// A script of the bed.
pub(crate) fn bed_script(name: &str) -> Command {
    Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("bed").join(name))
}
