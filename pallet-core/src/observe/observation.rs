//! Asks for the state that must be known before a node's actions can be planned.

use super::Observation;

impl Observation {
    /// Asks for the kind, owner, group and mode of `path`.
    pub fn file(&mut self, path: &str) {
        self.files.entry(path.to_owned()).or_default();
    }

    /// Asks for `path` and the digest of its content.
    pub fn digest(&mut self, path: &str) {
        self.files.entry(path.to_owned()).or_default().digest = true;
    }

    /// Asks for `path`, its digest, and the digest of what Pallet last wrote there.
    pub fn written(&mut self, path: &str) {
        let question = self.files.entry(path.to_owned()).or_default();
        question.digest = true;
        question.written = true;
    }

    /// Asks for `path` and its digest, and for its content if the digest is not `expected`.
    pub fn content(&mut self, path: &str, expected: &str) {
        let question = self.files.entry(path.to_owned()).or_default();
        question.digest = true;
        question.text_unless = Some(expected.to_owned());
    }

    /// Asks for `path` with its content, unless that is larger than 64 KiB or not text: for actions
    /// that change a part of a file.
    pub fn text(&mut self, path: &str) {
        let question = self.files.entry(path.to_owned()).or_default();
        question.digest = true;
        question.text = true;
    }

    /// Asks for a package.
    pub fn package(&mut self, name: &str) {
        self.packages.insert(name.to_owned());
    }

    /// Asks which other packages installing this one would install, if it is missing. `manager`:
    /// the package manager that it is for; empty: any.
    pub fn install(&mut self, manager: &str, name: &str) {
        self.package_changes
            .installs
            .entry(manager.to_owned())
            .or_default()
            .insert(name.to_owned());
    }

    /// Asks which other packages removing this one would remove, if it is installed.
    pub fn removal(&mut self, manager: &str, name: &str) {
        self.package_changes
            .removals
            .entry(manager.to_owned())
            .or_default()
            .insert(name.to_owned());
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

    /// Asks for the exit code of a read-only command.
    pub fn command(&mut self, script: &str) {
        self.commands.insert(script.to_owned());
    }

    /// Asks what a call of the library would do to a file, if that is larger than 64 KiB.
    pub fn edit(&mut self, path: &str, script: &str) {
        self.readings.edits.insert(script.to_owned(), path.to_owned());
    }

    /// Asks for the output of a read-only command. The result is kept until an action runs that may
    /// do anything.
    pub fn reading(&mut self, script: &str) {
        self.readings.commands.insert(script.to_owned(), None);
    }

    /// Asks for the output of a command that reads only the file at `path` or, if that ends with
    /// `/`, what is below it. The result is kept until that changes.
    pub fn reading_of(&mut self, path: &str, script: &str) {
        self.readings.commands.insert(script.to_owned(), Some(path.to_owned()));
    }
}
