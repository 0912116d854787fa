//! The program on the node that switches releases.
//!
//! Which release serves is known only on the node, and a release that fails must be taken back in
//! the same step. So one program links, starts, checks, and goes back.

use std::collections::BTreeMap;

use pallet_core::prelude::*;
use pallet_core::script::quote;

const PROGRAM: &str = "/usr/local/lib/pallet/app-deploy";

/// Puts the program on the node.
pub(crate) fn put(request: &mut Request) -> Result<()> {
    request.add(Directory::at("/usr/local/lib/pallet"))?;
    let program = RemoteFile::content(PROGRAM, include_str!("app-deploy.sh"));
    request.add(program.owner("root").group("root").mode(0o644))
}

/// A call of the program.
pub(crate) fn command(arguments: &[&str]) -> String {
    let arguments: Vec<_> = arguments.iter().map(|argument| quote(argument)).collect();
    format!("sh {PROGRAM} {}", arguments.join(" "))
}

/// A script that calls the program. Its settings are variables: unlike arguments, they are not
/// shown in lists of processes.
pub(crate) fn script(
    what: String,
    arguments: &[&str],
    settings: &BTreeMap<String, String>,
) -> ExecCheckedScript {
    let script = ExecCheckedScript::new(what, command(arguments));
    settings.iter().fold(script, |script, (name, value)| script.env(name, value))
}
