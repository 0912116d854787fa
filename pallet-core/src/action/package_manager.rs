//! Updates the package lists, or upgrades all packages. No-op: the lists are recent enough; an
//! upgrade is decided on the node.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Action, ActionError, Change};
use crate::model::{Capabilities, Known};
use crate::observe::{NodeState, Observation};
use crate::script::{Script, packages};

/// Fetches the package lists, or upgrades all installed packages.
///
/// Example: `package_manager(request, action = "update")`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PackageManager {
    /// What to do.
    #[serde(default)]
    pub action: PackageManagerAction,
    /// Maximum age of the package lists, in seconds, before `update` fetches them again.
    #[serde(default = "a_day")]
    pub max_age: u64,
}

/// What to do with the package manager.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PackageManagerAction {
    /// Fetches its lists of packages, unless they are young.
    #[default]
    Update,
    /// Brings all packages to the newest version that its lists know.
    Upgrade,
}

fn a_day() -> u64 {
    24 * 60 * 60
}

impl PackageManager {
    /// Update the package lists if they are more than a day old.
    pub fn update() -> Self {
        PackageManager { action: PackageManagerAction::Update, max_age: a_day() }
    }

    /// Update the package lists if they are older than this.
    pub fn max_age(mut self, seconds: u64) -> Self {
        self.max_age = seconds;
        self
    }

    /// Upgrade all packages to their newest version.
    pub fn upgrade() -> Self {
        PackageManager { action: PackageManagerAction::Upgrade, max_age: a_day() }
    }
}

impl Action for PackageManager {
    const NAME: &'static str = "package_manager";

    fn subject(&self) -> String {
        match self.action {
            PackageManagerAction::Update => "update".to_owned(),
            PackageManagerAction::Upgrade => "upgrade".to_owned(),
        }
    }

    fn needs(&self, needed: &mut Capabilities) {
        if self.action == PackageManagerAction::Upgrade {
            needed.package("*");
        }
    }

    fn observe(&self, wanted: &mut Observation) {
        wanted.package_lists |= self.action == PackageManagerAction::Update;
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let manager = packages::manager(&node.os)?.as_str();
        if self.action == PackageManagerAction::Upgrade {
            node.forget_what_packages_touch();
            node.forget_package_versions();
            return Ok(Some(Change::may(
                "upgrade all packages",
                Script::new().call(["package_upgrade_all", manager]),
            )));
        }
        let script =
            Script::new().call(["package_lists_update", manager, &self.max_age.to_string()]);
        let change = match node.package_lists_age() {
            Known::Known(Some(age)) if age < self.max_age => return Ok(None),
            Known::Known(Some(age)) => Change::will(
                format!("fetch lists of packages, which are {} old", duration(age)),
                script,
            ),
            Known::Known(None) => Change::will("fetch lists of packages", script),
            Known::Unknown => Change::may("fetch lists of packages", script),
        };
        node.set_package_lists_age(Some(0));
        node.forget_unlisted();
        Ok(Some(change))
    }
}

fn duration(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} seconds"),
        120..7200 => format!("{} minutes", seconds / 60),
        7200..172_800 => format!("{} hours", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{check, node};
    use super::*;
    use crate::model::{self, OsFamily};
    use expect_test::expect;

    #[test]
    fn fetches_lists_that_are_old_or_not_there() {
        check(
            PackageManager::update(),
            node().package_lists_age(Some(200_000)),
            expect![[r#"
                will fetch lists of packages, which are 2 days old
                ---
                package_lists_update apt 86400
            "#]],
        );
        check(
            PackageManager::update().max_age(60),
            node().package_lists_age(None),
            expect![[r#"
                will fetch lists of packages
                ---
                package_lists_update apt 60
            "#]],
        );
    }

    #[test]
    fn leaves_lists_that_are_young() {
        check(
            PackageManager::update(),
            node().package_lists_age(Some(3600)),
            expect!["nothing to do"],
        );
    }

    #[test]
    fn decides_on_the_node_what_is_not_known() {
        check(
            PackageManager::update(),
            node().os("alpine", OsFamily::Alpine, model::PackageManager::Apk),
            expect![[r#"
                may fetch lists of packages
                ---
                package_lists_update apk 86400
            "#]],
        );
        check(
            PackageManager::upgrade(),
            node(),
            expect![[r#"
                may upgrade all packages
                ---
                package_upgrade_all apt
            "#]],
        );
    }
}
