//! Forgets the state that became unknown because packages, a user or a group changed, and no more
//! than that.

use std::collections::BTreeSet;

use super::super::{FileState, NodeState};
use crate::model::OsFamily;

/// Directories that no package writes to: the administrator's according to the filesystem hierarchy
/// standard, or Pallet's.
const NEVER: [&str; 9] = [
    "/root",
    "/srv",
    "/mnt",
    "/media",
    "/tmp",
    "/var/tmp",
    "/var/lib/pallet",
    "/var/log/pallet",
    "/run/pallet",
];

/// Directories where packages only write files with their own name.
const BY_NAME: [&str; 4] = ["/etc", "/home", "/opt", "/usr/local"];

/// Directories among these that are strictly by name: homes and local software according to the
/// filesystem hierarchy standard, and directories in /usr/local that packages never fill. (Packages
/// may create other directories there, such as /usr/local/share/fonts.)
const ONLY_BY_NAME: [&str; 6] =
    ["/home", "/opt", "/usr/local/bin", "/usr/local/etc", "/usr/local/sbin", "/usr/local/src"];

/// Paths that packages of any name write to.
const SHARED: [&str; 16] = [
    "/etc/alternatives",
    "/etc/bash_completion.d",
    "/etc/group",
    "/etc/gshadow",
    "/etc/init.d",
    "/etc/ld.so.cache",
    "/etc/mailcap",
    "/etc/pam.d",
    "/etc/passwd",
    "/etc/rc",
    "/etc/services",
    "/etc/shadow",
    "/etc/shells",
    "/etc/ssl/certs",
    "/etc/subgid",
    "/etc/subuid",
];

/// Words in package names that do not tell what a package is about.
const GENERIC: [&str; 36] = [
    "all", "amd", "arm", "base", "bin", "client", "clients", "common", "config", "core", "daemon",
    "data", "dbg", "default", "dev", "devel", "doc", "docs", "extra", "full", "init", "lib",
    "libs", "light", "minimal", "mod", "module", "modules", "perl", "plugin", "plugins", "python",
    "server", "tool", "tools", "utils",
];

/// Components of paths that are the same on every system.
const PLACES: [&str; 16] = [
    "bin", "cache", "conf", "conf.d", "default", "etc", "home", "lib", "local", "log", "opt",
    "run", "sbin", "share", "usr", "var",
];

impl NodeState {
    /// Forgets everything that unknown packages may touch: all but the administrator's directories,
    /// and root.
    pub fn forget_what_packages_touch(&mut self) {
        let own_srv = self.packages_have_srv();
        let keeps = |path: &str| matches!(path_owner(path, own_srv), PathOwner::Never);
        self.files.states.retain(|path, _| keeps(path));
        self.readings.0.retain(|_, reading| {
            reading.of.as_deref().is_some_and(|path| keeps(path.trim_end_matches('/')))
        });
        // every system has root, and no package removes or changes it
        self.users.0.retain(|name, _| name == "root");
        self.groups.0.retain(|name, _| name == "root");
        self.services.0.clear();
        self.commands.0.clear();
        self.forget_unlisted();
    }

    /// Server packages of SUSE and Arch have directories in /srv, such as /srv/www and /srv/http.
    fn packages_have_srv(&self) -> bool {
        matches!(self.os.family, OsFamily::Suse | OsFamily::Arch)
    }

    /// Forgets what the scripts and files of these packages may touch: anything with one of their
    /// names, and the paths that all packages write to.
    ///
    /// A missing service, user or group may be created by one of them, whatever its name.
    pub fn forget_what_these_packages_touch(&mut self, packages: &BTreeSet<String>) {
        let words = PackageWords::of(packages);
        let own_srv = self.packages_have_srv();
        let there = |path: &str| {
            self.files.states.get(path).is_some_and(|state| *state != FileState::Absent)
        };
        let keeps = |path: &str, absent: bool| match path_owner(path, own_srv) {
            PathOwner::Never => true,
            PathOwner::Theirs => false,
            PathOwner::ByName if words.name(path) => false,
            // a missing file of another name, in an existing directory of the administrator's
            PathOwner::ByName
                if absent && !ONLY_BY_NAME.iter().any(|directory| is_below(path, directory)) =>
            {
                path.rsplit_once('/')
                    .is_some_and(|(parent, _)| parent.matches('/').count() > 1 && there(parent))
            }
            PathOwner::ByName => true,
        };
        let gone = self
            .files
            .states
            .iter()
            .filter(|(path, state)| !keeps(path, **state == FileState::Absent));
        let gone: Vec<_> = gone.map(|(path, _)| path.clone()).collect();
        self.readings.0.retain(|_, reading| {
            reading.of.as_deref().is_some_and(|path| keeps(path.trim_end_matches('/'), false))
        });
        gone.iter().for_each(|path| drop(self.files.states.remove(path)));
        self.services.0.retain(|name, state| state.exists && !words.name(name));
        self.users.0.retain(|name, state| state.is_some() && !words.name(name));
        self.groups.0.retain(|name, state| state.is_some() && !words.name(name));
        self.commands.0.clear();
        self.forget_unlisted_if_sources_come(packages);
    }

