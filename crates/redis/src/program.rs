//! The program on the node that puts settings together, has the server check them, and loads them.

use pallet_core::prelude::*;
use pallet_core::script::quote;

use super::names::Names;
use super::settings::{Own, own};

const PROGRAM: &str = "/usr/local/lib/pallet/redis-settings";

/// The TCP port of sentinels.
pub(crate) const SENTINEL_PORT: u16 = 26_379;

/// The program for a server.
fn text(names: &Names) -> String {
    let Names { config, parts, server, client, group, service, sentinel, .. } = names;
    format!(
        "#!/bin/sh\n\
         # Written by Pallet. Puts settings together, has the server check them, and loads them.\n\
         config={config} parts={parts} server={server} cli={client} group={group}\n\
         service={service} sentinel={sentinel} sentinel_port={SENTINEL_PORT}\n{}",
        include_str!("redis-settings.sh")
    )
}

/// Installs the program.
pub(crate) fn install(request: &mut Request) -> Result<Own> {
    let own = own(request)?;
    let Names { parts, .. } = own.names;
    request.add(Directory::at("/usr/local/lib/pallet"))?;
    request.add(
        RemoteFile::content(PROGRAM, text(own.names)).owner("root").group("root").mode(0o644),
    )?;
    request.add(Directory::at(*parts).owner("root").group("root").mode(0o700))?;
    Ok(own)
}

/// Writes a file of the settings, if the server accepts it, and puts them together.
pub(crate) fn put(request: &mut Request, file: &str, content: Option<String>) -> Result<()> {
    let Own { names, .. } = install(request)?;
    let path = format!("{}/{file}", names.parts);
    request.add(match content {
        Some(content) => {
            let part = RemoteFile::content(path, content).owner("root").group("root").mode(0o600);
            part.max_versions(0).verify(command(&["check", file]))
        }
        None => return remove(request, path),
    })?;
    render(request)
}

fn remove(request: &mut Request, path: String) -> Result<()> {
    request.add(File::at(path).absent())?;
    render(request)
}

/// Puts the settings together.
pub(crate) fn render(request: &mut Request) -> Result<()> {
    request.add(
        ExecCheckedScript::new("put the settings together", command(&["render"]))
            .unless(command(&["is-rendered"])),
    )
}

/// A call of the program on the node.
pub(crate) fn command(arguments: &[&str]) -> String {
    let arguments: Vec<_> = arguments.iter().map(|argument| quote(argument)).collect();
    format!("sh {PROGRAM} {}", arguments.join(" "))
}
