//! The program that changes the servers of a proxy on the node.

use pallet_core::prelude::*;
use pallet_core::script::quote;

/// The program on the node that knows which servers are drained, and checks files.
pub(crate) const PROGRAM: &str = "/usr/local/lib/pallet/nginx-servers";

/// A call of the program on the node.
pub(crate) fn command(arguments: &[&str]) -> String {
    let arguments: Vec<_> = arguments.iter().map(|argument| quote(argument)).collect();
    format!("sh {PROGRAM} {}", arguments.join(" "))
}

/// Installs the program.
pub(crate) fn put(request: &mut Request) -> Result<()> {
    request.add(Directory::at("/usr/local/lib/pallet"))?;
    request.add(
        RemoteFile::content(PROGRAM, include_str!("nginx-servers.sh"))
            .owner("root")
            .group("root")
            .mode(0o644),
    )
}
