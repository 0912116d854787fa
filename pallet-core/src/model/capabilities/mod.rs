//! What the functions of a crate may do to nodes: the capabilities that a crate declares, and those
//! that an action needs.

mod pattern;

use std::fmt;

use serde::{Deserialize, Serialize};

/// The capabilities that a crate declares, as a list of patterns for each kind; or those that an
/// action needs, as a list of names for each kind.
///
/// A crate without `Capabilities` may do everything. A crate with them may do nothing else: Pallet
/// rejects an action that needs more when a function of the crate declares it. Authors write them
/// as constants, see [`ConfigCrate::CAPABILITIES`](crate::plugin::ConfigCrate::CAPABILITIES).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, bound(deserialize = "List: Deserialize<'de> + Default"))]
pub struct Capabilities<List = Vec<String>> {
    /// Files and directories on the node, read or written, by absolute path. `*` matches any text
    /// within a name; `/srv/**` matches `/srv` and everything below it.
    pub paths: List,
    /// Packages and package sources, by name. `*` matches any text.
    pub packages: List,
    /// Services, by name. `*` matches any text.
    pub services: List,
    /// Users and groups, by name. `*` matches any text.
    pub users: List,
    /// Shell commands, as they are written. `*` matches only words in which the shell finds nothing
    /// to interpret (quoted words may contain anything), so `nginx *` does not match `nginx;
    /// reboot`. `*` alone matches any script.
    pub commands: List,
    /// Hosts that a node downloads from: `HOST` for any port, or `HOST:PORT`. `*` matches any text.
    pub network: List,
    /// Files of the project that are read on this machine, by path as written. `**` is the whole
    /// project.
    pub local_files: List,
}

/// The type of the lists in an author's constants.
pub type Patterns = &'static [&'static str];

impl Capabilities<Patterns> {
    /// No capabilities. Authors start from it: `Capabilities { packages: &["nginx"],
    /// ..Capabilities::NOTHING }`.
    pub const NOTHING: Self = Capabilities {
        paths: &[],
        packages: &[],
        services: &[],
        users: &[],
        commands: &[],
        network: &[],
        local_files: &[],
    };
}

impl From<Capabilities<Patterns>> for Capabilities {
    fn from(declared: Capabilities<Patterns>) -> Self {
        let owned =
            |patterns: Patterns| patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        Capabilities {
            paths: owned(declared.paths),
            packages: owned(declared.packages),
            services: owned(declared.services),
            users: owned(declared.users),
            commands: owned(declared.commands),
            network: owned(declared.network),
            local_files: owned(declared.local_files),
        }
    }
}

/// A capability that is needed but not declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lacking {
    /// Its kind: `path`.
    pub kind: &'static str,
    /// What is needed: `/etc/shadow`.
    pub needed: String,
    /// The declared patterns of that kind.
    pub declared: Vec<String>,
}

impl fmt::Display for Lacking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Lacking { kind, needed, declared } = self;
        let needed = needed.lines().next().unwrap_or_default();
        match declared.as_slice() {
            [] => write!(f, "it needs the {kind} {needed}, and the crate declares no {kind}"),
            declared => write!(
                f,
                "it needs the {kind} {needed}, and the crate declares {}",
                declared.join(", ")
            ),
        }
    }
}

type Covers = fn(&str, &str) -> bool;