    /// Forgets the owner of files that belong to this user or to a numeric ID: after the user was
    /// removed or its ID changed.
    pub fn forget_owner(&mut self, name: &str) {
        for attributes in self.files.states.values_mut().filter_map(FileState::attributes_mut) {
            if attributes.owner.as_deref().is_some_and(|owner| is_or_number(owner, name)) {
                attributes.owner = None;
            }
        }
        self.forget_readings_of_anything();
    }

    /// Forgets the group of files that belong to this group or to a numeric ID, and its members.
    pub fn forget_membership(&mut self, name: &str) {
        for attributes in self.files.states.values_mut().filter_map(FileState::attributes_mut) {
            if attributes.group.as_deref().is_some_and(|group| is_or_number(group, name)) {
                attributes.group = None;
            }
        }
        for user in self.users.0.values_mut().flatten() {
            if user.group.as_deref() == Some(name) {
                user.group = None;
            }
            if user.groups.as_ref().is_some_and(|groups| groups.contains(name)) {
                user.groups = None;
            }
        }
        self.forget_readings_of_anything();
    }

    /// Forgets the results of commands that may read anything or read the user databases.
    fn forget_readings_of_anything(&mut self) {
        let databases = [
            "/etc/passwd",
            "/etc/group",
            "/etc/shadow",
            "/etc/gshadow",
            "/etc/subuid",
            "/etc/subgid",
        ];
        databases.iter().for_each(|path| self.forget_files_below(path));
        self.readings.0.retain(|_, reading| reading.of.is_some());
    }
}

fn is_or_number(found: &str, name: &str) -> bool {
    found == name || found.bytes().all(|byte| byte.is_ascii_digit())
}

/// Who may write to a path.
enum PathOwner {
    /// No package.
    Never,
    /// Any package.
    Theirs,
    /// A package with this name.
    ByName,
}

fn path_owner(path: &str, own_srv: bool) -> PathOwner {
    let below = |directory: &str| is_below(path, directory);
    if own_srv && path.starts_with("/srv/") {
        return PathOwner::Theirs;
    }
    if NEVER.iter().any(|directory| below(directory)) {
        return PathOwner::Never;
    }
    if SHARED.iter().any(|shared| below(shared)) || path.starts_with("/etc/rc") {
        return PathOwner::Theirs;
    }
    if BY_NAME.iter().any(|directory| below(directory)) {
        PathOwner::ByName
    } else {
        PathOwner::Theirs
    }
}

