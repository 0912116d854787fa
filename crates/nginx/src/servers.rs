//! The servers of a proxy: what is declared, and what nginx includes, which also depends on which
//! servers are drained.
//!
//! The free nginx cannot be told at run time that a server is down. A program on the node therefore
//! makes the file that nginx includes, of the declared servers and of a list of the drained ones.
//! So what is declared does not change when a server is drained, and a drained server stays so.

use std::collections::BTreeMap;
use std::fmt::Write;

use pallet_core::prelude::*;

use super::file::{DIRECTORY, Part};
use super::names::names;
use super::program::command;
use super::syntax::word;

/// The file that nginx includes.
pub(crate) fn active(name: &str) -> String {
    format!("{DIRECTORY}/{name}.active")
}

/// One server.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Server {
    /// Its name in the project, or as it is listed.
    pub(crate) name: String,
    /// Its address, with a port or without.
    pub(crate) address: String,
    /// The parameters of its directive, each with a space before it.
    pub(crate) parameters: String,
}

/// The servers that parameters choose: those that are listed, or the nodes of a group or of a role.
/// There is one or more.
pub(crate) fn chosen(
    request: &Request,
    proxy: &str,
    (listed, group, role): (Option<&[String]>, Option<&str>, Option<&str>),
    port: Option<u16>,
) -> Result<Vec<Server>> {
    let mut servers = match (listed, group, role) {
        (Some(listed), None, None) => {
            listed.iter().map(|server| of_text(server, port)).collect::<Result<Vec<_>>>()?
        }
        (None, Some(group), None) => of_nodes(request, port, |target| target.group == group)?,
        (None, None, Some(role)) => {
            of_nodes(request, port, |target| target.roles.iter().any(|known| known == role))?
        }
        _ => bail!("proxy {proxy}: give exactly one of servers, group and role"),
    };
    ensure!(
        !servers.is_empty(),
        "proxy {proxy} has no backend: name one machine, or declare it only where there is one"
    );
    if listed.is_none() {
        // whatever the order in which providers list nodes
        servers.sort_by(|one, other| one.name.cmp(&other.name));
    }
    Ok(servers)
}

fn of_text(server: &str, port: Option<u16>) -> Result<Server> {
    word("backend", server)?;
    Ok(Server {
        name: server.to_owned(),
        address: with_port(server, port),
        parameters: String::new(),
    })
}

fn of_nodes(
    request: &Request,
    port: Option<u16>,
    wanted: impl Fn(&Target) -> bool,
) -> Result<Vec<Server>> {
    let mut servers = Vec::new();
    for target in request.targets()?.into_iter().filter(|target| wanted(target)) {
        let Some(address) = target.address else {
            bail!("node {} has no address that nginx could pass requests on to", target.name)
        };
        let server = of_text(&address, port)?;
        servers.push(Server { name: target.name, ..server });
    }
    Ok(servers)
}

/// The address with the port, unless it has one.
fn with_port(address: &str, port: Option<u16>) -> String {
    let bare = if address.matches(':').count() > 1 && !address.starts_with('[') {
        format!("[{address}]")
    } else {
        address.to_owned()
    };
    let has_port = bare.rsplit(']').next().is_some_and(|rest| rest.contains(':'));
    match port {
        Some(port) if !has_port => format!("{bare}:{port}"),
        _ => bare,
    }
}

/// Gives servers their weights, by the name or the address of a node, or as they are listed.
pub(crate) fn weigh(
    proxy: &str,
    servers: &mut [Server],
    weights: &BTreeMap<String, u32>,
) -> Result<()> {
    for (name, weight) in weights {
        ensure!((1..=1000).contains(weight), "the weight of {name} must be 1 to 1000");
        let of = |server: &&mut Server| {
            server.name == *name
                || server.address == *name
                || server
                    .address
                    .strip_prefix(name.as_str())
                    .is_some_and(|rest| rest.starts_with(':'))
        };
        let mut found = servers.iter_mut().filter(of).peekable();
        ensure!(found.peek().is_some(), "proxy {proxy} has no server {name} to give a weight");
        found.for_each(|server| server.parameters.push_str(&format!(" weight={weight}")));
    }
    Ok(())
}

/// Where SELinux keeps nginx from connecting to servers, has it let nginx. The program is there.
pub(crate) fn let_connect(request: &mut Request) -> Result<()> {
    if !names(request)?.confined {
        return Ok(());
    }
    let what = "let nginx connect to servers (SELinux)";
    request.add(
        ExecCheckedScript::new(what, command(&["let-connect"])).unless(command(&["may-connect"])),
    )
}

/// Writes the servers of a proxy, if nginx accepts them.
pub(crate) fn put(
    request: &mut Request,
    part: &Part,
    name: &str,
    servers: &[Server],
) -> Result<()> {
    let_connect(request)?;
    let mut list = "# written by pallet\n".to_owned();
    for Server { address, parameters, .. } in servers {
        writeln!(list, "server {address}{parameters};")?;
    }
    let file = RemoteFile::content(format!("{DIRECTORY}/{name}.servers"), list);
    request.add_with(file.owner("root").group("root").mode(0o644), part.changed())?;
    let render =
        ExecCheckedScript::new(format!("write {}", active(name)), command(&["render", name]))
            .unless(command(&["is-rendered", name]));
    request.add_with(render, part.changed())
}

/// Removes the servers of a proxy.
pub(crate) fn remove(request: &mut Request, part: &Part, name: &str) -> Result<()> {
    for extension in ["servers", "drained", "active"] {
        part.remove(request, &format!("{DIRECTORY}/{name}.{extension}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_added_where_there_is_none() {
        for (address, expected) in [
            ("192.0.2.1", "192.0.2.1:81"),
            ("192.0.2.1:8080", "192.0.2.1:8080"),
            ("2001:db8::1", "[2001:db8::1]:81"),
            ("[2001:db8::1]", "[2001:db8::1]:81"),
            ("[2001:db8::1]:8080", "[2001:db8::1]:8080"),
        ] {
            assert_eq!(with_port(address, Some(81)), expected);
        }
        assert_eq!(with_port("192.0.2.1", None), "192.0.2.1");
    }

    #[test]
    fn weights_are_of_servers_that_there_are() {
        let mut servers = [of_text("192.0.2.1", Some(80)).unwrap()];
        weigh("app", &mut servers, &[("192.0.2.1".to_owned(), 3)].into()).unwrap();
        assert_eq!(servers[0].parameters, " weight=3");
        let error = weigh("app", &mut servers, &[("web-9".to_owned(), 3)].into()).unwrap_err();
        assert!(error.to_string().contains("no server web-9"), "{error}");
        assert!(weigh("app", &mut servers, &[("192.0.2.1".to_owned(), 0)].into()).is_err());
    }
}
