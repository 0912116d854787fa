//! The known state of a node: observed, or predicted from the changes planned so far.

mod forget;
mod package_sources;

use super::{
    CommandState, FileState, GroupState, NodeState, PackageState, Reading, ServiceState, UserState,
};
use crate::model::Known;

macro_rules! maps {
    ($($get:ident $set:ident $map:ident: $state:ty, $what:literal;)*) => {$(
        #[doc = concat!("What is known of ", $what, ".")]
        pub fn $get(&self, name: &str) -> Known<&$state> {
            self.$map.0.get(name).map_or(Known::Unknown, Known::Known)
        }

        #[doc = concat!("Brings ", $what, " to what will be true, and returns what was known of it \
            before.")]
        pub fn $set(&mut self, name: &str, state: $state) -> Known<$state> {
            self.$map.0.insert(name.to_owned(), state).map_or(Known::Unknown, Known::Known)
        }
    )*};
}

impl NodeState {
    maps! {
        package set_package packages: PackageState, "a package";
        service set_service services: ServiceState, "a service";
        user set_user users: Option<UserState>, "a user (`None`: there is none)";
        group set_group groups: Option<GroupState>, "a group (`None`: there is none)";
        command set_command commands: CommandState, "a command that only looks";
        reading set_reading readings: Reading, "what a command prints that only looks";
    }

    /// The known state of a path.
    pub fn file(&self, path: &str) -> Known<&FileState> {
        self.files.states.get(path).map_or(Known::Unknown, Known::Known)
    }

    /// The paths with this prefix whose state is known.
    pub fn known_files<'a>(&'a self, start: &'a str) -> impl Iterator<Item = &'a str> {
        self.files
            .states
            .range(start.to_owned()..)
            .map(|(path, _)| path.as_str())
            .take_while(move |path| path.starts_with(start))
    }

    /// Sets the state that a path will have, and returns its previous known state.
    ///
    /// The new state counts as written by Pallet, not as a change by hand.
    pub fn set_file(&mut self, path: &str, state: FileState) -> Known<FileState> {
        let before = self.files.states.get(path);
        if before != Some(&state) {
            let digest = |state: Option<&FileState>| match state {
                Some(FileState::File { digest, .. }) => digest.clone(),
                _ => None,
            };
            let after = digest(Some(&state));
            if self.records.written.contains_key(path) && digest(before) != after {
                self.set_written(path, after.as_deref());
            }
            let concerns = |of: &str| of == path || of.ends_with('/') && path.starts_with(of);
            self.readings.0.retain(|_, reading| !reading.of.as_deref().is_some_and(concerns));
            self.forget_unlisted_if_of_sources(path);
        }
        self.files.states.insert(path.to_owned(), state).map_or(Known::Unknown, Known::Known)
    }

    /// The content of a small file that is not UTF-8 text, one character per byte.
    pub fn bytes(&self, path: &str) -> Option<&str> {
        let (of, bytes) = self.files.bytes.get(path)?;
        matches!(
            self.files.states.get(path),
            Some(FileState::File { digest: Some(digest), .. }) if digest == of
        )
        .then_some(bytes)
    }

    /// Stores the content of the file at a path, whose digest is known.
    pub fn set_bytes(&mut self, path: &str, bytes: String) {
        if let Some(FileState::File { digest: Some(digest), .. }) = self.files.states.get(path) {
            self.files.bytes.insert(path.to_owned(), (digest.clone(), bytes));
        }
    }

    /// Whether the file at a path was written with a secret in it, or has the content of a file
    /// that was. Only known for files whose content was requested.
    pub fn holds_secret(&self, path: &str) -> bool {
        let digest = match self.files.states.get(path) {
            Some(FileState::File { digest, .. }) => digest.as_deref(),
            _ => None,
        };
        self.records.secrets.has_path(path)
            || digest.is_some_and(|digest| self.records.secrets.has_digest(digest))
    }

    /// Records that the file at a path holds a secret, and the digest of what was written.
    pub fn set_secret(&mut self, path: &str, digest: Option<&str>) {
        self.records.secrets.add(path, digest);
    }

    /// Records that the file at a path no longer holds a secret. Content that held a secret is
    /// still recognised when it comes back.
    pub fn forget_secret(&mut self, path: &str) {
        self.records.secrets.remove_path(path);
    }