pub(super) fn is_below(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The telling words in the names of some packages.
struct PackageWords(BTreeSet<String>);

impl PackageWords {
    fn of(packages: &BTreeSet<String>) -> Self {
        let mut words = BTreeSet::new();
        for package in packages {
            let package = package.split(':').next().unwrap_or_default().to_ascii_lowercase();
            let telling = |word: &&str| word.len() > 2 && !GENERIC.contains(word);
            let mut own: Vec<&str> = package
                .split(|letter: char| !letter.is_ascii_alphabetic())
                .filter(telling)
                .collect();
            own.extend(
                own.clone().iter().filter_map(|word| word.strip_prefix("lib")).filter(telling),
            );
            if own.is_empty() {
                own.push(&package);
            }
            words.extend(own.into_iter().map(str::to_owned));
        }
        PackageWords(words)
    }

    /// Whether a component of the path or name contains one of the words, or begins or ends one of
    /// them: `ssh` ends `openssh`.
    fn name(&self, path: &str) -> bool {
        let path = path.to_ascii_lowercase();
        let mut parts = path.split('/').filter(|part| !part.is_empty() && !PLACES.contains(part));
        parts.any(|part| {
            let of_word = |word: &String| {
                part.contains(word.as_str())
                    || part.len() > 2 && (word.starts_with(part) || word.ends_with(part))
            };
            self.0.iter().any(of_word)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::check::node;
    use crate::observe::UserState;

    fn packages(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_package_touches_what_has_its_name() {
        let mut state = node()
            .file("/etc/hosts", "127.0.0.1 localhost\n", 0o644)
            .file("/etc/nginx/nginx.conf", "", 0o644)
            .file("/etc/passwd", "", 0o644)
            .file("/srv/hello/index.html", "", 0o644)
            .file("/usr/bin/tool", "", 0o755)
            .file("/usr/local/bin/tool", "", 0o755)
            .directory("/etc/sysctl.d", 0o755)
            .without_file("/etc/sysctl.d/90-app.conf")
            .without_file("/etc/sysctl.d/nginx.conf")
            .without_file("/etc/exports")
            .without_file("/etc/app/app.conf")
            .without_file("/srv/new")
            .without_file("/home/deploy")
            .without_file("/opt/nginx-tools")
            .without_file("/usr/local/bin/deploy")
            .without_file("/usr/local/share/fonts")
            .service("ssh", true, true)
            .service("nginx", true, true)
            .without_service("app")
            .user("root", UserState::default())
            .without_user("www")
            .0;
        state.forget_what_these_packages_touch(&packages(&[
            "nginx",
            "nginx-common",
            "libnginx-mod-http-geoip",
        ]));
        let known = |paths: &[&str]| paths.iter().all(|path| state.file(path).known().is_some());
        let unknown = |paths: &[&str]| paths.iter().all(|path| state.file(path).known().is_none());
        assert!(known(&[
            "/etc/hosts",
            "/srv/hello/index.html",
            "/usr/local/bin/tool",
            "/etc/sysctl.d",
            "/etc/sysctl.d/90-app.conf",
            "/srv/new",
            "/home/deploy",
            "/usr/local/bin/deploy"
        ]));
        assert!(unknown(&[
            "/etc/nginx/nginx.conf",
            "/etc/passwd",
            "/usr/bin/tool",
            "/etc/sysctl.d/nginx.conf",
            "/etc/exports",
            "/etc/app/app.conf",
            "/opt/nginx-tools",
            "/usr/local/share/fonts"
        ]));
        assert!(state.service("ssh").known().is_some() && state.user("root").known().is_some());
        // missing ones may be created by these packages
        assert!(
            state.service("nginx").known().is_none()
                && state.service("app").known().is_none()
                && state.user("www").known().is_none()
        );
    }

    #[test]
    fn what_is_the_administrator_s_no_package_touches() {
        let known = |family: OsFamily| {
            let mut state = node()
                .file("/srv/hello/index.html", "", 0o644)
                .without_file("/srv/new")
                .file("/root/.profile", "", 0o644)
                .file("/etc/hosts", "", 0o644)
                .file("/opt/app/run", "", 0o755)
                .file("/usr/local/bin/tool", "", 0o755)
                .file("/srvs", "", 0o644)
                .service("ssh", true, true)
                .user("root", UserState::default())
                .user("app", UserState::default())
                .0;
            state.os.family = family;
            state.forget_what_packages_touch();
            assert!(
                state.service("ssh").known().is_none()
                    && state.user("app").known().is_none()
                    && state.user("root").known().is_some()
            );
            state.known_files("/").map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(
            known(OsFamily::Debian),
            ["/root/.profile", "/srv/hello/index.html", "/srv/new"]
        );
        assert_eq!(known(OsFamily::Arch), ["/root/.profile"]);
    }

    #[test]
    fn names_that_are_not_just_the_package_s() {
        let named = |package: &str, path: &str| PackageWords::of(&packages(&[package])).name(path);
        assert!(named("openssh-server", "/etc/ssh/sshd_config"));
        assert!(named("postgresql-15", "postgres"));
        assert!(named("libssl3", "/etc/ssl/openssl.cnf"));
        assert!(named("chrony", "_chrony"));
        assert!(named("python3", "/etc/python3/x"));
        assert!(!named("python3-requests", "/etc/python3/x"));
        assert!(!named("postgresql-client-common", "/etc/default/locale"));
    }

    #[test]
    fn a_user_who_goes_leaves_files_and_memberships_that_are_known_still() {
        let member = UserState {
            group: Some("staff".into()),
            groups: Some(["app".to_owned()].into()),
            ..UserState::default()
        };
        let mut state =
            node().file("/etc/hosts", "", 0o644).service("ssh", true, true).user("other", member).0;
        state.forget_owner("app");
        state.forget_membership("app");
        assert!(
            state.file("/etc/hosts").known().is_some() && state.service("ssh").known().is_some()
        );
        let other = state.user("other").known().and_then(|user| (*user).clone()).unwrap();
        assert_eq!((other.group.as_deref(), other.groups), (Some("staff"), None));
    }
}
