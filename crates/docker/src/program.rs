//! The program on the node that does what Docker's own commands do not: look before they act.

use pallet_core::prelude::*;
use pallet_core::script::quote;

const DIRECTORY: &str = "/usr/local/lib/pallet";
const PROGRAM: &str = "/usr/local/lib/pallet/docker-node";
/// What is declared: arguments, environments, projects.
pub(crate) const DECLARED: &str = "/etc/docker/pallet";

/// Puts the program on the node.
pub(crate) fn put(request: &mut Request) -> Result<()> {
    request.add(Directory::at(DIRECTORY))?;
    request.add(
        RemoteFile::content(PROGRAM, include_str!("docker-node.sh"))
            .owner("root")
            .group("root")
            .mode(0o644),
    )?;
    request.add(Directory::at(DECLARED).owner("root").group("root").mode(0o700))
}

/// A call of the program.
pub(crate) fn command(words: &[&str]) -> String {
    let words: Vec<_> = words.iter().map(|word| quote(word)).collect();
    format!("sh {PROGRAM} {}", words.join(" "))
}

/// A file that only root can read, in a directory of its kind.
pub(crate) fn private(
    request: &mut Request,
    kind: &str,
    name: &str,
    content: String,
) -> Result<()> {
    let directory = format!("{DECLARED}/{kind}");
    request.add(Directory::at(&directory).owner("root").group("root").mode(0o700))?;
    let file = RemoteFile::content(format!("{directory}/{name}"), content);
    request.add(file.owner("root").group("root").mode(0o600))
}
