//! Which packages are installed or removed along with others, and which are in no package list.

use std::collections::BTreeSet;

use super::super::NodeState;
use super::forget::is_below;

/// The paths that define package sources.
const SOURCES: [&str; 8] = [
    "/etc/apk",
    "/etc/apt",
    "/etc/dnf",
    "/etc/pacman.conf",
    "/etc/pacman.d",
    "/etc/yum.conf",
    "/etc/yum.repos.d",
    "/etc/zypp",
];

/// A package with one of these words in its name may add a source: `epel-release`.
const BRINGS_SOURCES: [&str; 7] =
    ["archive", "prod", "release", "repo", "repos", "repository", "sources"];

impl NodeState {
    /// All packages that installing this one installs, including itself; `None` if the package
    /// manager could not tell.
    pub fn coming(&self, package: &str) -> Option<&BTreeSet<String>> {
        self.package_changes.coming.get(package)
    }

    /// All packages that removing this one removes, including itself; `None` if the package manager
    /// could not tell.
    pub fn leaving(&self, package: &str) -> Option<&BTreeSet<String>> {
        self.package_changes.leaving.get(package)
    }

    /// Sets which packages are installed along with one.
    pub fn set_coming(&mut self, package: &str, packages: BTreeSet<String>) {
        self.package_changes.coming.insert(package.to_owned(), packages);
    }

    /// Sets which packages are removed along with one.
    pub fn set_leaving(&mut self, package: &str, packages: BTreeSet<String>) {
        self.package_changes.leaving.insert(package.to_owned(), packages);
    }

    /// Forgets which packages are installed and removed along with others: after a change of
    /// package sources.
    pub fn forget_coming_packages(&mut self) {
        self.package_changes.forget();
    }

    /// The age in seconds of the package lists, none of which has this package; `None` if a list
    /// may have it.
    pub fn unlisted(&self, package: &str) -> Option<u64> {
        self.package_changes.unlisted.get(package).copied()
    }

    /// Records that no package list has a package.
    pub fn set_unlisted(&mut self, package: &str, age: u64) {
        self.package_changes.unlisted.insert(package.to_owned(), age);
    }

    /// Forgets which packages are in no list: after other lists were or may have been fetched.
    pub fn forget_unlisted(&mut self) {
        self.package_changes.unlisted.clear();
    }

    /// Does the same after these packages were installed, if one of them may add a source.
    pub(super) fn forget_unlisted_if_sources_come(&mut self, packages: &BTreeSet<String>) {
        let brings = |package: &String| {
            package.split(['-', '_', '.']).any(|word| BRINGS_SOURCES.contains(&word))
        };
        if packages.iter().any(brings) {
            self.forget_unlisted();
        }
    }

    /// Does the same after a change at this path, if it defines sources.
    pub(super) fn forget_unlisted_if_of_sources(&mut self, path: &str) {
        if !self.package_changes.unlisted.is_empty()
            && SOURCES.iter().any(|sources| is_below(path, sources))
        {
            self.forget_unlisted();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::check::node;
    use crate::observe::FileState;

    #[test]
    fn what_may_bring_other_lists_leaves_open_what_they_have() {
        let known = |change: &dyn Fn(&mut NodeState)| {
            let mut state = node().0;
            state.set_unlisted("app", 60);
            change(&mut state);
            state.unlisted("app").is_some()
        };
        let packages = |name: &str| BTreeSet::from([name.to_owned()]);
        assert!(known(&|state| drop(state.set_file("/etc/motd", FileState::Absent))));
        assert!(!known(&|state| drop(
            state.set_file("/etc/apt/sources.list.d/app.list", FileState::Absent)
        )));
        assert!(!known(&|state| state.forget_files_below("/etc/yum.repos.d")));
        assert!(known(&|state| state.forget_what_these_packages_touch(&packages("nginx"))));
        assert!(!known(&|state| state.forget_what_these_packages_touch(&packages("epel-release"))));
        assert!(!known(&NodeState::forget_what_packages_touch));
        assert!(!known(&NodeState::forget));
        assert!(!known(&NodeState::forget_coming_packages));
    }
}
