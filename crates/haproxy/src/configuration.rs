//! HAProxy's configuration: one file that is put together from parts, on the node.
//!
//! HAProxy cannot include files. Each proxy is therefore a part of its own in
//! `/etc/haproxy/pallet`, and `haproxy-servers` makes `haproxy.cfg` of all parts: what is declared,
//! and which servers are drained. So a part does not change when a server is drained, and a
//! drained server stays so in every reload and restart.

use pallet_core::prelude::*;
use pallet_core::script::quote;

use super::service::{CHANGED, ServiceArguments, service};

/// The program on the node that knows which servers are drained.
pub(crate) const PROGRAM: &str = "/usr/local/lib/pallet/haproxy-servers";

/// The directory of the parts.
const PARTS: &str = "/etc/haproxy/pallet";

/// What all proxies share.
const GLOBAL: &str = "\
global
    log /dev/log local0
    chroot /var/lib/haproxy
    user haproxy
    group haproxy
    daemon
    # drains servers
    stats socket /run/haproxy/admin.sock mode 600 level admin expose-fd listeners

defaults
    log global
    option dontlognull
    option redispatch
    timeout connect 5s
    timeout queue 30s
    timeout http-request 30s
    timeout http-keep-alive 15s
";

/// Writes the part of one proxy, puts the configuration together, and reloads HAProxy if that
/// changed anything.
pub(crate) fn put(request: &mut Request, name: &str, content: String) -> Result<()> {
    let file = |path: String, content: &str| {
        RemoteFile::content(path, content).owner("root").group("root").mode(0o644)
    };
    request.add(Directory::at("/usr/local/lib/pallet"))?;
    request.add(file(PROGRAM.to_owned(), include_str!("haproxy-servers.sh")))?;
    request.add(Directory::at(PARTS))?;
    let changed = || Options::new().flag_on_change(CHANGED);
    request.add_with(file(format!("{PARTS}/global"), GLOBAL), changed())?;
    // a drain, too, makes haproxy.cfg of all parts, but does not reload HAProxy
    request.add_with(file(format!("{PARTS}/{name}.cfg"), &content), changed())?;
    let render = ExecCheckedScript::new("write haproxy.cfg", command(&["render"]))
        .unless(command(&["is-rendered"]));
    request.add_with(render, changed())?;
    service(request, ServiceArguments {})
}

/// A call of the program on the node.
pub(crate) fn command(arguments: &[&str]) -> String {
    let arguments: Vec<_> = arguments.iter().map(|argument| quote(argument)).collect();
    format!("sh {PROGRAM} {}", arguments.join(" "))
}
