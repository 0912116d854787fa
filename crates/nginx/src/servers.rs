//! The servers of a proxy: what is declared, and what nginx includes, which also depends on which
//! servers are drained.
//!
//! The free nginx cannot be told at run time that a server is down. A program on the node therefore
//! makes the file that nginx includes, of the declared servers and of a list of the drained ones.
//! So what is declared does not change when a server is drained, and a drained server stays so.

use std::fmt::Write;

use pallet_core::prelude::*;
use pallet_core::script::quote;

use super::service::CHANGED;

/// The program on the node that knows which servers are drained.
pub(crate) const PROGRAM: &str = "/usr/local/lib/pallet/nginx-servers";

const DIRECTORY: &str = "/etc/nginx/pallet";

/// The file that nginx includes.
pub(crate) fn active(name: &str) -> String {
    format!("{DIRECTORY}/{name}.active")
}

/// Writes the servers of a proxy.
pub(crate) fn put(request: &mut Request, name: &str, servers: &[String]) -> Result<()> {
    let file = |path: String, content: &str| {
        RemoteFile::content(path, content).owner("root").group("root").mode(0o644)
    };
    let mut list = "# written by pallet\n".to_owned();
    for server in servers {
        writeln!(list, "server {server};")?;
    }
    let changed = || Options::new().flag_on_change(CHANGED);
    request.add(Directory::at("/usr/local/lib/pallet"))?;
    request.add(file(PROGRAM.to_owned(), include_str!("nginx-servers.sh")))?;
    request.add(Directory::at(DIRECTORY))?;
    request.add_with(file(format!("{DIRECTORY}/{name}.servers"), &list), changed())?;
    let render =
        ExecCheckedScript::new(format!("write {}", active(name)), command(&["render", name]))
            .unless(command(&["is-rendered", name]));
    request.add_with(render, changed())
}

/// A call of the program on the node.
pub(crate) fn command(arguments: &[&str]) -> String {
    let arguments: Vec<_> = arguments.iter().map(|argument| quote(argument)).collect();
    format!("sh {PROGRAM} {}", arguments.join(" "))
}
