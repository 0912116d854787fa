//! What is known of a node: observed on it, or predicted by the changes planned so far.

mod coming;
mod merged;
mod predicted;
mod secrets;
mod touched;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use self::secrets::Secrets;
use super::{Known, Os};

/// What is known of one node. A thing that is in none of its maps is unknown.
///
/// Planning folds over the actions in order: each reads this state, says what to change, and brings
/// the state to what will then be true.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeState {
    /// The operating system.
    pub os: Os,
    /// Who scripts run as: new files are this user's.
    pub user: String,
    /// What was changed by hand is overwritten.
    #[serde(default)]
    pub overwrite_changes: bool,
    files: BTreeMap<String, FileState>,
    packages: BTreeMap<String, PackageState>,
    package_lists_age: Known<Option<u64>>,
    services: BTreeMap<String, ServiceState>,
    users: BTreeMap<String, Option<UserState>>,
    groups: BTreeMap<String, Option<GroupState>>,
    commands: BTreeMap<String, CommandState>,
    readings: BTreeMap<String, Reading>,
    written: BTreeMap<String, String>,
    applied: BTreeSet<String>,
    /// What is not text, each byte a character, with the digest of the file that holds it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    bytes: BTreeMap<String, (String, String)>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    coming: BTreeMap<String, BTreeSet<String>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    leaving: BTreeMap<String, BTreeSet<String>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    unlisted: BTreeMap<String, u64>,
    #[serde(default)]
    secrets: Secrets,
}

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileState {
    /// Nothing.
    Absent,
    /// A regular file.
    File {
        /// The SHA-256 digest of its content, in hexadecimal; `None` if it is not known.
        digest: Option<String>,
        /// Its content, where it was asked for and is text.
        text: Option<String>,
        /// Its owner, group and mode.
        attributes: Attributes,
    },
    /// A directory.
    Directory(Attributes),
    /// A symbolic link.
    Link {
        /// Where it points, as it is written.
        target: String,
    },
    /// A named pipe.
    Fifo(Attributes),
    /// A device or a socket.
    Other,
}

/// The owner, group and mode of a file: in a wish, `None` leaves one as it is; in a state, `None`
/// is one that is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attributes {
    /// The owner's name.
    pub owner: Option<String>,
    /// The group's name.
    pub group: Option<String>,
    /// The permission bits, such as `0o644`.
    pub mode: Option<u32>,
}

/// Whether a package is installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PackageState {
    /// It is not.
    Absent,
    /// It is not, but its configuration files may still be there.
    Removed,
    /// It is.
    Installed {
        /// Its version, as the package manager writes it; `None` if it is not known.
        version: Option<String>,
    },
}

/// Whether a service runs, and whether it starts with the node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceState {
    /// Something on the node knows the service: a unit, an init script, a process.
    pub exists: bool,
    /// It runs.
    pub running: bool,
    /// It starts with the node; `None` where no service manager can tell.
    pub enabled: Option<bool>,
    /// Somebody has seen to it that nothing can start it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub masked: bool,
}

/// A user of the node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserState {
    /// The numeric id; `None` if it is not known.
    pub uid: Option<u32>,
    /// The name of the primary group; `None` if it is not known.
    pub group: Option<String>,
    /// The names of the other groups; `None` if they are not known.
    pub groups: Option<BTreeSet<String>>,
    /// The comment (GECOS) field; `None` if it is not known.
    pub comment: Option<String>,
    /// The home directory; `None` if it is not known.
    pub home: Option<String>,
    /// The login shell; `None` if it is not known.
    pub shell: Option<String>,
    /// Whether the password is locked; `None` if it is not known.
    pub locked: Option<bool>,
}

/// A group of users.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupState {
    /// The numeric id; `None` if it is not known.
    pub gid: Option<u32>,
}

/// How a command that only looks ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandState {
    /// Its exit code.
    pub exit: i32,
}

/// What a command that only looks printed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// Its exit code.
    pub exit: i32,
    /// Its standard output, without newlines at its end.
    pub output: String,
    /// The one path that it reads, if that is all it reads; one that ends with `/` stands for all
    /// below it.
    pub of: Option<String>,
}

