//! The servers of a proxy: those that are listed, or the nodes of a group or of a role.

use pallet_core::prelude::*;

use super::names::check_server;

/// One server as HAProxy knows it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Server {
    /// Its name, which is also shown in statistics and logs.
    pub(crate) name: String,
    /// `ADDRESS:PORT`.
    pub(crate) address: String,
}

/// The servers that the parameters of `proxy` choose. There is one or more.
pub(crate) fn chosen(
    request: &Request,
    proxy: &str,
    (listed, group, role): (Option<&[String]>, Option<&str>, Option<&str>),
    port: u16,
) -> Result<Vec<Server>> {
    let servers = match (listed, group, role) {
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
        "proxy {proxy} has no server: name one, or declare it only where there is one"
    );
    for (index, server) in servers.iter().enumerate() {
        ensure!(
            servers[..index].iter().all(|other| other.name != server.name),
            "proxy {proxy} has two servers {}; name each once",
            server.name
        );
    }
    Ok(servers)
}

fn of_nodes(request: &Request, port: u16, wanted: impl Fn(&Target) -> bool) -> Result<Vec<Server>> {
    let mut servers = Vec::new();
    for target in request.targets()?.into_iter().filter(|target| wanted(target)) {
        check_server(&target.name)?;
        let Some(address) = target.address else {
            bail!("node {} has no address that HAProxy could pass requests on to", target.name)
        };
        check_server(&address)?;
        servers.push(Server { name: target.name, address: with_port(&address, port) });
    }
    // whatever the order in which providers list nodes
    servers.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(servers)
}

/// A server that is given as an address is named by it, without the brackets of IPv6.
fn of_text(server: &str, port: u16) -> Result<Server> {
    check_server(server)?;
    Ok(Server { name: server.replace(['[', ']'], ""), address: with_port(server, port) })
}

fn with_port(address: &str, port: u16) -> String {
    let has_port = match address.rsplit_once(']') {
        Some((_, rest)) => rest.starts_with(':'),
        None => address.matches(':').count() == 1,
    };
    match () {
        () if has_port => address.to_owned(),
        () if address.contains(':') && !address.starts_with('[') => format!("[{address}]:{port}"),
        () => format!("{address}:{port}"),
    }
}

/// What a server may be called in a proxy: as it is written, and if that is a node of the project,
/// by its name and its address.
pub(crate) fn aliases(request: &Request, server: &str) -> Result<Aliases> {
    check_server(server)?;
    let is = |target: &&Target| target.name == server || target.address.as_deref() == Some(server);
    let mut names = vec![server.to_owned()];
    let targets = request.targets()?;
    let mut known = false;
    for target in targets.iter().filter(is) {
        known = true;
        for name in [Some(&target.name), target.address.as_ref()].into_iter().flatten() {
            if !names.contains(name) {
                check_server(name)?;
                names.push(name.clone());
            }
        }
    }
    Ok(Aliases { names, known })
}

/// The names of a server.
pub(crate) struct Aliases {
    pub(crate) names: Vec<String>,
    /// Whether it is a node of the project, which may be so new that the balancer lacks it.
    pub(crate) known: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_added_where_there_is_none() {
        for (address, expected) in [
            ("192.0.2.1", "192.0.2.1:80"),
            ("192.0.2.1:8080", "192.0.2.1:8080"),
            ("2001:db8::1", "[2001:db8::1]:80"),
            ("[2001:db8::1]", "[2001:db8::1]:80"),
            ("[2001:db8::1]:8080", "[2001:db8::1]:8080"),
            ("web-3.known-after-apply", "web-3.known-after-apply:80"),
        ] {
            assert_eq!(with_port(address, 80), expected);
        }
    }

    #[test]
    fn a_listed_server_is_named_by_its_address() {
        let server = of_text("[2001:db8::1]:80", 1).unwrap();
        assert_eq!(
            (server.name.as_str(), server.address.as_str()),
            ("2001:db8::1:80", "[2001:db8::1]:80")
        );
    }
}
