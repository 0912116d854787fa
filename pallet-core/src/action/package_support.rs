//! What the actions on packages share.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::package::PackageAction;
use super::{Action, ActionError, Certainty, Change, Claims, RemoteFile, Workspace};
use crate::model::{
    Known, NodeState, Observation, PackageManager, PackageOptions, PackageState, PackageTransaction,
};
use crate::script::{Script, packages};

/// The package managers that there are packages for.
pub(super) const MANAGERS: [PackageManager; 6] = [
    PackageManager::Apt,
    PackageManager::Dnf,
    PackageManager::Yum,
    PackageManager::Zypper,
    PackageManager::Pacman,
    PackageManager::Apk,
];

/// The seconds of a day.
const DAY: u64 = 86_400;

/// A package that an action is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) name: &'a str,
    pub(super) version: Option<&'a str>,
}

impl<'a> Wanted<'a> {
    /// Takes `name` or `name=version` apart.
    pub(super) fn of(text: &'a str) -> Self {
        match text.split_once('=') {
            Some((name, version)) => Wanted { name, version: Some(version) },
            None => Wanted { name: text, version: None },
        }
    }

    /// `name` or `name=version`.
    pub(super) fn text(self) -> String {
        self.version
            .map_or_else(|| self.name.to_owned(), |version| format!("{}={version}", self.name))
    }

    /// Refuses what cannot be a package.
    pub(super) fn check(self, caller: &str, action: PackageAction) -> Result<(), ActionError> {
        if !plain(self.name, b"+-._:@") {
            return Err(ActionError::arguments(
                caller,
                format!(
                    "{:?} is not the name of one \
                package",
                    self.name
                ),
            ));
        }
        match self.version {
            Some(version) if action != PackageAction::Install => Err(ActionError::arguments(
                caller,
                format!(
                    "the version {version:?} is only for \
                    the action \"install\""
                ),
            )),
            Some(version) if !plain(version, b"+-._:~^*") => Err(ActionError::arguments(
                caller,
                format!(
                    "{version:?} is not a version; write it \
                    as the package manager does"
                ),
            )),
            _ => Ok(()),
        }
    }

    /// Claims that it is so, where the package manager is this one.
    pub(super) fn claim(self, claims: &mut Claims, manager: PackageManager, action: PackageAction) {
        let installed = matches!(action, PackageAction::Install | PackageAction::Upgrade);
        claims.value(
            format!("whether the package {} is installed", self.name),
            manager.as_str(),
            installed.to_string(),
        );
        if let Some(version) = self.version {
            claims.value(
                format!("the version of the package {}", self.name),
                manager.as_str(),
                version,
            );
        }
    }

    fn state(self, action: PackageAction) -> PackageState {
        match action {
            PackageAction::Install | PackageAction::Upgrade => {
                PackageState::Installed { version: self.version.map(str::to_owned) }
            }
            PackageAction::Remove => PackageState::Removed,
            PackageAction::Purge => PackageState::Absent,
        }
    }

    /// What there is to do, and what is known of it now; `None`: nothing.
    fn need(
        self,
        node: &NodeState,
        action: PackageAction,
    ) -> Option<(Certainty, Known<PackageState>)> {
        let current = node.package(self.name).cloned();
        let upgrade = action == PackageAction::Upgrade;
        let certainty = match &current {
            Known::Known(state) if self.state(action).allows(state) && !upgrade => return None,
            // which version there is can only be known later
            Known::Known(PackageState::Installed { version: None })
                if action == PackageAction::Install =>
            {
                Certainty::May
            }
            Known::Known(PackageState::Installed { .. }) if upgrade => Certainty::May,
            Known::Known(_) => Certainty::Will,
            Known::Unknown => Certainty::May,
        };
        Some((certainty, current))
    }

    /// Refuses what no list has that was fetched within a day: it would be asked for in vain. Older
    /// ones are fetched anew when they lack something, and then only may have it: says whether that
    /// is so.
    fn is_listed(self, node: &NodeState, manager: PackageManager) -> Result<bool, ActionError> {
        match node.unlisted(self.name) {
            Some(age @ 0..DAY) => Err(ActionError::node(format!(
                "{} knows no package {}: none of its lists has it, and they are {} minutes old; \
                 look for its name on this system, declare the \
                 package_source that has it before, or fetch new lists with package_manager(action \
                 = \"update\", max_age = 0)",
                manager.as_str(),
                self.name,
                age / 60
            ))),
            Some(_) => Ok(false),
            None => Ok(true),
        }
    }

