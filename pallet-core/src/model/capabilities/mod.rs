//! What the functions of a crate may do to nodes: what a crate declares of itself, and what an
//! action needs.

mod pattern;

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a crate says its functions do to nodes, each kind as a list of patterns; and what an action
/// needs, each kind as a list of names.
///
/// A crate that declares nothing at all (no `Capabilities`) may do everything. One that declares
/// some may do these and nothing else: an action that needs more is refused when a function of the
/// crate declares it. The authors' form holds constants, see
/// [`ConfigCrate::CAPABILITIES`](crate::plugin::ConfigCrate::CAPABILITIES).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, bound(deserialize = "List: Deserialize<'de> + Default"))]
pub struct Capabilities<List = Vec<String>> {
    /// Files and directories of a node, read or written, by their absolute paths. `*` stands for
    /// any text within a name, `/srv/**` for `/srv` and all below it.
    pub paths: List,
    /// Packages, and sources of packages, by name; `*` stands for any text.
    pub packages: List,
    /// Services, by name; `*` stands for any text.
    pub services: List,
    /// Users and groups, by name; `*` stands for any text.
    pub users: List,
    /// Shell commands, as they are written. `*` stands for words in which the shell finds nothing
    /// to do (quoted ones may hold anything), so `nginx *` is not `nginx; reboot`; `*` alone is any
    /// script.
    pub commands: List,
    /// Hosts that a node fetches from: `HOST` for any port, or `HOST:PORT`; `*` stands for any
    /// text.
    pub network: List,
    /// Files of the project on this machine that are read, by their paths as they are written; `**`
    /// is the whole project.
    pub local_files: List,
}

/// What the author of a crate writes lists as.
pub type Patterns = &'static [&'static str];

impl Capabilities<Patterns> {
    /// Nothing: what an author lays the declared ones over, `Capabilities { packages: &["nginx"],
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

/// Something that is needed and not declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lacking {
    /// The kind of it, as a word: `path`.
    pub kind: &'static str,
    /// What is needed: `/etc/shadow`.
    pub needed: String,
    /// What is declared of the kind.
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
    /// The kinds: the word for one, the list, and whether a pattern covers what is needed. The one
    /// place that knows them all.
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

    /// The first of what is `needed` that these do not cover.
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

    /// What a crate may do by its `new` declaration that it could not by its `old` one, in words:
    /// `path /etc/ssh/**`. `None` is a crate that declares nothing, and may do everything.
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

    /// The kinds of which anything is declared, each with its patterns: `("paths", [..])`.
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

    /// Needs a file or directory of the node.
    pub fn path(&mut self, path: &str) {
        self.paths.push(path.to_owned());
    }

    /// Needs a directory of the node, and all below it.
    pub fn below(&mut self, path: &str) {
        self.paths.push(format!("{}/**", path.trim_end_matches('/')));
    }

    /// Needs a package, or a source of packages.
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

    /// Needs a directory of the project, and all below it.
    pub fn local_directory(&mut self, path: &str) {
        self.local_files.push(format!("{}/**", path.trim_end_matches('/')));
    }

    /// Needs what stands at a URL: a host, or a path of the node.
    pub fn url(&mut self, url: &str) {
        let Some((scheme, rest)) = url.split_once("://") else {
            // git's short form of ssh: [USER@]HOST:PATH
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