    /// The digest of what Pallet last wrote to a path, if known. It is only requested for files
    /// that are not as expected.
    pub fn written(&self, path: &str) -> Option<&str> {
        self.records.written.get(path).map(String::as_str)
    }

    /// Sets the digest of what Pallet wrote to a path; `None`: it wrote nothing.
    pub fn set_written(&mut self, path: &str, digest: Option<&str>) {
        match digest {
            Some(digest) => drop(self.records.written.insert(path.to_owned(), digest.to_owned())),
            None => drop(self.records.written.remove(path)),
        }
    }

    /// Whether an action was applied, by its mark recorded on the node. It is only requested for
    /// drift reports.
    pub fn applied(&self, mark: &str) -> bool {
        self.records.applied.contains(mark)
    }

    /// Records that an action was applied.
    pub fn set_applied(&mut self, mark: &str) {
        self.records.applied.insert(mark.to_owned());
    }

    /// The age of the package lists in seconds; `None`: there are no lists.
    pub fn package_lists_age(&self) -> Known<Option<u64>> {
        self.package_lists.0.clone()
    }

    /// Sets the age that the package lists will have.
    pub fn set_package_lists_age(&mut self, seconds: Option<u64>) {
        self.package_lists.0 = Known::Known(seconds);
    }

    /// Forgets the versions of installed packages: after any change of packages, which may change
    /// others too.
    pub fn forget_package_versions(&mut self) {
        for state in self.packages.0.values_mut() {
            if let PackageState::Installed { version } = state {
                *version = None;
            }
        }
    }

    /// Forgets which packages are installed: after a removal, which also removes dependent
    /// packages.
    pub fn forget_installed_packages(&mut self) {
        self.packages.0.retain(|_, state| !matches!(state, PackageState::Installed { .. }));
    }

    /// Forgets everything but the system: after a command that may do anything.
    pub fn forget(&mut self) {
        self.files.states.clear();
        self.services.0.clear();
        self.users.0.clear();
        self.groups.0.clear();
        self.commands.0.clear();
        self.readings.0.clear();
        self.packages.0.clear();
        self.package_lists.0 = Known::Unknown;
        self.package_changes.forget();
    }

    /// Forgets the results of commands: after any change, since a command may depend on it.
    pub fn forget_commands(&mut self) {
        self.commands.0.clear();
    }

    /// Forgets what may be different after the node was booted: what runs, what is in memory, and
    /// the results of commands.
    pub fn forget_boot(&mut self) {
        self.services.0.clear();
        self.commands.0.clear();
        self.readings.0.clear();
        for path in ["/run", "/var/run", "/tmp", "/dev"] {
            self.forget_files_below(path);
        }
    }

    /// Forgets a path and everything below it.
    pub fn forget_files_below(&mut self, path: &str) {
        let below = format!("{}/", path.trim_end_matches('/'));
        let concerns = |file: &str| file == path || file.starts_with(&below);
        self.files.states.retain(|file, _| !concerns(file));
        self.records.written.retain(|file, _| !concerns(file));
        let concerns = |of: &str| concerns(of) || of.ends_with('/') && path.starts_with(of);
        self.readings.0.retain(|_, reading| !reading.of.as_deref().is_some_and(concerns));
        self.forget_unlisted_if_of_sources(path);
    }

    /// Forgets the result of one command.
    pub fn forget_reading(&mut self, script: &str) {
        self.readings.0.remove(script);
    }

    /// Forgets which settings of the kernel are missing: after a module was loaded, which may bring
    /// them.
    pub fn forget_missing_settings(&mut self) {
        let missing = |reading: &Reading| {
            reading.exit != 0
                && reading.of.as_deref().is_some_and(|path| path.starts_with("/proc/sys/"))
        };
        self.readings.0.retain(|_, reading| !missing(reading));
    }

    /// Forgets one package.
    pub fn forget_package(&mut self, name: &str) {
        self.packages.0.remove(name);
    }

    /// Forgets one group.
    pub fn forget_group(&mut self, name: &str) {
        self.groups.0.remove(name);
    }

    /// Forgets all services.
    pub fn forget_services(&mut self) {
        self.services.0.clear();
    }

    /// Forgets one service.
    pub fn forget_service(&mut self, name: &str) {
        self.services.0.remove(name);
    }
}
