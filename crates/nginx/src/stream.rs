//! Connections of TCP, or packets of UDP, that are passed on whatever is in them.

use std::fmt::Write;

use pallet_core::prelude::*;

use super::file::{DIRECTORY, Part, Presence, check_name, yes};
use super::names::names;
use super::servers::{self, active, chosen};
use super::tls::{self, Protocols};

/// The file of the block that includes all streams.
const STREAMS: &str = "/etc/nginx/pallet/streams.conf";

parameters! {
    /// Passes connections on to servers, such as those of a database.
    ///
    /// The servers are the nodes of a group or of a role, or are listed. `nginx.drain` takes one
    /// out. Installs nginx's module for streams.
    ///
    /// Example: `nginx.stream(request, "database", port = 5432, group = "database")`
    pub(crate) struct Stream {
        /// Names the stream, also for `nginx.drain`: letters, digits, `-`, `_` and `.`.
        name: String,
        /// The port to listen on.
        port: u16,
        /// The group whose nodes are the servers.
        #[serde(default)]
        group: Option<String>,
        /// The role whose nodes are the servers.
        #[serde(default)]
        role: Option<String>,
        /// The servers, each an address or host name, with `:PORT` where that is not `server_port`.
        #[serde(default)]
        servers: Option<Vec<String>>,
        /// The port of the servers. Default: `port`.
        #[serde(default)]
        server_port: Option<u16>,
        /// Pass packets of UDP on, instead of connections of TCP.
        #[serde(default)]
        udp: bool,
        /// A certificate of this node, as the crate `certificates` names it: clients connect with
        /// TLS, and the servers get what is in it.
        #[serde(default)]
        certificate: Option<String>,
        /// Number of seconds that a connection may be silent. Default: 600.
        #[serde(default = "default_timeout")]
        timeout: u32,
        /// Whether there is a stream.
        #[serde(default)]
        action: Presence,
        /// Reload nginx now if something changed. Otherwise `nginx.service` does.
        #[serde(default = "yes")]
        reload: bool,
    }
}

fn default_timeout() -> u32 {
    600
}

pub(crate) fn stream(request: &mut Request, wanted: Stream) -> Result<()> {
    let Stream { name, port, udp, timeout, .. } = &wanted;
    check_name(name)?;
    let server_port = wanted.server_port.unwrap_or(*port);
    ensure!(*port > 0 && server_port > 0, "stream {name}: there is no port 0");
    ensure!((1..=604_800).contains(timeout), "stream {name}: timeout must be 1 to 604800 seconds");
    let part = Part::of(&format!("stream-{name}"), wanted.reload);
    let path = format!("{DIRECTORY}/streams/{name}.conf");
    if wanted.action == Presence::Absent {
        part.remove(request, &path)?;
        servers::remove(request, &part, name)?;
        return part.end(request);
    }
    let choice = (wanted.servers.as_deref(), wanted.group.as_deref(), wanted.role.as_deref());
    let list = chosen(request, name, choice, Some(server_port))?;
    let certificate = tls::find(request, (wanted.certificate.as_deref(), None, None))?;
    ensure!(
        certificate.is_none() || !udp,
        "stream {name}: a certificate is only for connections of TCP"
    );
    let words = match (udp, &certificate) {
        (true, _) => " udp",
        (false, Some(_)) => " ssl",
        (false, None) => "",
    };
    let mut content = format!(
        "# written by pallet\nupstream {name} {{\n    include {};\n}}\n\nserver {{\n    \
         listen {port}{words};\n    proxy_pass {name};\n    proxy_timeout {timeout}s;\n    \
         proxy_connect_timeout 5s;\n",
        active(name)
    );
    if let Some(certificate) = &certificate {
        write!(content, "{}", certificate.render(Protocols::Intermediate)?)?;
    }
    content.push_str("}\n");
    // both contexts have caches of their own, which may not have one name
    let content = content.replace("shared:pallet:", "shared:pallet_stream:");
    request.add_with(Package::install(names(request)?.stream), part.changed())?;
    part.begin(request)?;
    request.add(Directory::at(format!("{DIRECTORY}/streams")))?;
    servers::put(request, &part, name, &list)?;
    if let Some(certificate) = &certificate {
        certificate.follow(request)?;
    }
    let include = format!("include {STREAMS};");
    let all =
        format!("# written by pallet\nstream {{\n    include {DIRECTORY}/streams/*.conf;\n}}\n");
    part.write(request, STREAMS, all)?;
    request.add_with(LineInFile::new("/etc/nginx/nginx.conf", include), part.changed())?;
    part.write(request, &path, content)?;
    part.end(request)
}

#[cfg(test)]
mod tests {
    use super::super::Nginx;
    use super::*;

    #[test]
    fn connections_go_to_the_nodes_of_a_group() {
        let mut recorder = Recorder::<Nginx>::on("debian 12");
        recorder.call("stream", json!({"name": "db", "port": 5432, "group": "group"})).unwrap();
        let content = |path: &str| {
            let found = recorder.actions().into_iter().find(|one| one.subject == path);
            found.unwrap().arguments["content"].as_str().unwrap().to_owned()
        };
        assert_eq!(
            content("/etc/nginx/pallet/db.servers"),
            "# written by pallet\nserver 192.0.2.1:5432;\n"
        );
        assert_eq!(
            content("/etc/nginx/pallet/streams/db.conf"),
            "# written by pallet\nupstream db {\n    include /etc/nginx/pallet/db.active;\n}\n\n\
             server {\n    listen 5432;\n    proxy_pass db;\n    proxy_timeout 600s;\n    \
             proxy_connect_timeout 5s;\n}\n"
        );
        assert!(recorder.declared().contains(&"package libnginx-mod-stream".to_owned()));
    }

    #[test]
    fn what_is_no_stream_is_refused() {
        for (arguments, said) in [
            (json!({"name": "a", "port": 0, "group": "group"}), "no port 0"),
            (json!({"name": "a", "port": 1}), "exactly one of"),
            (json!({"name": "a", "port": 1, "servers": ["a; b"]}), "cannot stand in"),
            (
                json!({"name": "a", "port": 1, "group": "group", "certificate": "x"}),
                "no certificate x",
            ),
        ] {
            let error = Recorder::<Nginx>::on("debian 12").call("stream", &arguments).unwrap_err();
            assert!(error.to_string().contains(said), "{arguments}: {error}");
        }
    }
}
