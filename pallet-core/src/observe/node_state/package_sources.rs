//! Which packages come and go along with others, and which the package manager has never heard of.

use std::collections::BTreeSet;

use super::super::NodeState;
use super::forget::is_below;

/// What says where packages come from is here.
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

/// A package that is called so may bring a source of others: `epel-release`.
const BRINGS_SOURCES: [&str; 7] =
    ["archive", "prod", "release", "repo", "repos", "repository", "sources"];

impl NodeState {
    /// All packages that come when this one is installed, itself among them; `None` where the
    /// package manager could not say.
    pub fn coming(&self, package: &str) -> Option<&BTreeSet<String>> {
        self.package_changes.coming.get(package)
    }

    /// All packages that go when this one is removed, itself among them; `None` where the package
    /// manager could not say.
    pub fn leaving(&self, package: &str) -> Option<&BTreeSet<String>> {
        self.package_changes.leaving.get(package)
    }

    /// Remembers which packages come when one is installed.
    pub fn set_coming(&mut self, package: &str, packages: BTreeSet<String>) {
        self.package_changes.coming.insert(package.to_owned(), packages);
    }

    /// Remembers which packages go when one is removed.
    pub fn set_leaving(&mut self, package: &str, packages: BTreeSet<String>) {
        self.package_changes.leaving.insert(package.to_owned(), packages);
    }

    /// Forgets which packages come and go along with others: after a change of where packages come
    /// from.
    pub fn forget_coming_packages(&mut self) {
        self.package_changes.forget();
    }

    /// How old the package manager's lists are, in seconds, none of which has this package; `None`
    /// where it may be in one.
    pub fn unlisted(&self, package: &str) -> Option<u64> {
        self.package_changes.unlisted.get(package).copied()
    }

    /// Remembers that none of the lists has a package.
    pub fn set_unlisted(&mut self, package: &str, age: u64) {
        self.package_changes.unlisted.insert(package.to_owned(), age);
    }

    /// Forgets which packages are in no list: after other lists were fetched, or may be.
    pub fn forget_unlisted(&mut self) {
        self.package_changes.unlisted.clear();
    }

    /// The same after these packages came, if one of them may have brought a source.
    pub(super) fn forget_unlisted_if_sources_come(&mut self, packages: &BTreeSet<String>) {
        let brings = |package: &String| {
            package.split(['-', '_', '.']).any(|word| BRINGS_SOURCES.contains(&word))
        };
        if packages.iter().any(brings) {
            self.forget_unlisted();
        }
    }

    /// The same after something at this path changed.
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
