//! What all programs have in common: a package, a command line in a file, a service.

use pallet_core::prelude::*;

use super::system::Names;

/// The flags that are set when a program needs a restart, and when it must read its files again.
pub(crate) fn restart(names: &Names) -> String {
    format!("{}-arguments", names.service)
}

pub(crate) fn reload(names: &Names) -> String {
    format!("{}-configuration", names.service)
}

/// Writes the command line.
pub(crate) fn arguments(request: &mut Request, names: &Names, words: &[String]) -> Result<()> {
    for word in words {
        // systemd splits the line at spaces, whatever is quoted
        let good = |c: char| c.is_ascii_graphic() && !"\"'\\`$".contains(c);
        ensure!(
            word.starts_with('-') && word.chars().all(good),
            "{word:?} cannot be an argument of {}: write --NAME=VALUE, without spaces and quotes",
            names.service
        );
    }
    let content = format!("# written by pallet\n{}=\"{}\"\n", names.variable, words.join(" "));
    request.add_with(
        RemoteFile::content(names.arguments, content).owner("root").group("root").mode(0o644),
        Options::new().flag_on_change(restart(names)),
    )
}

/// A file of a program that it reads again when it is reloaded.
pub(crate) fn file(path: String, content: String, group: &str) -> RemoteFile {
    RemoteFile::content(path, content).owner("root").group(group).mode(0o640)
}

/// Starts the service, now and at boot; restarts it if its command line changed, and reloads it if
/// its files did.
pub(crate) fn service(request: &mut Request, names: &Names, reloads: bool) -> Result<()> {
    request.add(Service::start(names.service).enabled(true))?;
    if reloads {
        let changed = Options::new().if_flag(reload(names));
        request.add_with(Service::reload(names.service), changed)?;
    }
    request.add_with(Service::restart(names.service), Options::new().if_flag(restart(names)))
}