    /// What is done, in words.
    fn summary(self, action: PackageAction, current: &Known<PackageState>) -> String {
        match (action, current, self.version) {
            (
                PackageAction::Install,
                Known::Known(PackageState::Installed { version: Some(old) }),
                Some(new),
            ) => {
                format!("install version {new} instead of {old}")
            }
            (PackageAction::Install, _, Some(version)) => format!("install version {version}"),
            (PackageAction::Install, ..) => "install".to_owned(),
            (
                PackageAction::Upgrade,
                Known::Known(PackageState::Absent | PackageState::Removed),
                _,
            ) => "install".to_owned(),
            (PackageAction::Upgrade, ..) => "upgrade".to_owned(),
            (PackageAction::Remove, ..) => "remove".to_owned(),
            (PackageAction::Purge, ..) => "purge".to_owned(),
        }
    }
}

fn plain(text: &str, also: &[u8]) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_')
        && !text.ends_with('-')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || also.contains(&byte))
}

/// Refuses what cannot be the name of a repository.
pub(super) fn check_repositories(caller: &str, names: &[String]) -> Result<(), ActionError> {
    match names.iter().find(|name| !plain(name, b"+-._:/*")) {
        Some(name) => Err(ActionError::arguments(
            caller,
            format!(
                "{name:?} is not the name of a \
            repository"
            ),
        )),
        None => Ok(()),
    }
}

