//! A package that an action names, and its planning.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ActionError, Certainty, Claims};
use crate::model::{Known, PackageManager};
use crate::observe::{NodeState, PackageState};

/// The supported package managers.
pub(super) const MANAGERS: [PackageManager; 6] = [
    PackageManager::Apt,
    PackageManager::Dnf,
    PackageManager::Yum,
    PackageManager::Zypper,
    PackageManager::Pacman,
    PackageManager::Apk,
];

/// A day in seconds.
const DAY: u64 = 86_400;

/// What to do with a package.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PackageAction {
    /// It is installed.
    #[default]
    Install,
    /// It is installed in the newest version that the package manager's lists know; only that can
    /// tell whether there is anything to do.
    Upgrade,
    /// It is not installed.
    Remove,
    /// It is not installed, and its configuration files are gone.
    Purge,
}

/// A package of an action.
#[derive(Debug, Clone, Copy)]
pub(super) struct PackageSpec<'a> {
    pub(super) name: &'a str,
    pub(super) version: Option<&'a str>,
}

impl<'a> PackageSpec<'a> {
    /// Parses `name` or `name=version`.
    pub(super) fn of(text: &'a str) -> Self {
        match text.split_once('=') {
            Some((name, version)) => PackageSpec { name, version: Some(version) },
            None => PackageSpec { name: text, version: None },
        }
    }

    /// `name` or `name=version`.
    pub(super) fn text(self) -> String {
        self.version
            .map_or_else(|| self.name.to_owned(), |version| format!("{}={version}", self.name))
    }

    /// Refuses an invalid package.
    pub(super) fn check(self, caller: &str, action: PackageAction) -> Result<(), ActionError> {
        if !plain(self.name, b"+-._:@") {
            return Err(ActionError::arguments(
                caller,
                format!("{:?} is not the name of one package", self.name),
            ));
        }
        match self.version {
            Some(version) if action != PackageAction::Install => Err(ActionError::arguments(
                caller,
                format!("the version {version:?} is only for the action \"install\""),
            )),
            Some(version) if !plain(version, b"+-._:~^*") => Err(ActionError::arguments(
                caller,
                format!("{version:?} is not a version; write it as the package manager does"),
            )),
            _ => Ok(()),
        }
    }

    /// Claims this state of the package, if the node has this package manager.
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

    pub(super) fn state(self, action: PackageAction) -> PackageState {
        match action {
            PackageAction::Install | PackageAction::Upgrade => {
                PackageState::Installed { version: self.version.map(str::to_owned) }
            }
            PackageAction::Remove => PackageState::Removed,
            PackageAction::Purge => PackageState::Absent,
        }
    }

    /// How certain a change is, and the current state; `None`: nothing to do.
    pub(super) fn need(
        self,
        node: &NodeState,
        action: PackageAction,
    ) -> Option<(Certainty, Known<PackageState>)> {
        let current = node.package(self.name).cloned();
        let upgrade = action == PackageAction::Upgrade;
        let certainty = match &current {
            Known::Known(state) if self.state(action).allows(state) && !upgrade => return None,
            // the installed version is not known until later
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

    /// Refuses a package that is in no package list if the lists are less than a day old:
    /// installing it would fail. Older lists are fetched again if a package is missing, and only
    /// may have it then; in that case, returns `false`.
    pub(super) fn is_listed(
        self,
        node: &NodeState,
        manager: PackageManager,
    ) -> Result<bool, ActionError> {
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

    /// The change in words.
    pub(super) fn summary(self, action: PackageAction, current: &Known<PackageState>) -> String {
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

pub(super) fn plain(text: &str, also: &[u8]) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_')
        && !text.ends_with('-')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || also.contains(&byte))
}
