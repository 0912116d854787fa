//! The program on the node that asks systemd about a file before it takes its place.

use pallet_core::prelude::*;
use pallet_core::script::quote;

const PROGRAM: &str = "/usr/local/lib/pallet/systemd-verify";

/// Puts the program on the node.
pub(crate) fn put(request: &mut Request) -> Result<()> {
    let program = RemoteFile::content(PROGRAM, include_str!("systemd-verify.sh"));
    request.add(Directory::at("/usr/local/lib/pallet"))?;
    request.add(program.owner("root").group("root").mode(0o755))
}

/// The command that checks a file, whose path is added to it, as the unit or the drop-in `name`.
pub(crate) fn command(name: &str) -> String {
    format!("sh {PROGRAM} {}", quote(name))
}
