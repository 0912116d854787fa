//! Ensures that a package is installed or not. No-op: it is so. Neighbours become one transaction of the package manager.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Action, ActionError, Certainty, Change, Workspace};
use crate::model::{PackageTransaction, Known, NodeState, Observation, PackageState};
use crate::script::packages;

/// Ensures that a package of the node's package manager is installed, or that it is not.
///
/// Packages that are declared one after the other are installed in one go. Configuration files that were changed on the node are kept.
///
/// Example: `package(request, "nginx")`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// The name, as the node's package manager knows it.
    pub name: String,
    /// The version. It may leave its epoch and its release open, and end with `*`: `"1.22*"`. Left away, any will do.
    #[serde(default)]
    pub version: Option<String>,
    /// What to do.
    #[serde(default)]
    pub action: PackageAction,
}

/// What to do with a package.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PackageAction {
    /// It is installed.
    #[default]
    Install,
    /// It is installed in the newest version that the package manager's lists know; only that can tell whether there is anything to do.
    Upgrade,
    /// It is not installed.
    Remove,
    /// It is not installed, and its configuration files are gone.
    Purge,
}

impl Package {
    /// A package that is installed.
    pub fn install(name: impl Into<String>) -> Self {
        Package { name: name.into(), version: None, action: PackageAction::Install }
    }

    /// In this version.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// A package in its newest version.
    pub fn upgrade(name: impl Into<String>) -> Self {
        Package { action: PackageAction::Upgrade, ..Self::install(name) }
    }

    /// A package that is not installed.
    pub fn remove(name: impl Into<String>) -> Self {
        Package { action: PackageAction::Remove, ..Self::install(name) }
    }

    /// A package that is not installed, without configuration files.
    pub fn purge(name: impl Into<String>) -> Self {
        Package { action: PackageAction::Purge, ..Self::install(name) }
    }

    /// The state to reach.
    fn wanted(&self) -> PackageState {
        match self.action {
            PackageAction::Install | PackageAction::Upgrade => PackageState::Installed { version: self.version.clone() },
            PackageAction::Remove => PackageState::Removed,
            PackageAction::Purge => PackageState::Absent,
        }
    }

    fn transaction(&self) -> PackageTransaction {
        let package = match &self.version {
            Some(version) => format!("{}={version}", self.name),
            None => self.name.clone(),
        };
        let mut transaction = PackageTransaction::default();
        match self.action {
            PackageAction::Install => transaction.install.push(package),
            PackageAction::Upgrade => transaction.upgrade.push(package),
            PackageAction::Remove => transaction.remove.push(package),
            PackageAction::Purge => transaction.purge.push(package),
        }
        transaction
    }
}

impl Action for Package {
    const NAME: &'static str = "package";

    fn subject(&self) -> String {
        self.name.clone()
    }

