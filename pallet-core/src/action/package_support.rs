//! What the actions on packages share.

use std::path::{Path, PathBuf};

use super::package::PackageAction;
use super::{Action, ActionError, Certainty, Change, RemoteFile, Workspace};
use crate::model::{Known, NodeState, PackageOptions, PackageState, PackageTransaction};
use crate::script::{Script, packages};

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

    /// Refuses what cannot be a package.
    pub(super) fn check(self, caller: &str, action: PackageAction) -> Result<(), ActionError> {
        if !plain(self.name, b"+-._:@") {
            return Err(ActionError::arguments(caller, format!("{:?} is not the name of one package", self.name)));
        }
        match self.version {
            Some(version) if action != PackageAction::Install => {
                Err(ActionError::arguments(caller, format!("the version {version:?} is only for the action \"install\"")))
            }
            Some(version) if !plain(version, b"+-._:~^*") => {
                Err(ActionError::arguments(caller, format!("{version:?} is not a version; write it as the package manager does")))
            }
            _ => Ok(()),
        }
    }

    fn state(self, action: PackageAction) -> PackageState {
        match action {
            PackageAction::Install | PackageAction::Upgrade => PackageState::Installed { version: self.version.map(str::to_owned) },
            PackageAction::Remove => PackageState::Removed,
            PackageAction::Purge => PackageState::Absent,
        }
    }

    /// What there is to do, and what is known of it now; `None`: nothing.
    fn need(self, node: &NodeState, action: PackageAction) -> Option<(Certainty, Known<PackageState>)> {
        let current = node.package(self.name).cloned();
        let upgrade = action == PackageAction::Upgrade;
        let certainty = match &current {
            Known::Known(state) if self.state(action).allows(state) && !upgrade => return None,
            // which version there is can only be known later
            Known::Known(PackageState::Installed { version: None }) if action == PackageAction::Install => Certainty::May,
            Known::Known(PackageState::Installed { .. }) if upgrade => Certainty::May,
            Known::Known(_) => Certainty::Will,
            Known::Unknown => Certainty::May,
        };
        Some((certainty, current))
    }

    /// What is done, in words.
    fn summary(self, action: PackageAction, current: &Known<PackageState>) -> String {
        match (action, current, self.version) {
            (PackageAction::Install, Known::Known(PackageState::Installed { version: Some(old) }), Some(new)) => {
                format!("install version {new} instead of {old}")
            }
            (PackageAction::Install, _, Some(version)) => format!("install version {version}"),
            (PackageAction::Install, ..) => "install".to_owned(),
            (PackageAction::Upgrade, Known::Known(PackageState::Absent | PackageState::Removed), _) => "install".to_owned(),
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
        Some(name) => Err(ActionError::arguments(caller, format!("{name:?} is not the name of a repository"))),
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
        if of_this == Certainty::Will {
            certainty = Certainty::Will;
        }
        let text = package.version.map_or_else(|| package.name.to_owned(), |version| format!("{}={version}", package.name));
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
    packages_change(node);
    if matches!(action, PackageAction::Remove | PackageAction::Purge) {
        node.forget_installed_packages();
    }
    for package in needed {
        node.set_package(package.name, package.state(action));
    }
    Ok(Some(Change { certainty, packages: Some(transaction), ..Change::will(summaries.join(", "), script) }))
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
    fn render(&self, name: &str, _template: &str, _values: &serde_json::Value) -> Result<String, ActionError> {
        Err(ActionError::node(format!("the template {name} cannot be rendered here")))
    }
}

/// One change that makes all of these, in order. What was changed by hand is reported only where nothing else is to be done.
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
