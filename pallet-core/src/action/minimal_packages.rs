//! Ensures the packages that everything else needs. No-op: they are installed, and the package
//! lists are recent.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::change::joined;
use super::package_plan::{observe_dependencies, plan_packages};
use super::package_spec::{MANAGERS, PackageAction, PackageSpec};
use super::{Action, ActionError, Change, Claims, PackageManager, Workspace};
use crate::model::{Capabilities, Known, OsFamily, PackageOptions};
use crate::observe::{FileState, NodeState, Observation};
use crate::script::{Script, packages};

/// Ensures the few packages that everything else needs.
///
/// They are coreutils and sudo on Debian-family systems; sudo on Arch Linux, with the package
/// manager's database upgraded to the newest format. Other systems already have what is needed.
///
/// Does nothing if they are installed. On Debian and Arch, it also fetches the package lists if
/// they are a day old, which a new node needs first.
///
/// Example: `minimal_packages(request, names = ["ca-certificates"])`
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MinimalPackages {
    /// Additional packages, on every system.
    #[serde(default)]
    pub names: Vec<String>,
}

/// The file with pacman's database version, and the newest version.
const DATABASE: &str = "/var/lib/pacman/local/ALPM_DB_VERSION";
const NEWEST: &str = "9";

impl MinimalPackages {
    /// The packages that the system needs.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a package.
    pub fn also(mut self, name: impl Into<String>) -> Self {
        self.names.push(name.into());
        self
    }
}

/// The packages that a system of this family needs.
fn needed(family: OsFamily) -> &'static [&'static str] {
    match family {
        OsFamily::Debian => &["coreutils", "sudo"],
        OsFamily::Arch => &["sudo"],
        _ => &[],
    }
}

impl Action for MinimalPackages {
    const NAME: &'static str = "minimal_packages";

    fn subject(&self) -> String {
        self.names.join(" ")
    }

    fn prepare(&mut self, _workspace: &dyn Workspace) -> Result<(), ActionError> {
        self.names
            .iter()
            .try_for_each(|name| PackageSpec::of(name).check(Self::NAME, PackageAction::Install))
    }

    fn claims(&self, claims: &mut Claims) {
        for manager in MANAGERS {
            self.names.iter().for_each(|name| {
                PackageSpec::of(name).claim(claims, manager, PackageAction::Install)
            });
        }
    }

    fn needs(&self, needed: &mut Capabilities) {
        needed.package("*");
    }

    fn observe(&self, wanted: &mut Observation) {
        let own = [OsFamily::Debian, OsFamily::Arch].into_iter().flat_map(needed);
        own.for_each(|name| wanted.package(name));
        self.names.iter().for_each(|name| wanted.package(PackageSpec::of(name).name));
        for (family, manager) in [(OsFamily::Debian, "apt"), (OsFamily::Arch, "pacman")] {
            let names = needed(family).iter().copied().chain(self.names.iter().map(String::as_str));
            let options = PackageOptions::default();
            names.for_each(|name| {
                observe_dependencies(
                    wanted,
                    PackageAction::Install,
                    &options,
                    manager,
                    PackageSpec::of(name),
                )
            });
        }
        PackageManager::update().observe(wanted);
        wanted.text(DATABASE);
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        packages::manager(&node.os)?;
        let family = node.os.family;
        let lists = match family {
            OsFamily::Debian | OsFamily::Arch => PackageManager::update().plan(node)?,
            _ => None,
        };
        let database = if family == OsFamily::Arch { database(node) } else { None };
        let names = needed(family).iter().copied().chain(self.names.iter().map(String::as_str));
        let wanted: Vec<PackageSpec<'_>> = names.map(PackageSpec::of).collect();
        let packages =
            plan_packages(node, PackageAction::Install, &wanted, PackageOptions::default(), true)?;
        Ok(joined([lists, database, packages]))
    }
}

/// Upgrades pacman's database to the newest format.
fn database(node: &mut NodeState) -> Option<Change> {
    let script = Script::new().call(["pacman_database", NEWEST]);
    let change = match node.file(DATABASE) {
        Known::Known(FileState::File { text: Some(text), .. }) if text.trim_end() == NEWEST => {
            return None;
        }
        // an empty database has no version file
        Known::Known(FileState::Absent) => return None,
        Known::Known(_) => Change::will("bring the database of pacman to its newest form", script),
        Known::Unknown => Change::may("bring the database of pacman to its newest form", script),
    };
    node.forget_files_below(DATABASE);
    Some(change)
}

#[cfg(test)]
mod tests {
    use super::super::check::{check, node};
    use super::*;
    use crate::model;
    use expect_test::expect;

    #[test]
    fn installs_what_is_missing() {
        let node = || node().package("coreutils", "9.1").without_package("sudo");
        check(
            MinimalPackages::new(),
            node().package_lists_age(None),
            expect![[r#"
            will fetch lists of packages, install sudo
            ---
            package_lists_update apt 86400
            package_transaction apt --install sudo
        "#]],
        );
        check(
            MinimalPackages::new().also("jq"),
            node().package_lists_age(Some(10)).without_package("jq"),
            expect![[r#"
            will install sudo, install jq
            ---
            package_transaction apt --install sudo jq
        "#]],
        );
    }

    #[test]
    fn leaves_what_is_right() {
        let young = || node().package_lists_age(Some(10)).package("sudo", "1.9");
        check(
            MinimalPackages::new(),
            young().package("coreutils", "9.1"),
            expect!["nothing to do"],
        );
        let arch = || young().os("arch", OsFamily::Arch, model::PackageManager::Pacman);
        check(
            MinimalPackages::new(),
            arch().file(DATABASE, "9\n", 0o644),
            expect!["nothing to do"],
        );
        check(
            MinimalPackages::new(),
            arch().file(DATABASE, "8\n", 0o644),
            expect![[r#"
            will bring the database of pacman to its newest form
            ---
            pacman_database 9
        "#]],
        );
    }

    #[test]
    fn every_system_is_told_apart() {
        use model::PackageManager::{Apk, Dnf, Pacman, Unknown, Yum, Zypper};
        for (id, family, manager, expected) in [
            (
                "arch",
                OsFamily::Arch,
                Pacman,
                expect![[r#"
                may fetch lists of packages, bring the database of pacman to its newest form, install sudo
                ---
                package_lists_update pacman 86400
                pacman_database 9
                package_transaction pacman --install sudo
            "#]],
            ),
            ("rocky", OsFamily::RedHat, Dnf, expect!["nothing to do"]),
            ("centos", OsFamily::RedHat, Yum, expect!["nothing to do"]),
            ("opensuse-leap", OsFamily::Suse, Zypper, expect!["nothing to do"]),
            ("alpine", OsFamily::Alpine, Apk, expect!["nothing to do"]),
            (
                "plan9",
                OsFamily::Unknown,
                Unknown,
                expect![
                    "error: there is no package manager that \
                Pallet knows on this node, which is plan9 12 (x86_64); it knows apt, dnf, yum, \
                zypper, pacman and apk"
                ],
            ),
        ] {
            check(MinimalPackages::new(), node().os(id, family, manager), expected);
        }
        check(
            MinimalPackages::new().also("jq"),
            node().os("rocky", OsFamily::RedHat, Dnf),
            expect![[r#"
            may install jq
            ---
            package_transaction dnf --install jq
        "#]],
        );
        check(
            MinimalPackages::new().also("-y"),
            node(),
            expect![[r#"error: minimal_packages: "-y" is not the name of one package"#]],
        );
    }
}