macro_rules! maps {
    ($($get:ident $set:ident $map:ident: $state:ty, $what:literal;)*) => {$(
        #[doc = concat!("What is known of ", $what, ".")]
        pub fn $get(&self, name: &str) -> Known<&$state> {
            self.$map.get(name).map_or(Known::Unknown, Known::Known)
        }

        #[doc = concat!("Brings ", $what, " to what will be true, and returns what was known of it \
            before.")]
        pub fn $set(&mut self, name: &str, state: $state) -> Known<$state> {
            self.$map.insert(name.to_owned(), state).map_or(Known::Unknown, Known::Known)
        }
    )*};
}

impl NodeState {
    /// A node of which nothing is known but its system.
    pub fn new(os: Os) -> Self {
        NodeState {
            os,
            user: "root".to_owned(),
            overwrite_changes: false,
            files: BTreeMap::new(),
            packages: BTreeMap::new(),
            package_lists_age: Known::Unknown,
            services: BTreeMap::new(),
            users: BTreeMap::new(),
            groups: BTreeMap::new(),
            commands: BTreeMap::new(),
            readings: BTreeMap::new(),
            written: BTreeMap::new(),
            applied: BTreeSet::new(),
            bytes: BTreeMap::new(),
            coming: BTreeMap::new(),
            leaving: BTreeMap::new(),
            unlisted: BTreeMap::new(),
            secrets: Secrets::default(),
        }
    }

    maps! {
        package set_package packages: PackageState, "a package";
        service set_service services: ServiceState, "a service";
        user set_user users: Option<UserState>, "a user (`None`: there is none)";
        group set_group groups: Option<GroupState>, "a group (`None`: there is none)";
        command set_command commands: CommandState, "a command that only looks";
        reading set_reading readings: Reading, "what a command prints that only looks";
    }

    /// What is known of what stands at a path.
    pub fn file(&self, path: &str) -> Known<&FileState> {
        self.files.get(path).map_or(Known::Unknown, Known::Known)
    }

    /// The paths that begin so, and of which it is known what stands there.
    pub fn known_files<'a>(&'a self, start: &'a str) -> impl Iterator<Item = &'a str> {
        self.files
            .range(start.to_owned()..)
            .map(|(path, _)| path.as_str())
            .take_while(move |path| path.starts_with(start))
    }

    /// Brings what stands at a path to what will be true, and returns what was known of it before.
    ///
    /// What it will be is Pallet's own: it is no change by hand.
    pub fn set_file(&mut self, path: &str, state: FileState) -> Known<FileState> {
        let before = self.files.get(path);
        if before != Some(&state) {
            let digest = |state: Option<&FileState>| match state {
                Some(FileState::File { digest, .. }) => digest.clone(),
                _ => None,
            };
            let after = digest(Some(&state));
            if self.written.contains_key(path) && digest(before) != after {
                self.set_written(path, after.as_deref());
            }
            let concerns = |of: &str| of == path || of.ends_with('/') && path.starts_with(of);
            self.readings.retain(|_, reading| !reading.of.as_deref().is_some_and(concerns));
            self.forget_unlisted_if_of_sources(path);
        }
        self.files.insert(path.to_owned(), state).map_or(Known::Unknown, Known::Known)
    }

    /// The content of a small file that is not text in UTF-8, each byte as the character of that
    /// number.
    pub fn bytes(&self, path: &str) -> Option<&str> {
        let (of, bytes) = self.bytes.get(path)?;
        matches!(
            self.files.get(path),
            Some(FileState::File { digest: Some(digest), .. }) if digest == of
        )
        .then_some(bytes)
    }

    /// Remembers the content of the file at a path, whose digest is known.
    pub fn set_bytes(&mut self, path: &str, bytes: String) {
        if let Some(FileState::File { digest: Some(digest), .. }) = self.files.get(path) {
            self.bytes.insert(path.to_owned(), (digest.clone(), bytes));
        }
    }