impl Capabilities {
    /// All kinds: the word for one, the list, and the function that checks whether a pattern covers
    /// a name. This is the only list of the kinds.
    fn kinds(&self) -> [(&'static str, &[String], Covers); 7] {
        [
            ("path", &self.paths, pattern::path),
            ("package", &self.packages, pattern::name),
            ("service", &self.services, pattern::name),
            ("user", &self.users, pattern::name),
            ("command", &self.commands, pattern::command),
            ("host", &self.network, pattern::host),
            ("local file", &self.local_files, pattern::path),
        ]
    }

    /// The first of the `needed` capabilities that is not declared.
    pub fn lacks(&self, needed: &Capabilities) -> Option<Lacking> {
        self.lacking(needed).next()
    }

    fn lacking(&self, needed: &Capabilities) -> impl Iterator<Item = Lacking> {
        self.kinds().into_iter().zip(needed.kinds()).flat_map(
            |((kind, declared, covers), (_, needed, _))| {
                let missing =
                    move |needed: &&String| !declared.iter().any(|pattern| covers(pattern, needed));
                needed.iter().filter(missing).map(move |needed| Lacking {
                    kind,
                    needed: needed.clone(),
                    declared: declared.to_vec(),
                })
            },
        )
    }

    /// The capabilities in a crate's `new` declaration that its `old` one did not have, in words:
    /// `path /etc/ssh/**`. `None`: the crate declares nothing, and may do everything.
    pub fn beyond(new: Option<&Capabilities>, old: Option<&Capabilities>) -> Vec<String> {
        match (new, old) {
            (_, None) => Vec::new(),
            (None, Some(_)) => vec!["everything: it no longer declares what it does".to_owned()],
            (Some(new), Some(old)) => old
                .lacking(new)
                .map(|lacking| format!("{} {}", lacking.kind, lacking.needed))
                .collect(),
        }
    }

    /// The kinds with any declared patterns: `("paths", [..])`.
    pub fn declared(&self) -> Vec<(&'static str, &[String])> {
        let names =
            ["paths", "packages", "services", "users", "commands", "network", "local files"];
        names
            .into_iter()
            .zip(self.kinds())
            .map(|(name, (_, list, _))| (name, list))
            .filter(|(_, list)| !list.is_empty())
            .collect()
    }

    /// Needs a file or directory on the node.
    pub fn path(&mut self, path: &str) {
        self.paths.push(path.to_owned());
    }

    /// Needs a directory on the node, with everything below it.
    pub fn below(&mut self, path: &str) {
        self.paths.push(format!("{}/**", path.trim_end_matches('/')));
    }

    /// Needs a package or a package source.
    pub fn package(&mut self, name: &str) {
        self.packages.push(name.to_owned());
    }

    /// Needs a service.
    pub fn service(&mut self, name: &str) {
        self.services.push(name.to_owned());
    }

    /// Needs a user or a group.
    pub fn user(&mut self, name: &str) {
        self.users.push(name.to_owned());
    }

    /// Needs a command.
    pub fn command(&mut self, command: &str) {
        self.commands.push(command.trim().to_owned());
    }

    /// Needs a file of the project.
    pub fn local_file(&mut self, path: &str) {
        self.local_files.push(path.to_owned());
    }

    /// Needs a directory of the project, with everything below it.
    pub fn local_directory(&mut self, path: &str) {
        self.local_files.push(format!("{}/**", path.trim_end_matches('/')));
    }

    /// Needs the target of a URL: a host, or a path on the node.
    pub fn url(&mut self, url: &str) {
        let Some((scheme, rest)) = url.split_once("://") else {
            // git's short form of an ssh URL: [USER@]HOST:PATH
            return match url.split_once(':') {
                Some((host, _)) if !host.contains('/') => {
                    self.network.push(format!("{}:22", after_user(host).to_ascii_lowercase()))
                }
                _ => self.path(url),
            };
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        if scheme == "file" {
            return self.path(&rest[end..]);
        }
        let host = after_user(&rest[..end]).to_ascii_lowercase();
        let port = match scheme {
            "http" => "80",
            "https" => "443",
            "ftp" => "21",
            "ftps" => "990",
            "ssh" => "22",
            "git" => "9418",
            "socks5" | "socks5h" => "1080",
            _ => "",
        };
        self.network.push(match pattern::host_and_port(&host) {
            (_, Some(_)) => host,
            _ if port.is_empty() => url.to_owned(),
            _ => format!("{host}:{port}"),
        });
    }
}

fn after_user(authority: &str) -> &str {
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NGINX: Capabilities<Patterns> = Capabilities {
        packages: &["nginx"],
        paths: &["/etc/nginx/**"],
        commands: &["nginx -t"],
        ..Capabilities::NOTHING
    };

    #[test]
    fn what_is_not_declared_is_lacking() {
        let declared = Capabilities::from(NGINX);
        let mut needed = Capabilities::default();
        needed.package("nginx");
        needed.path("/etc/nginx/sites-enabled/hello");
        assert_eq!(declared.lacks(&needed), None);
        needed.url("https://example.com/a");
        assert_eq!(
            declared.lacks(&needed).map(|lacking| lacking.to_string()),
            Some("it needs the host example.com:443, and the crate declares no host".into())
        );
        needed.path("/etc/shadow");
        assert_eq!(
            declared.lacks(&needed).map(|lacking| lacking.to_string()),
            Some("it needs the path /etc/shadow, and the crate declares /etc/nginx/**".into())
        );
    }

    #[test]
    fn an_upgrade_tells_what_is_new() {
        const WIDER: Capabilities<Patterns> =
            Capabilities { paths: &["/etc/**"], commands: &["nginx *", "*"], ..NGINX };
        let (old, new) = (Capabilities::from(NGINX), Capabilities::from(WIDER));
        assert_eq!(
            Capabilities::beyond(Some(&new), Some(&old)),
            ["path /etc/**", "command nginx *", "command *"]
        );
        assert_eq!(Capabilities::beyond(Some(&old), Some(&new)), Vec::<String>::new());
        assert_eq!(
            Capabilities::beyond(None, Some(&old)),
            ["everything: it no longer declares what it does"]
        );
        assert!(
            Capabilities::beyond(Some(&new), None).is_empty()
                && Capabilities::beyond(None, None).is_empty()
        );
    }

    #[test]
    fn a_url_needs_its_host() {
        let hosts = [
            ("https://me:secret@Example.com/a@b", "example.com:443"),
            ("http://example.com:8080?x", "example.com:8080"),
            ("git@github.com:pallet/pallet.git", "github.com:22"),
            ("ssh://git@[2001:db8::1]/x", "[2001:db8::1]:22"),
            ("rsync://example.com/x", "rsync://example.com/x"),
        ];
        for (url, host) in hosts {
            let mut needed = Capabilities::default();
            needed.url(url);
            assert_eq!((needed.network, needed.paths), (vec![host.to_owned()], vec![]), "{url}");
        }
        for (url, path) in
            [("/srv/repository.git", "/srv/repository.git"), ("file:///srv/a", "/srv/a")]
        {
            let mut needed = Capabilities::default();
            needed.url(url);
            assert_eq!((needed.paths, needed.network), (vec![path.to_owned()], vec![]), "{url}");
        }
    }

    #[test]
    fn what_a_later_pallet_declares_is_left_out() {
        let read: Capabilities =
            serde_json::from_str(r#"{"paths": ["/srv/**"], "kernel_modules": ["wireguard"]}"#)
                .unwrap();
        assert_eq!(read, Capabilities { paths: vec!["/srv/**".into()], ..Capabilities::default() });
    }
}
