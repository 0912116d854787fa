//! Files of nginx's configuration: where a system keeps them, and how one takes its place.
//!
//! nginx checks each file before it is put in place, within a copy of the whole configuration. What
//! it refuses changes nothing: not even a restart of the node would meet it.

use pallet_core::prelude::*;

use super::names::names;
use super::program::{self, command};
use super::service::{self, CHANGED};

/// The directory of what sites and proxies include.
pub(crate) const DIRECTORY: &str = "/etc/nginx/pallet";

/// The default TCP port.
pub(crate) fn default_port() -> u16 {
    80
}

/// The default of parameters that are true unless somebody says otherwise.
pub(crate) fn yes() -> bool {
    true
}

/// Whether something is in the configuration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pallet_core::serde", rename_all = "lowercase")]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) enum Presence {
    /// It is.
    #[default]
    Present,
    /// It is not.
    Absent,
}

/// Refuses an invalid name for a file in nginx's configuration.
pub(crate) fn check_name(name: &str) -> Result<()> {
    let good = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    ensure!(
        !name.is_empty() && name.chars().all(good) && !name.starts_with(['.', '-']),
        "{name:?} cannot name a site: use letters, digits, -, _ and ., and begin with a letter, a \
         digit or _"
    );
    Ok(())
}

/// One change of the configuration: what is written belongs to it, and nginx is reloaded for it.
pub(crate) struct Part {
    flag: String,
    reload: bool,
}

impl Part {
    /// The part of this name. Without `reload`, `nginx.service` reloads nginx, once for all parts.
    pub(crate) fn of(name: &str, reload: bool) -> Self {
        let flag = if reload { format!("{CHANGED}-{name}") } else { CHANGED.to_owned() };
        Part { flag, reload }
    }

    /// Options of an action that makes a reload necessary.
    pub(crate) fn changed(&self) -> Options {
        Options::new().flag_on_change(&self.flag)
    }

    /// Installs the program that checks files, and the directory of what is included.
    pub(crate) fn begin(&self, request: &mut Request) -> Result<()> {
        program::put(request)?;
        request.add(Directory::at(DIRECTORY))
    }

    /// Writes a file that nginx includes, if nginx accepts it.
    pub(crate) fn write(&self, request: &mut Request, path: &str, content: String) -> Result<()> {
        let file = checked(path, content, &[path]);
        request.add_with(file, self.changed())
    }

    /// Removes a file that nginx includes.
    pub(crate) fn remove(&self, request: &mut Request, path: &str) -> Result<()> {
        request.add_with(File::at(path).absent(), self.changed())
    }

    /// Reloads nginx, unless that is left to `nginx.service`.
    pub(crate) fn end(self, request: &mut Request) -> Result<()> {
        if self.reload { service::reload(request, &self.flag) } else { Ok(()) }
    }
}

fn checked(path: &str, content: String, places: &[&str]) -> RemoteFile {
    let mut check = vec!["check"];
    check.extend(places);
    check.push("--");
    RemoteFile::content(path, content)
        .owner("root")
        .group("root")
        .mode(0o644)
        .verify(command(&check))
}

/// Writes the file of a site, and reloads nginx if that changed anything. Takes the default site of
/// Debian's and Alpine's packages away, unless it should stay.
pub(crate) fn put_site(
    request: &mut Request,
    part: Part,
    name: &str,
    content: String,
    default_site: bool,
) -> Result<()> {
    let names = names(request)?;
    if names.links {
        let available = format!("/etc/nginx/sites-available/{name}");
        let enabled = format!("/etc/nginx/sites-enabled/{name}");
        let default = "/etc/nginx/sites-enabled/default";
        let without = format!("!{default}");
        let mut places = vec![available.as_str(), enabled.as_str()];
        if !default_site {
            places.push(&without);
        }
        request.add_with(checked(&available, content, &places), part.changed())?;
        request.add_with(SymbolicLink::new(&enabled, &available), part.changed())?;
        if !default_site {
            part.remove(request, default)?;
        }
    } else {
        let path = format!("{}/{name}.conf", names.http);
        // a site may have the name of the default one, and so its place
        let default = names.default.filter(|default| !default_site && *default != path);
        let without = default.map(|default| format!("!{default}"));
        let mut places = vec![path.as_str()];
        places.extend(without.as_deref());
        request.add_with(checked(&path, content, &places), part.changed())?;
        if let Some(default) = default {
            // an upgrade of the package would bring a file that is missing back
            part.write(request, default, "# written by pallet\n".to_owned())?;
        }
    }
    part.end(request)
}

/// Removes the file of a site.
pub(crate) fn remove_site(request: &mut Request, part: &Part, name: &str) -> Result<()> {
    let names = names(request)?;
    if names.links {
        let link = SymbolicLink::new(
            format!("/etc/nginx/sites-enabled/{name}"),
            format!("/etc/nginx/sites-available/{name}"),
        );
        request.add_with(link.absent(), part.changed())?;
        part.remove(request, &format!("/etc/nginx/sites-available/{name}"))
    } else {
        part.remove(request, &format!("{}/{name}.conf", names.http))
    }
}