    /// Whether the file at a path was written with a secret in it, or has the content of one that
    /// was. Only known of files whose content was asked for.
    pub fn holds_secret(&self, path: &str) -> bool {
        let digest = match self.files.get(path) {
            Some(FileState::File { digest, .. }) => digest.as_deref(),
            _ => None,
        };
        self.secrets.has_path(path) || digest.is_some_and(|digest| self.secrets.has_digest(digest))
    }

    /// Remembers that the file at a path holds a secret, and the digest of what was written.
    pub fn set_secret(&mut self, path: &str, digest: Option<&str>) {
        self.secrets.add(path, digest);
    }

    /// Remembers that the file at a path no longer holds a secret. Content that held one is still
    /// recognised when it comes back.
    pub fn forget_secret(&mut self, path: &str) {
        self.secrets.remove_path(path);
    }

    /// The digest of what Pallet last wrote to a path, where that is known. It is asked only of
    /// files that are not as expected.
    pub fn written(&self, path: &str) -> Option<&str> {
        self.written.get(path).map(String::as_str)
    }

    /// Remembers the digest of what Pallet wrote to a path, or that it wrote nothing.
    pub fn set_written(&mut self, path: &str, digest: Option<&str>) {
        match digest {
            Some(digest) => drop(self.written.insert(path.to_owned(), digest.to_owned())),
            None => drop(self.written.remove(path)),
        }
    }

    /// Whether an action was applied, by the mark that was recorded on the node then. It is asked
    /// only for a report of drift.
    pub fn applied(&self, mark: &str) -> bool {
        self.applied.contains(mark)
    }

    /// Remembers that an action was applied.
    pub fn set_applied(&mut self, mark: &str) {
        self.applied.insert(mark.to_owned());
    }

    /// How old the package manager's lists are, in seconds; `None`: there are none.
    pub fn package_lists_age(&self) -> Known<Option<u64>> {
        self.package_lists_age.clone()
    }

    /// Brings the age of the package manager's lists to what will be true.
    pub fn set_package_lists_age(&mut self, seconds: Option<u64>) {
        self.package_lists_age = Known::Known(seconds);
    }

    /// Forgets the versions of installed packages: after a change of any, since others may come
    /// along with it.
    pub fn forget_package_versions(&mut self) {
        for state in self.packages.values_mut() {
            if let PackageState::Installed { version } = state {
                *version = None;
            }
        }
    }

    /// Forgets which packages are installed: after a removal, since what needs a package goes with
    /// it.
    pub fn forget_installed_packages(&mut self) {
        self.packages.retain(|_, state| !matches!(state, PackageState::Installed { .. }));
    }

    /// Forgets everything but the system: after a command that may do anything.
    pub fn forget(&mut self) {
        self.files.clear();
        self.services.clear();
        self.users.clear();
        self.groups.clear();
        self.commands.clear();
        self.readings.clear();
        self.packages.clear();
        self.package_lists_age = Known::Unknown;
        self.forget_coming_packages();
    }

    /// Forgets how commands end: after any change, since a command may look at what was changed.
    pub fn forget_commands(&mut self) {
        self.commands.clear();
    }

    /// Forgets one path and all below it.
    pub fn forget_files_below(&mut self, path: &str) {
        let below = format!("{}/", path.trim_end_matches('/'));
        let concerns = |file: &str| file == path || file.starts_with(&below);
        self.files.retain(|file, _| !concerns(file));
        self.written.retain(|file, _| !concerns(file));
        let concerns = |of: &str| concerns(of) || of.ends_with('/') && path.starts_with(of);
        self.readings.retain(|_, reading| !reading.of.as_deref().is_some_and(concerns));
        self.forget_unlisted_if_of_sources(path);
    }

    /// Forgets what one command prints.
    pub fn forget_reading(&mut self, script: &str) {
        self.readings.remove(script);
    }

    /// Forgets one package.
    pub fn forget_package(&mut self, name: &str) {
        self.packages.remove(name);
    }

    /// Forgets one group.
    pub fn forget_group(&mut self, name: &str) {
        self.groups.remove(name);
    }

    /// Forgets which services run.
    pub fn forget_services(&mut self) {
        self.services.clear();
    }

    /// Forgets one service.
    pub fn forget_service(&mut self, name: &str) {
        self.services.remove(name);
    }
}