/// One transaction that brings all packages to what is wanted. It says which ones if `named`.
pub(super) fn plan_packages(
    node: &mut NodeState,
    action: PackageAction,
    wanted: &[Wanted<'_>],
    options: PackageOptions,
    named: bool,
) -> Result<Option<Change>, ActionError> {
    let manager = packages::manager(&node.os)?;
    let mut transaction = PackageTransaction { options, ..PackageTransaction::default() };
    let (mut summaries, mut certainty, mut needed) = (Vec::new(), Certainty::May, Vec::new());
    for package in wanted {
        let Some((of_this, current)) = package.need(node, action) else { continue };
        let installs = matches!(action, PackageAction::Install | PackageAction::Upgrade);
        let listed = !installs
            || !transaction.options.enable.is_empty()
            || package.is_listed(node, manager)?;
        if of_this == Certainty::Will && listed {
            certainty = Certainty::Will;
        }
        let text = package.text();
        summaries.push(if named {
            format!("{} {}", package.summary(action, &current), package.name)
        } else {
            package.summary(action, &current)
        });
        match action {
            PackageAction::Install => transaction.install.push(text),
            PackageAction::Upgrade => transaction.upgrade.push(text),
            PackageAction::Remove => transaction.remove.push(text),
            PackageAction::Purge => transaction.purge.push(text),
        }
        needed.push(package);
    }
    // what cannot be done is said even where there is nothing to do today
    let script = packages::transaction(manager, &transaction)?;
    if needed.is_empty() {
        return Ok(None);
    }
    match moving(node, action, &needed) {
        Some(moving) => only_these_change(node, action, &moving),
        None => {
            packages_change(node);
            if matches!(action, PackageAction::Remove | PackageAction::Purge) {
                node.forget_installed_packages();
            }
        }
    }
    for package in needed {
        node.set_package(package.name, package.state(action));
    }
    Ok(Some(Change {
        certainty,
        packages: Some(transaction),
        ..Change::will(summaries.join(", "), script)
    }))
}

/// Asks for the packages that come or go along with this one. Of what comes from elsewhere nothing
/// can be said.
pub(super) fn ask_what_comes_along(
    wanted: &mut Observation,
    action: PackageAction,
    options: &PackageOptions,
    manager: &str,
    package: Wanted<'_>,
) {
    if !options.enable.is_empty() || !options.disable.is_empty() {
        return;
    }
    match action {
        PackageAction::Install | PackageAction::Upgrade => wanted.install(manager, package.name),
        PackageAction::Remove | PackageAction::Purge => wanted.removal(manager, package.name),
    }
}

/// All packages that come or go with these, where that is known: the package manager was asked
/// about those that were not there, or were.
fn moving(
    node: &NodeState,
    action: PackageAction,
    packages: &[&Wanted<'_>],
) -> Option<BTreeSet<String>> {
    let mut all = BTreeSet::new();
    for package in packages {
        let of_this = match action {
            PackageAction::Install | PackageAction::Upgrade => node.coming(package.name),
            PackageAction::Remove | PackageAction::Purge => node.leaving(package.name),
        };
        all.extend(of_this?.iter().cloned());
    }
    Some(all)
}

/// Brings the node to what it is after just these packages came or went.
fn only_these_change(node: &mut NodeState, action: PackageAction, moving: &BTreeSet<String>) {
    node.forget_what_these_packages_touch(moving);
    for name in moving {
        let Known::Known(state) = node.package(name) else { continue };
        match action {
            PackageAction::Install | PackageAction::Upgrade => {
                node.set_package(name, PackageState::Installed { version: None });
            }
            // it may also be one that is to go by itself
            PackageAction::Remove | PackageAction::Purge
                if matches!(state, PackageState::Installed { .. }) =>
            {
                node.forget_package(name)
            }
            PackageAction::Remove | PackageAction::Purge => {}
        }
    }
}

/// Forgets what a change of packages makes unpredictable.
pub(super) fn packages_change(node: &mut NodeState) {
    node.forget_what_packages_touch();
    node.forget_package_versions();
}

/// A file with this content, which is all that it needs.
pub(super) fn file_of(path: &str, content: &str) -> Result<RemoteFile, ActionError> {
    let mut file = RemoteFile::content(path, content);
    Action::prepare(&mut file, &NoFiles)?;
    Ok(file)
}

/// A workspace for actions that read nothing.
pub(super) struct NoFiles;

impl Workspace for NoFiles {
    fn read(&self, path: &Path) -> Result<Vec<u8>, ActionError> {
        Err(ActionError::node(format!("{} cannot be read here", path.display())))
    }
    fn digest(&self, path: &Path) -> Result<(String, u64, PathBuf), ActionError> {
        self.read(path).map(|_| (String::new(), 0, path.to_owned()))
    }
    fn list(&self, path: &Path) -> Result<Vec<super::Listed>, ActionError> {
        Err(ActionError::node(format!("{} cannot be listed here", path.display())))
    }
    fn render(
        &self,
        name: &str,
        _template: &str,
        _values: &serde_json::Value,
    ) -> Result<String, ActionError> {
        Err(ActionError::node(format!("the template {name} cannot be rendered here")))
    }
}

/// One change that makes all of these, in order. What was changed by hand is reported only where
/// nothing else is to be done.
pub(super) fn joined(changes: impl IntoIterator<Item = Option<Change>>) -> Option<Change> {
    changes.into_iter().flatten().reduce(|mut first, second| {
        let script = Script::new().raw(first.script.as_str()).raw(second.script.as_str());
        first.script = script;
        first.certainty = match (first.certainty, second.certainty) {
            (Certainty::Will, _) | (_, Certainty::Will) => Certainty::Will,
            (Certainty::May, _) | (_, Certainty::May) => Certainty::May,
            (Certainty::Drifted, Certainty::Drifted) => Certainty::Drifted,
        };
        if first.summary != second.summary {
            first.summary = format!("{}, {}", first.summary, second.summary);
        }
        first.diff.push_str(&second.diff);
        first.uploads.extend(second.uploads);
        first.packages = None;
        first
    })
}

macro_rules! package_option_builders {
    () => {
        /// With this repository enabled as well.
        pub fn enable(mut self, repository: impl Into<String>) -> Self {
            self.enable.push(repository.into());
            self
        }

        /// Without this repository.
        pub fn disable(mut self, repository: impl Into<String>) -> Self {
            self.disable.push(repository.into());
            self
        }

        /// Without its services being started.
        pub fn disable_service_start(mut self) -> Self {
            self.disable_service_start = true;
            self
        }

        /// Even if its signature cannot be verified.
        pub fn allow_unsigned(mut self) -> Self {
            self.allow_unsigned = true;
            self
        }

        fn options(&self) -> crate::model::PackageOptions {
            crate::model::PackageOptions {
                enable: self.enable.clone(),
                disable: self.disable.clone(),
                disable_service_start: self.disable_service_start,
                allow_unsigned: self.allow_unsigned,
            }
        }
    };
}
pub(super) use package_option_builders;

#[cfg(test)]
mod tests {
    use super::super::Package;
    use super::super::check::{check, node};
    use expect_test::expect;

    #[test]
    fn what_no_list_has() {
        let unlisted = |age: u64| {
            let mut builder = node().without_package("postgresql-15");
            builder.0.set_unlisted("postgresql-15", age);
            builder
        };
        check(
            Package::install("postgresql-15"),
            unlisted(600),
            expect![[
                r#"error: apt knows no package postgresql-15: none of its lists has it, and they are 10 minutes old; look for its name on this system, declare the package_source that has it before, or fetch new lists with package_manager(action = "update", max_age = 0)"#
            ]],
        );
        // old lists are fetched anew, and may have it then
        check(
            Package::install("postgresql-15"),
            unlisted(86_400),
            expect![[r#"
                may install
                ---
                package_transaction apt --install postgresql-15
            "#]],
        );
        check(Package::remove("postgresql-15"), unlisted(600), expect!["nothing to do"]);
    }
}
