//! HAProxy's configuration: one file that is put together from parts, on the node.
//!
//! HAProxy cannot include files. Each proxy is therefore a part of its own in
//! `/etc/haproxy/pallet`, and `haproxy-servers` makes `haproxy.cfg` of all parts: what is declared,
//! and which servers are drained. So a part does not change when a server is drained, and a
//! drained server stays so in every reload and restart. A part is put in place only if HAProxy
//! accepts the whole with it.

use pallet_core::prelude::*;
use pallet_core::script::quote;

use super::service::{self, CHANGED};
use super::settings;

/// The program on the node that knows which servers are drained.
pub(crate) const PROGRAM: &str = "/usr/local/lib/pallet/haproxy-servers";

/// The directory of the parts.
const PARTS: &str = "/etc/haproxy/pallet";

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

/// The default of parameters that are true unless somebody says otherwise.
pub(crate) fn yes() -> bool {
    true
}

/// One part of the configuration.
pub(crate) struct Part {
    /// The name of its file.
    pub(crate) file: String,
    /// Its text; `None` removes it.
    pub(crate) content: Option<String>,
    /// Whether it holds a password.
    pub(crate) private: bool,
    /// Whether HAProxy is reloaded for it; otherwise `haproxy.service` does that.
    pub(crate) reload: bool,
}

/// Writes a part, puts the configuration together, and reloads HAProxy if that changed anything.
pub(crate) fn put(request: &mut Request, part: Part) -> Result<()> {
    let Part { file: name, content, private, reload } = part;
    let flag = if reload { format!("{CHANGED}-{name}") } else { CHANGED.to_owned() };
    let file = |path: String, content: &str| {
        RemoteFile::content(path, content).owner("root").group("root").mode(0o644)
    };
    request.add(Directory::at("/usr/local/lib/pallet"))?;
    request.add(file(PROGRAM.to_owned(), include_str!("haproxy-servers.sh")))?;
    request.add(Directory::at(PARTS))?;
    let changed = || Options::new().flag_on_change(&flag);
    let checked = |file: RemoteFile, name: &str| file.verify(command(&["check", name]));
    let global = file(format!("{PARTS}/global"), &settings::render(request)?);
    request.add_with(checked(global, "global"), changed())?;
    let path = format!("{PARTS}/{name}");
    match content {
        // a drain, too, makes haproxy.cfg of all parts, but does not reload HAProxy
        Some(content) => {
            let part = checked(file(path, &content), &name);
            let part = if private { part.mode(0o600).max_versions(0) } else { part };
            request.add_with(part, changed())?;
        }
        None => request.add_with(File::at(path).absent(), changed())?,
    }
    let render = ExecCheckedScript::new("write haproxy.cfg", command(&["render"]))
        .unless(command(&["is-rendered"]));
    request.add_with(render, changed())?;
    if reload { service::reload(request, &flag) } else { Ok(()) }
}

/// A call of the program on the node.
pub(crate) fn command(arguments: &[&str]) -> String {
    let arguments: Vec<_> = arguments.iter().map(|argument| quote(argument)).collect();
    format!("sh {PROGRAM} {}", arguments.join(" "))
}