    fn prepare(&mut self, _workspace: &dyn Workspace) -> Result<(), ActionError> {
        let plain = |text: &str, also: &[u8]| {
            text.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_')
                && !text.ends_with('-')
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || also.contains(&byte))
        };
        if !plain(&self.name, b"+-._:@") {
            return Err(ActionError::arguments(Self::NAME, format!("{:?} is not the name of one package", self.name)));
        }
        match &self.version {
            Some(version) if self.action != PackageAction::Install => {
                Err(ActionError::arguments(Self::NAME, format!("the version {version:?} is only for the action \"install\"")))
            }
            Some(version) if !plain(version, b"+-._:~^*") => {
                Err(ActionError::arguments(Self::NAME, format!("{version:?} is not a version; write it as the package manager does")))
            }
            _ => Ok(()),
        }
    }

    fn observe(&self, wanted: &mut Observation) {
        wanted.package(&self.name);
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let manager = packages::manager(&node.os)?;
        let wanted = self.wanted();
        let current = node.package(&self.name).cloned();
        let upgrade = self.action == PackageAction::Upgrade;
        let certainty = match &current {
            Known::Known(state) if wanted.allows(state) && !upgrade => return Ok(None),
            // which version there is can only be known later
            Known::Known(PackageState::Installed { version: None }) if self.action == PackageAction::Install => Certainty::May,
            Known::Known(PackageState::Installed { .. }) if upgrade => Certainty::May,
            Known::Known(_) => Certainty::Will,
            Known::Unknown => Certainty::May,
        };
        let summary = match (self.action, &current, &self.version) {
            (PackageAction::Install, Known::Known(PackageState::Installed { version: Some(old) }), Some(new)) => {
                format!("install version {new} instead of {old}")
            }
            (PackageAction::Install, _, Some(version)) => format!("install version {version}"),
            (PackageAction::Install, ..) => "install".to_owned(),
            (PackageAction::Upgrade, Known::Known(PackageState::Absent | PackageState::Removed), _) => "install".to_owned(),
            (PackageAction::Upgrade, ..) => "upgrade".to_owned(),
            (PackageAction::Remove, ..) => "remove".to_owned(),
            (PackageAction::Purge, ..) => "purge".to_owned(),
        };
        let transaction = self.transaction();
        let script = packages::transaction(manager, &transaction)?;
        node.forget_what_packages_touch();
        if matches!(self.action, PackageAction::Remove | PackageAction::Purge) {
            node.forget_installed_packages();
        }
        node.forget_package_versions();
        node.set_package(&self.name, wanted);
        Ok(Some(Change { certainty, packages: Some(transaction), ..Change::will(summary, script) }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{check, node};
    use super::*;
    use crate::model::{OsFamily, PackageManager};
    use expect_test::expect;

    #[test]
    fn installs_what_is_missing() {
        check(
            Package::install("nginx"),
            node().without_package("nginx"),
            expect![[r#"
                will install
                ---
                package_transaction apt --install nginx
            "#]],
        );
        check(
            Package::install("nginx").version("1.22.1-9"),
            node().package("nginx", "1.18.0-6"),
            expect![[r#"
                will install version 1.22.1-9 instead of 1.18.0-6
                ---
                package_transaction apt --install nginx=1.22.1-9
            "#]],
        );
    }

    #[test]
    fn leaves_what_is_right() {
        check(Package::install("nginx"), node().package("nginx", "1.22.1-9"), expect!["nothing to do"]);
        check(Package::install("nginx").version("1.22*"), node().package("nginx", "1.22.1-9"), expect!["nothing to do"]);
        check(Package::install("bind").version("9.16.23"), node().package("bind", "32:9.16.23-24.el9"), expect!["nothing to do"]);
        check(Package::remove("telnet"), node().without_package("telnet"), expect!["nothing to do"]);
        check(Package::remove("telnet"), node().removed_package("telnet"), expect!["nothing to do"]);
        check(Package::purge("telnet"), node().without_package("telnet"), expect!["nothing to do"]);
    }

    #[test]
    fn removes() {
        check(
            Package::purge("telnet"),
            node().removed_package("telnet"),
            expect![[r#"
                will purge
                ---
                package_transaction apt --purge telnet
            "#]],
        );
        check(
            Package::remove("telnet"),
            node().package("telnet", "0.17"),
            expect![[r#"
                will remove
                ---
                package_transaction apt --remove telnet
            "#]],
        );
    }

    #[test]
    fn decides_on_the_node_what_is_not_known() {
        check(
            Package::install("nginx"),
            node().os("rocky", OsFamily::RedHat, PackageManager::Dnf),
            expect![[r#"
                may install
                ---
                package_transaction dnf --install nginx
            "#]],
        );
        check(
            Package::upgrade("openssl"),
            node().package("openssl", "3.0.11"),
            expect![[r#"
                may upgrade
                ---
                package_transaction apt --upgrade openssl
            "#]],
        );
    }

    #[test]
    fn refuses_what_no_package_is_called() {
        check(Package::install("-y"), node(), expect![[r#"error: package: "-y" is not the name of one package"#]]);
        check(Package::install("a b"), node(), expect![[r#"error: package: "a b" is not the name of one package"#]]);
        check(
            Package::remove("a").version("1"),
            node(),
            expect![[r#"error: package: the version "1" is only for the action "install""#]],
        );
        check(
            Package::install("nginx"),
            node().os("plan9", OsFamily::Unknown, PackageManager::Unknown),
            expect!["error: there is no package manager that Pallet knows on this node, which is plan9 12 (x86_64); it knows apt, dnf, yum, zypper, pacman and apk"],
        );
    }

    #[test]
    fn forgets_what_its_scripts_may_touch() {
        let mut state = node().directory("/etc", 0o755).without_package("nginx").package("curl", "7").0;
        Package::install("nginx").plan(&mut state).expect("it can be planned");
        assert_eq!(state.file("/etc"), Known::Unknown);
        assert_eq!(state.package("nginx"), Known::Known(&PackageState::Installed { version: None }));
        assert_eq!(state.package("curl"), Known::Known(&PackageState::Installed { version: None }));
        Package::remove("nginx").plan(&mut state).expect("it can be planned");
        assert_eq!(state.package("curl"), Known::Unknown);
    }
}
