//! The server: where its files are, and the program on the node that works with it.

use pallet_core::prelude::*;
use pallet_core::script::quote;

use super::system::{SYSTEMS, System};

/// The facility of this crate's settings, which other nodes read.
pub(crate) const FACILITY: &str = "mysql";

/// The directory of the declared files.
pub(crate) const PARTS: &str = "/etc/pallet/mysql";

const LIBRARY: &str = "/usr/local/lib/pallet";
pub(crate) const PROGRAM: &str = "/usr/local/lib/pallet/mysql";

/// The environment variable that holds a password.
pub(crate) const PASSWORD: &str = "PALLET_PASSWORD";

parameters! {
    /// Declares the port of this node's server, where it is not 3306. Call it in the phase
    /// `settings`; `mysql.install` sets it, and replicas find it.
    ///
    /// Example: `mysql.settings(request, port = 3307)`
    pub(crate) struct Settings {
        /// TCP port.
        pub(crate) port: u16,
    }
}

pub(crate) fn settings(request: &mut Request, settings: Settings) -> Result<()> {
    ensure!(settings.port > 0, "there is no port 0; give 1 to 65535");
    request.set_settings(FACILITY, settings)
}

/// The system of this node.
pub(crate) fn system(request: &Request) -> Result<&'static System> {
    SYSTEMS.row(&request.target()?.os)
}

/// Puts the program on the node, with the places of the server's files.
pub(crate) fn put(request: &mut Request) -> Result<()> {
    let system = system(request)?;
    let file = |path: String, content: &str| {
        RemoteFile::content(path, content).owner("root").group("root").mode(0o644)
    };
    request.add(Directory::at(LIBRARY))?;
    request.add(file(PROGRAM.to_owned(), include_str!("mysql.sh")))?;
    // settings may hold secrets
    request.add(Directory::at(PARTS).owner("root").group("root").mode(0o700))?;
    let mut text = "# written by pallet\n".to_owned();
    for (name, value) in [
        ("cnf", system.cnf),
        ("confdir", system.confdir),
        ("data", system.data),
        ("service", system.service),
    ] {
        text += &format!("{name}={}\n", quote(value));
    }
    request.add(file(format!("{PARTS}/server"), &text))
}

/// Declares a part of the configuration.
pub(crate) fn part(request: &mut Request, name: &str, content: String) -> Result<()> {
    let file = RemoteFile::content(format!("{PARTS}/{name}.cnf"), content);
    request.add(file.owner("root").group("root").mode(0o600))
}

/// Puts the declared configuration in place: at most one restart, whatever changed.
pub(crate) fn apply(request: &mut Request) -> Result<()> {
    request.add(
        ExecCheckedScript::new("apply the configuration of MariaDB", command(&["apply"]))
            .unless(command(&["is-applied"])),
    )
}

/// A call of the program on the node.
pub(crate) fn command(words: &[&str]) -> String {
    let words: Vec<_> = words.iter().map(|word| quote(word)).collect();
    format!("sh {PROGRAM} {}", words.join(" "))
}

/// Runs SQL as root, unless a query of one value is 1.
pub(crate) fn sql(request: &mut Request, name: String, run: &str, holds: &str) -> Result<()> {
    request.add(
        ExecCheckedScript::new(name, command(&["run", run])).unless(command(&["holds", holds])),
    )
}
