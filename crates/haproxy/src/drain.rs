//! Takes a server out of a backend, so that it can be changed, and puts it back in.

use pallet_core::prelude::*;

use super::configuration::{PROGRAM, command};
use super::names::check_proxy;
use super::servers::{Aliases, aliases};

parameters! {
    /// Takes a server out of a backend, and waits until the requests that it has are answered.
    ///
    /// Call it with the request of the balancer's node. HAProxy sends the server no more requests,
    /// also after a reload, a restart, and a `haproxy.proxy` that changes something, until
    /// `haproxy.undrain`. Does nothing if the server is out, if HAProxy is not set up yet, or if
    /// the server is a node of the project that the backend has not heard of.
    ///
    /// Example: `haproxy.drain(request, "app", server = "web-1")`
    pub(crate) struct Drain {
        /// The backend: the name of a `haproxy.proxy`.
        backend: String,
        /// The server: the name or the address of a node, or as `haproxy.proxy` lists it.
        server: String,
        /// The number of seconds to wait for requests that are not answered yet.
        #[serde(default = "default_timeout")]
        timeout: u32,
        /// Go on after the timeout, although the requests that are left may be cut off. Otherwise
        /// the server is put back in, and the operation fails on this node.
        #[serde(default)]
        cut_off: bool,
        /// Drain the server although no other one of the backend is up. Otherwise that is an error.
        #[serde(default)]
        last: bool,
    }

    /// Puts a server that was drained back into its backend, and waits until it passes the checks
    /// of HAProxy.
    ///
    /// Call it with the request of the balancer's node. Does nothing if the server is in. The
    /// operation fails on this node if the server does not pass the checks in time.
    ///
    /// Example: `haproxy.undrain(request, "app", server = "web-1")`
    pub(crate) struct Undrain {
        /// The backend: the name of a `haproxy.proxy`.
        backend: String,
        /// The server: the name or the address of a node, or as `haproxy.proxy` lists it.
        server: String,
        /// The number of seconds in which the server must pass the checks.
        #[serde(default = "default_timeout")]
        timeout: u32,
    }
}

fn default_timeout() -> u32 {
    30
}

pub(crate) fn drain(request: &mut Request, drain: Drain) -> Result<()> {
    let Drain { backend, server, timeout, cut_off, last } = drain;
    check(&backend, timeout)?;
    let Aliases { names, known } = aliases(request, &server)?;
    let (known, timeout) = (word(known), timeout.to_string());
    let mut run = vec!["drain", &backend, known, &timeout, word(cut_off), word(last)];
    let mut look = vec!["is-drained", &backend, known];
    for list in [&mut run, &mut look] {
        list.extend(names.iter().map(String::as_str));
    }
    put(request, format!("drain {server} in {backend}"), &run, &look)
}

pub(crate) fn undrain(request: &mut Request, undrain: Undrain) -> Result<()> {
    let Undrain { backend, server, timeout } = undrain;
    check(&backend, timeout)?;
    let Aliases { names, .. } = aliases(request, &server)?;
    let timeout = timeout.to_string();
    let mut run = vec!["undrain", &backend, &timeout];
    let mut look = vec!["is-undrained", &backend];
    for list in [&mut run, &mut look] {
        list.extend(names.iter().map(String::as_str));
    }
    put(request, format!("undrain {server} in {backend}"), &run, &look)
}

/// Runs the program, unless there is nothing to do, or HAProxy is not set up.
fn put(request: &mut Request, name: String, run: &[&str], look: &[&str]) -> Result<()> {
    request.add(
        ExecCheckedScript::new(name, command(run))
            .unless(command(look))
            .only_if(format!("test -e {PROGRAM}")),
    )
}

fn check(backend: &str, timeout: u32) -> Result<()> {
    check_proxy(backend)?;
    ensure!(timeout <= 3600, "the timeout must be at most 3600 seconds");
    Ok(())
}

fn word(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

#[cfg(test)]
mod tests {
    use super::super::Haproxy;
    use super::*;

    fn declared(function: &str, arguments: Value) -> RecordedAction {
        let mut recorder = Recorder::<Haproxy>::on("debian 12");
        recorder.call(function, arguments).unwrap();
        recorder.actions().remove(0)
    }

    #[test]
    fn a_server_is_drained_unless_it_is() {
        let action = declared("drain", json!({"backend": "app", "server": "192.0.2.9:80"}));
        let program = "sh /usr/local/lib/pallet/haproxy-servers";
        assert_eq!(action.subject, "drain 192.0.2.9:80 in app");
        assert_eq!(
            action.arguments["script"],
            format!("{program} drain app no 30 no no 192.0.2.9:80")
        );
        assert_eq!(action.arguments["unless"], format!("{program} is-drained app no 192.0.2.9:80"));
        assert_eq!(action.arguments["only_if"], format!("test -e {PROGRAM}"));
    }

    #[test]
    fn a_node_of_the_project_has_its_address_too() {
        let action = declared("undrain", json!({"backend": "app", "server": "node-1"}));
        let script = action.arguments["script"].as_str().unwrap();
        assert!(script.contains(" undrain app 30 node-1"), "{script}");
    }

    #[test]
    fn what_is_no_server_is_refused() {
        for (arguments, said) in [
            (json!({"backend": "a b", "server": "a"}), "cannot name a proxy"),
            (json!({"backend": "app", "server": "a'; reboot"}), "cannot be a server"),
            (json!({"backend": "app", "server": "a\nb"}), "cannot be a server"),
            (json!({"backend": "app", "server": ""}), "cannot be a server"),
            (json!({"backend": "app", "server": "a", "timeout": 4000}), "at most 3600"),
        ] {
            for function in ["drain", "undrain"] {
                let error =
                    Recorder::<Haproxy>::on("debian 12").call(function, &arguments).unwrap_err();
                assert!(error.to_string().contains(said), "{arguments}: {error}");
            }
        }
    }
}
