//! Takes a server out of a proxy, so that it can be changed, and puts it back in.

use pallet_core::prelude::*;

use super::file::check_name;
use super::program::{PROGRAM, command};
use super::syntax::plain;

parameters! {
    /// Takes a server out of a proxy, and waits until the requests that it has are answered.
    ///
    /// Call it with the request of the balancer's node. nginx marks the server as down, checks its
    /// configuration and reloads it; then Pallet waits for the processes of nginx that began
    /// before. The server gets no more requests, also after a reload, a restart, and a
    /// `nginx.proxy` that changes something, until `nginx.undrain`. Does nothing if the server is
    /// out, if there is no proxy on the node yet, or if the server is a node of the project that
    /// the proxy has not heard of.
    ///
    /// Example: `nginx.drain(request, "hello", server = "web-1")`
    pub(crate) struct Drain {
        /// The name of the `nginx.proxy`.
        proxy: String,
        /// The server: the name or the address of a node, or as `nginx.proxy` lists it. Without a
        /// port, all ports of that address are drained.
        server: String,
        /// The number of seconds to wait for requests that are not answered yet.
        #[serde(default = "default_timeout")]
        timeout: u32,
        /// Go on after the timeout, although the requests that are left may be cut off. Otherwise
        /// the server is put back in, and the operation fails on this node.
        #[serde(default)]
        cut_off: bool,
        /// Drain the server although it is the last one of the proxy that is in. Otherwise that is
        /// an error.
        #[serde(default)]
        last: bool,
    }

    /// Puts a server that was drained back into its proxy.
    ///
    /// Call it with the request of the balancer's node. Does nothing if the server is in.
    ///
    /// Example: `nginx.undrain(request, "hello", server = "web-1")`
    pub(crate) struct Undrain {
        /// The name of the `nginx.proxy`.
        proxy: String,
        /// The server: the name or the address of a node, or as `nginx.proxy` lists it.
        server: String,
    }
}

fn default_timeout() -> u32 {
    30
}

pub(crate) fn drain(request: &mut Request, drain: Drain) -> Result<()> {
    let Drain { proxy, server, timeout, cut_off, last } = drain;
    check_name(&proxy)?;
    ensure!(timeout <= 3600, "the timeout must be at most 3600 seconds");
    let (names, known) = aliases(request, &server)?;
    let (known, timeout) = (word(known), timeout.to_string());
    let mut run = vec!["drain", &proxy, known, &timeout, word(cut_off), word(last)];
    let mut look = vec!["is-drained", &proxy, known];
    for list in [&mut run, &mut look] {
        list.extend(names.iter().map(String::as_str));
    }
    put(request, format!("drain {server} in {proxy}"), &run, &look)
}

pub(crate) fn undrain(request: &mut Request, undrain: Undrain) -> Result<()> {
    let Undrain { proxy, server } = undrain;
    check_name(&proxy)?;
    let (names, _) = aliases(request, &server)?;
    let mut run = vec!["undrain", &proxy];
    let mut look = vec!["is-undrained", &proxy];
    for list in [&mut run, &mut look] {
        list.extend(names.iter().map(String::as_str));
    }
    put(request, format!("undrain {server} in {proxy}"), &run, &look)
}

/// Runs the program, unless there is nothing to do, or there is no proxy.
fn put(request: &mut Request, name: String, run: &[&str], look: &[&str]) -> Result<()> {
    request.add(
        ExecCheckedScript::new(name, command(run))
            .unless(command(look))
            .only_if(format!("test -e {PROGRAM}")),
    )
}

/// What a server may be called in a proxy: as it is written, and if that is a node of the project,
/// by its name and its address. Also returns whether it is one, which may be so new that the
/// balancer has not heard of it.
fn aliases(request: &Request, server: &str) -> Result<(Vec<String>, bool)> {
    plain("server", server)?;
    ensure!(
        !server.contains(char::is_whitespace),
        "the server {server:?} has a space in it; give the name or the address of one node"
    );
    let mut names = vec![server.to_owned()];
    let mut known = false;
    for target in request.targets()? {
        if target.name != server && target.address.as_deref() != Some(server) {
            continue;
        }
        known = true;
        for name in [Some(target.name), target.address].into_iter().flatten() {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    Ok((names, known))
}

fn word(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

#[cfg(test)]
mod tests {
    use super::super::Nginx;
    use super::*;

    fn declared(function: &str, arguments: Value) -> RecordedAction {
        let mut recorder = Recorder::<Nginx>::on("debian 12");
        recorder.call(function, arguments).unwrap();
        recorder.actions().remove(0)
    }

    #[test]
    fn a_server_is_drained_unless_it_is() {
        let action =
            declared("drain", json!({"proxy": "app", "server": "192.0.2.9", "last": true}));
        let program = "sh /usr/local/lib/pallet/nginx-servers";
        assert_eq!(action.subject, "drain 192.0.2.9 in app");
        assert_eq!(
            action.arguments["script"],
            format!("{program} drain app no 30 no yes 192.0.2.9")
        );
        assert_eq!(action.arguments["unless"], format!("{program} is-drained app no 192.0.2.9"));
        assert_eq!(action.arguments["only_if"], format!("test -e {PROGRAM}"));
        let action = declared("undrain", json!({"proxy": "app", "server": "192.0.2.9"}));
        assert_eq!(action.arguments["script"], format!("{program} undrain app 192.0.2.9"));
    }

    #[test]
    fn what_is_no_server_is_refused() {
        for (arguments, said) in [
            (json!({"proxy": "a b", "server": "a"}), "cannot name a site"),
            (json!({"proxy": "app", "server": "a'; reboot"}), "cannot stand in"),
            (json!({"proxy": "app", "server": "a\nb"}), "cannot stand in"),
            (json!({"proxy": "app", "server": "a b"}), "has a space"),
            (json!({"proxy": "app", "server": ""}), "cannot stand in"),
        ] {
            for function in ["drain", "undrain"] {
                let error =
                    Recorder::<Nginx>::on("debian 12").call(function, &arguments).unwrap_err();
                assert!(error.to_string().contains(said), "{arguments}: {error}");
            }
        }
    }
}
