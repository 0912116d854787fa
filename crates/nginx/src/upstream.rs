//! A group of servers under a name, for locations and for streams to pass requests on to.

use std::collections::BTreeMap;
use std::fmt::Write;

use pallet_core::prelude::*;

use super::file::{Part, Presence, check_name, default_port, yes};
use super::names::names;
use super::servers::{self, Server, chosen, weigh};

parameters! {
    /// Names a group of servers, which `nginx.location` passes requests on to: `http://NAME`.
    ///
    /// The servers are the nodes of a group or of a role, or are listed. One that does not answer
    /// is left out for a while. One that is drained stays drained.
    ///
    /// Example: `nginx.upstream(request, "app", group = "app", port = 8080, keepalive = 32)`
    pub(crate) struct Upstream {
        /// Names the servers, also for `nginx.drain`: letters, digits, `-`, `_` and `.`.
        name: String,
        /// The group whose nodes are the servers.
        #[serde(default)]
        group: Option<String>,
        /// The role whose nodes are the servers.
        #[serde(default)]
        role: Option<String>,
        /// The servers, each an address or host name, with `:PORT` where that is not `port`.
        #[serde(default)]
        servers: Option<Vec<String>>,
        /// The TCP port of the servers.
        #[serde(default = "default_port")]
        port: u16,
        /// How a server is chosen.
        #[serde(default)]
        balance: Balance,
        /// Weights of servers, by the name or the address of a node. Default: 1.
        #[serde(default)]
        weights: BTreeMap<String, u32>,
        /// Number of idle connections that each process of nginx keeps to the servers. Default:
        /// none.
        #[serde(default)]
        keepalive: Option<u32>,
        /// Number of failures in `fail_timeout` after which a server is left out. Default: 1.
        #[serde(default = "default_fails")]
        max_fails: u32,
        /// Number of seconds in which failures are counted, and for which a server is then left
        /// out. Default: 10.
        #[serde(default = "default_fail_timeout")]
        fail_timeout: u32,
        /// Whether it is in the configuration.
        #[serde(default)]
        action: Presence,
        /// Reload nginx now if something changed. Otherwise `nginx.service` does.
        #[serde(default = "yes")]
        reload: bool,
    }
}

/// How a server is chosen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pallet_core::serde", rename_all = "snake_case")]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) enum Balance {
    /// Each in turn.
    #[default]
    RoundRobin,
    /// The one with the fewest connections.
    LeastConn,
    /// The same one for the same address of a client.
    IpHash,
}

fn default_fails() -> u32 {
    1
}

fn default_fail_timeout() -> u32 {
    10
}

pub(crate) fn upstream(request: &mut Request, wanted: Upstream) -> Result<()> {
    let Upstream { name, port, balance, keepalive, max_fails, fail_timeout, .. } = &wanted;
    check_name(name)?;
    ensure!(*port > 0, "upstream {name}: there is no port 0");
    ensure!((1..=86_400).contains(fail_timeout), "fail_timeout must be 1 to 86400 seconds");
    ensure!(
        keepalive.is_none_or(|number| (1..=10_000).contains(&number)),
        "keepalive must be 1 to 10000"
    );
    let part = Part::of(name, wanted.reload);
    let path = format!("{}/upstream-{name}.conf", names(request)?.http);
    if wanted.action == Presence::Absent {
        part.remove(request, &path)?;
        servers::remove(request, &part, name)?;
        return part.end(request);
    }
    let choice = (wanted.servers.as_deref(), wanted.group.as_deref(), wanted.role.as_deref());
    let mut servers = chosen(request, name, choice, Some(*port))?;
    weigh(name, &mut servers, &wanted.weights)?;
    if (*max_fails, *fail_timeout) != (default_fails(), default_fail_timeout()) {
        let parameters = format!(" max_fails={max_fails} fail_timeout={fail_timeout}s");
        servers.iter_mut().for_each(|Server { parameters: own, .. }| own.push_str(&parameters));
    }
    part.begin(request)?;
    servers::put(request, &part, name, &servers)?;
    let content = format!("# written by pallet\n{}", render(name, *balance, *keepalive)?);
    part.write(request, &path, content)?;
    part.end(request)
}

/// The block of the servers.
pub(crate) fn render(name: &str, balance: Balance, keepalive: Option<u32>) -> Result<String> {
    let mut out = format!("upstream {name} {{\n");
    out.push_str(match balance {
        Balance::RoundRobin => "",
        Balance::LeastConn => "    least_conn;\n",
        Balance::IpHash => "    ip_hash;\n",
    });
    writeln!(out, "    include {};", servers::active(name))?;
    if let Some(number) = keepalive {
        // after the way to choose a server, as nginx wants it
        writeln!(out, "    keepalive {number};")?;
    }
    out.push_str("}\n");
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::super::Nginx;
    use super::*;

    #[test]
    fn the_nodes_of_a_group_are_its_servers() {
        let mut recorder = Recorder::<Nginx>::on("debian 12");
        recorder
            .call(
                "upstream",
                json!({"name": "app", "group": "group", "port": 8080, "balance": "least_conn",
                    "weights": {"node-1": 2}, "keepalive": 8, "max_fails": 3}),
            )
            .unwrap();
        let content = |path: &str| {
            let file = recorder.actions().into_iter().find(|file| file.arguments["path"] == path);
            file.unwrap().arguments["content"].as_str().unwrap().to_owned()
        };
        assert_eq!(
            content("/etc/nginx/pallet/app.servers"),
            "# written by pallet\nserver 192.0.2.1:8080 weight=2 max_fails=3 fail_timeout=10s;\n"
        );
        assert_eq!(
            content("/etc/nginx/conf.d/upstream-app.conf"),
            "# written by pallet\nupstream app {\n    least_conn;\n    \
             include /etc/nginx/pallet/app.active;\n    keepalive 8;\n}\n"
        );
    }

    #[test]
    fn what_is_no_upstream_is_refused() {
        for (arguments, said) in [
            (json!({"name": "a"}), "exactly one of"),
            (json!({"name": "a", "group": "none"}), "has no backend"),
            (json!({"name": "a", "servers": ["a;b"]}), "cannot stand in"),
            (json!({"name": "a", "group": "group", "weights": {"b": 2}}), "no server b"),
            (json!({"name": "a", "group": "group", "keepalive": 0}), "1 to 10000"),
            (json!({"name": "../a", "group": "group"}), "cannot name a site"),
        ] {
            let error =
                Recorder::<Nginx>::on("debian 12").call("upstream", &arguments).unwrap_err();
            assert!(error.to_string().contains(said), "{arguments}: {error}");
        }
    }
}
