//! What must be known of a node before its actions can be planned.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// Everything that a phase's actions ask of one node, each thing once. It is asked in one script,
/// in one round trip.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Observation {
    /// Paths, links not followed.
    pub files: BTreeMap<String, FileQuestion>,
    /// Packages, as the node's package manager names them.
    pub packages: BTreeSet<String>,
    /// Packages to be installed if they are not: which others come along is wanted. By the package
    /// manager that is meant; empty: any.
    pub installs: BTreeMap<String, BTreeSet<String>>,
    /// Packages to be removed if they are installed: which others go along is wanted.
    pub removals: BTreeMap<String, BTreeSet<String>>,
    /// Whether the age of the package manager's lists is wanted.
    pub package_lists: bool,
    /// Services, and for each the command line that tells its process where no service manager
    /// knows it (empty: none).
    pub services: BTreeMap<String, String>,
    /// Login names.
    pub users: BTreeSet<String>,
    /// Group names.
    pub groups: BTreeSet<String>,
    /// Shell commands that only look: their exit codes are wanted.
    pub commands: BTreeSet<String>,
    /// Shell commands that only look: what they print is wanted. Each with the one path that it
    /// reads, if that is all it reads.
    pub readings: BTreeMap<String, Option<String>>,
    /// Changes of a part of a file, as calls of the library, and the file of each: where that is
    /// too large to be told, the node is asked what they would make of it. It is the digest that is
    /// wanted.
    pub edits: BTreeMap<String, String>,
    /// Whether all is wanted that Pallet recorded on the node: what it wrote, and which actions it
    /// applied.
    pub records: bool,
}

/// What is asked of one path besides its kind, owner, group and mode.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FileQuestion {
    /// The SHA-256 digest of its content.
    pub digest: bool,
    /// Its content too, for a diff, unless its digest is this one, it is larger than 64 KiB, or it
    /// is not text.
    pub text_unless: Option<String>,
    /// Its content in any case, unless it is larger than 64 KiB or not text.
    pub text: bool,
    /// What Pallet last wrote there; that is told of every file whose digest is not the one that it
    /// should be.
    pub written: bool,
}

impl Observation {
    /// Asks for the kind, owner, group and mode of `path`.
    pub fn file(&mut self, path: &str) {
        self.files.entry(path.to_owned()).or_default();
    }

    /// Asks for `path` and the digest of its content.
    pub fn digest(&mut self, path: &str) {
        self.files.entry(path.to_owned()).or_default().digest = true;
    }

    /// Asks for `path`, the digest of its content, and the digest of what Pallet last wrote there.
    pub fn written(&mut self, path: &str) {
        let question = self.files.entry(path.to_owned()).or_default();
        question.digest = true;
        question.written = true;
    }

    /// Asks for `path` and its digest, and for its content where the digest is not `expected`.
    pub fn content(&mut self, path: &str, expected: &str) {
        let question = self.files.entry(path.to_owned()).or_default();
        question.digest = true;
        question.text_unless = Some(expected.to_owned());
    }

    /// Asks for `path` with its content, unless that is larger than 64 KiB or not text: for actions
    /// that change a part of it.
    pub fn text(&mut self, path: &str) {
        let question = self.files.entry(path.to_owned()).or_default();
        question.digest = true;
        question.text = true;
    }

    /// Asks for a package.
    pub fn package(&mut self, name: &str) {
        self.packages.insert(name.to_owned());
    }

    /// Asks for what comes along when a package is installed that is not there. `manager`: the one
    /// that is meant; empty: any.
    pub fn install(&mut self, manager: &str, name: &str) {
        self.installs.entry(manager.to_owned()).or_default().insert(name.to_owned());
    }

    /// Asks for what goes along when a package is removed that is there.
    pub fn removal(&mut self, manager: &str, name: &str) {
        self.removals.entry(manager.to_owned()).or_default().insert(name.to_owned());
    }

    /// Asks for a service.
    pub fn service(&mut self, name: &str) {
        self.services.entry(name.to_owned()).or_default();
    }

    /// Asks for a service whose process was started with `command`.
    pub fn process(&mut self, name: &str, command: &str) {
        self.services.insert(name.to_owned(), command.to_owned());
    }

    /// Asks for a user.
    pub fn user(&mut self, name: &str) {
        self.users.insert(name.to_owned());
    }

    /// Asks for a group.
    pub fn group(&mut self, name: &str) {
        self.groups.insert(name.to_owned());
    }

    /// Asks for the exit code of a command that only looks.
    pub fn command(&mut self, script: &str) {
        self.commands.insert(script.to_owned());
    }

    /// Asks what a call of the library would make of a file that is larger than 64 KiB.
    pub fn edit(&mut self, path: &str, script: &str) {
        self.edits.insert(script.to_owned(), path.to_owned());
    }

    /// Asks for what a command prints that only looks. It stays known until something that may do
    /// anything has been done.
    pub fn reading(&mut self, script: &str) {
        self.readings.insert(script.to_owned(), None);
    }

    /// The same of a command that reads nothing but the file at `path`, or, where that ends with
    /// `/`, what is below it: it stays known until that is changed.
    pub fn reading_of(&mut self, path: &str, script: &str) {
        self.readings.insert(script.to_owned(), Some(path.to_owned()));
    }

    /// Asks for all that `other` asks for as well.
    pub fn extend(&mut self, other: Observation) {
        for (path, question) in other.files {
            let ours = self.files.entry(path).or_default();
            ours.digest |= question.digest;
            ours.text |= question.text;
            ours.written |= question.written;
            ours.text_unless = ours.text_unless.take().or(question.text_unless);
        }
        self.packages.extend(other.packages);
        other
            .installs
            .into_iter()
            .for_each(|(manager, names)| self.installs.entry(manager).or_default().extend(names));
        other
            .removals
            .into_iter()
            .for_each(|(manager, names)| self.removals.entry(manager).or_default().extend(names));
        self.package_lists |= other.package_lists;
        self.services.extend(other.services);
        self.users.extend(other.users);
        self.groups.extend(other.groups);
        self.commands.extend(other.commands);
        self.readings.extend(other.readings);
        self.edits.extend(other.edits);
        self.records |= other.records;
    }
}
