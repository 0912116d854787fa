//! The program on the node that runs restic with a repository, so that no secret is in a command.

use pallet_core::prelude::*;
use pallet_core::script::quote;

const DIRECTORY: &str = "/usr/local/lib/pallet";
const PROGRAM: &str = "/usr/local/lib/pallet/restic-repository";

/// Puts the program on the node.
pub(crate) fn put(request: &mut Request) -> Result<()> {
    request.add(Directory::at(DIRECTORY))?;
    request.add(
        RemoteFile::content(PROGRAM, include_str!("restic-repository.sh"))
            .owner("root")
            .group("root")
            .mode(0o644),
    )
}

/// A call of the program.
pub(crate) fn command(repository: &str, arguments: &[String]) -> String {
    let words: Vec<_> = arguments.iter().map(|argument| quote(argument)).collect();
    format!("sh {PROGRAM} {} {}", quote(repository), words.join(" "))
}
