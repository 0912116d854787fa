//! The file of one server block: where a system keeps it, and how to enable it.

use pallet_core::prelude::*;

use super::service::{CHANGED, ServiceArguments, service};

/// The default TCP port.
pub(crate) fn default_port() -> u16 {
    80
}

/// Refuses an invalid name for a file in nginx's configuration.
pub(crate) fn check_name(name: &str) -> Result<()> {
    let good = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    ensure!(
        !name.is_empty() && name.chars().all(good),
        "{name:?} cannot name a site: use letters, digits, -, _ and ."
    );
    Ok(())
}

/// Writes a server block, and reloads nginx if that changed anything. Removes Debian's default
/// site, unless it should stay.
pub(crate) fn put(
    request: &mut Request,
    name: &str,
    content: String,
    default_site: bool,
) -> Result<()> {
    let file =
        |path: String| RemoteFile::content(path, content).owner("root").group("root").mode(0o644);
    let changed = || Options::new().flag_on_change(CHANGED);
    if request.target()?.os.family == OsFamily::Debian {
        let available = format!("/etc/nginx/sites-available/{name}");
        request.add_with(file(available.clone()), changed())?;
        request.add_with(
            SymbolicLink::new(format!("/etc/nginx/sites-enabled/{name}"), available),
            changed(),
        )?;
        if !default_site {
            request.add_with(File::at("/etc/nginx/sites-enabled/default").absent(), changed())?;
        }
    } else {
        request.add_with(file(format!("/etc/nginx/conf.d/{name}.conf")), changed())?;
    }
    service(request, ServiceArguments {})
}
