//! Ensures that several packages are installed or not; their names may differ between systems.
//! No-op: they are. They share one transaction.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::package_options::{check_repositories, package_option_builders};
use super::package_plan::{observe_dependencies, plan_packages};
use super::package_spec::{MANAGERS, PackageAction, PackageSpec};
use super::{Action, ActionError, Change, Claims, Workspace};
use crate::model::{self, Capabilities};
use crate::observe::{NodeState, Observation};
use crate::script::packages;

/// Ensures that several packages are installed, or that they are not, in one transaction. Package
/// names may differ between systems: each package manager can have its own list.
///
/// Does nothing if all of them are as declared. Each package is `name` or `name=version`. In the
/// version, epoch and release may be omitted, and it may end with `*`.
///
/// Example: `packages(request, names = ["curl", "git"], apt = ["curl", "git", "libssl-dev"], dnf = ["curl", "git", "openssl-devel"])`
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Packages {
    /// Packages for package managers that have no list of their own.
    #[serde(default)]
    pub names: Vec<String>,
    /// Packages for apt: Debian, Ubuntu and related systems.
    #[serde(default)]
    pub apt: Option<Vec<String>>,
    /// Packages for dnf, and for yum if it has no list of its own: Red Hat, Fedora and related
    /// systems.
    #[serde(default)]
    pub dnf: Option<Vec<String>>,
    /// Packages for yum, and for dnf if it has no list of its own.
    #[serde(default)]
    pub yum: Option<Vec<String>>,
    /// Packages for zypper: SUSE and openSUSE.
    #[serde(default)]
    pub zypper: Option<Vec<String>>,
    /// Packages for pacman: Arch Linux and related systems.
    #[serde(default)]
    pub pacman: Option<Vec<String>>,
    /// Packages for apk: Alpine Linux.
    #[serde(default)]
    pub apk: Option<Vec<String>>,
    /// What to do.
    #[serde(default)]
    pub action: PackageAction,
    /// Additional repositories to use, by name: dnf, yum and zypper. For apt, the one release that
    /// the packages come from; for apk, the one tag.
    #[serde(default)]
    pub enable: Vec<String>,
    /// Repositories not to use, by name: dnf and yum only.
    #[serde(default)]
    pub disable: Vec<String>,
    /// Do not start the services of the packages when they are installed: apt only, because no
    /// other package manager starts services.
    #[serde(default)]
    pub disable_service_start: bool,
    /// Install packages even if their signatures cannot be verified. Not supported for single
    /// packages by pacman.
    #[serde(default)]
    pub allow_unsigned: bool,
}

impl Packages {
    /// Packages with the same names on every system.
    pub fn install(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Packages { names: names.into_iter().map(Into::into).collect(), ..Packages::default() }
    }

    /// Sets the packages for this package manager.
    pub fn of(
        mut self,
        manager: model::PackageManager,
        names: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let list = match manager {
            model::PackageManager::Apt => &mut self.apt,
            model::PackageManager::Dnf => &mut self.dnf,
            model::PackageManager::Yum => &mut self.yum,
            model::PackageManager::Zypper => &mut self.zypper,
            model::PackageManager::Pacman => &mut self.pacman,
            model::PackageManager::Apk => &mut self.apk,
            model::PackageManager::Unknown => return self,
        };
        *list = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Sets what to do with them.
    pub fn action(mut self, action: PackageAction) -> Self {
        self.action = action;
        self
    }

    package_option_builders!();

    fn lists(&self) -> impl Iterator<Item = &Vec<String>> {
        let own = [&self.apt, &self.dnf, &self.yum, &self.zypper, &self.pacman, &self.apk];
        std::iter::once(&self.names).chain(own.into_iter().flatten())
    }

    /// The list of just this package manager.
    fn own(&self, manager: model::PackageManager) -> &Option<Vec<String>> {
        match manager {
            model::PackageManager::Apt => &self.apt,
            model::PackageManager::Dnf => {
                [&self.dnf, &self.yum].into_iter().find(|list| list.is_some()).unwrap_or(&None)
            }
            model::PackageManager::Yum => {
                [&self.yum, &self.dnf].into_iter().find(|list| list.is_some()).unwrap_or(&None)
            }
            model::PackageManager::Zypper => &self.zypper,
            model::PackageManager::Pacman => &self.pacman,
            model::PackageManager::Apk => &self.apk,
            model::PackageManager::Unknown => &None,
        }
    }

    /// The packages for the node's package manager.
    fn list(&self, node: &NodeState) -> Result<&[String], ActionError> {
        let manager = packages::manager(&node.os)?;
        let own = self.own(manager);
        match own {
            Some(list) => Ok(list),
            None if !self.names.is_empty() => Ok(&self.names),
            None => {
                let (os, name) = (&node.os, manager.as_str());
                Err(ActionError::node(format!(
                    "no packages are named for {name}, which this node \
                    ({os}) has; give {name} or names"
                )))
            }
        }
    }
}

impl Action for Packages {
    const NAME: &'static str = "packages";

    fn subject(&self) -> String {
        self.lists().find(|list| !list.is_empty()).map(|list| list.join(" ")).unwrap_or_default()
    }

    fn prepare(&mut self, _workspace: &dyn Workspace) -> Result<(), ActionError> {
        if self.lists().count() == 1 && self.names.is_empty() {
            return Err(ActionError::arguments(
                Self::NAME,
                "there are no packages; give names, or a list for a package manager",
            ));
        }
        self.lists()
            .flatten()
            .try_for_each(|package| PackageSpec::of(package).check(Self::NAME, self.action))?;
        check_repositories(Self::NAME, &self.enable)?;
        check_repositories(Self::NAME, &self.disable)
    }

    fn claims(&self, claims: &mut Claims) {
        for manager in MANAGERS {
            let packages = self.own(manager).as_ref().unwrap_or(&self.names);
            packages
                .iter()
                .for_each(|package| PackageSpec::of(package).claim(claims, manager, self.action));
        }
    }

    fn needs(&self, needed: &mut Capabilities) {
        self.lists().flatten().for_each(|package| needed.package(PackageSpec::of(package).name));
    }

    fn observe(&self, wanted: &mut Observation) {
        // the package manager is only known from the answer
        self.lists().flatten().for_each(|package| wanted.package(PackageSpec::of(package).name));
        let own = [
            (&self.apt, "apt"),
            (&self.dnf, "dnf"),
            (&self.yum, "yum"),
            (&self.zypper, "zypper"),
            (&self.pacman, "pacman"),
            (&self.apk, "apk"),
        ];
        for (list, manager) in own {
            // dnf and yum can use each other's list
            let list = match (list, manager) {
                (None, "dnf") if self.yum.is_some() => continue,
                (None, "yum") => continue,
                (Some(list), _) => list,
                (None, _) => &self.names,
            };
            list.iter().for_each(|package| {
                observe_dependencies(
                    wanted,
                    self.action,
                    &self.options(),
                    manager,
                    PackageSpec::of(package),
                )
            });
        }
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let wanted: Vec<PackageSpec<'_>> =
            self.list(node)?.iter().map(|package| PackageSpec::of(package)).collect();
        plan_packages(node, self.action, &wanted, self.options(), true)
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{check, node};
    use super::*;
    use crate::model::{OsFamily, PackageManager};
    use expect_test::expect;

    fn all() -> Packages {
        Packages::install(["git"])
            .of(PackageManager::Apt, ["git", "libssl-dev=3.0*"])
            .of(PackageManager::Dnf, ["git", "openssl-devel"])
            .of(PackageManager::Zypper, ["git", "libopenssl-devel"])
            .of(PackageManager::Pacman, ["openssl"])
            .of(PackageManager::Apk, ["openssl-dev"])
    }

    #[test]
    fn installs_what_is_missing() {
        check(
            all(),
            node().package("git", "1:2.39").without_package("libssl-dev"),
            expect![[r#"
            will install version 3.0* libssl-dev
            ---
            package_transaction apt --install 'libssl-dev=3.0*'
        "#]],
        );
        check(
            all(),
            node().without_package("git").package("libssl-dev", "1.1.1"),
            expect![[r#"
            will install git, install version 3.0* instead of 1.1.1 libssl-dev
            ---
            package_transaction apt --install git 'libssl-dev=3.0*'
        "#]],
        );
    }

    #[test]
    fn every_package_manager_has_its_own_names() {
        for (id, family, manager, expected) in [
            (
                "rocky",
                OsFamily::RedHat,
                PackageManager::Dnf,
                expect![[r#"
                may install git, install openssl-devel
                ---
                package_transaction dnf --install git openssl-devel
            "#]],
            ),
            (
                "centos",
                OsFamily::RedHat,
                PackageManager::Yum,
                expect![[r#"
                may install git, install openssl-devel
                ---
                package_transaction yum --install git openssl-devel
            "#]],
            ),
            (
                "opensuse-leap",
                OsFamily::Suse,
                PackageManager::Zypper,
                expect![[r#"
                may install git, install libopenssl-devel
                ---
                package_transaction zypper --install git libopenssl-devel
            "#]],
            ),
            (
                "arch",
                OsFamily::Arch,
                PackageManager::Pacman,
                expect![[r#"
                may install openssl
                ---
                package_transaction pacman --install openssl
            "#]],
            ),
            (
                "alpine",
                OsFamily::Alpine,
                PackageManager::Apk,
                expect![[r#"
                may install openssl-dev
                ---
                package_transaction apk --install openssl-dev
            "#]],
            ),
        ] {
            check(all(), node().os(id, family, manager), expected);
        }
        check(
            Packages::install(["git"]).of(PackageManager::Yum, ["git18"]),
            node().os("rocky", OsFamily::RedHat, PackageManager::Dnf),
            expect![[r#"
                may install git18
                ---
                package_transaction dnf --install git18
            "#]],
        );
        check(
            Packages::install(["git"]),
            node().os("arch", OsFamily::Arch, PackageManager::Pacman),
            expect![[r#"
            may install git
            ---
            package_transaction pacman --install git
        "#]],
        );
        // an empty list means that nothing is needed
        check(
            Packages::install(["git"]).of(PackageManager::Apt, [""; 0]),
            node(),
            expect!["nothing to do"],
        );
    }

    #[test]
    fn leaves_what_is_right() {
        check(
            all(),
            node().package("git", "1:2.39").package("libssl-dev", "3.0.11-1"),
            expect!["nothing to do"],
        );
        check(
            Packages::install(["a", "b"]).action(PackageAction::Remove),
            node().without_package("a").removed_package("b"),
            expect!["nothing to do"],
        );
    }

    #[test]
    fn removes() {
        check(
            Packages::install(["a", "b"]).action(PackageAction::Purge),
            node().package("a", "1").removed_package("b"),
            expect![[r#"
                will purge a, purge b
                ---
                package_transaction apt --purge a b
            "#]],
        );
    }

    #[test]
    fn refuses_what_cannot_be() {
        check(
            Packages::default(),
            node(),
            expect![
                "error: packages: there are no packages; give \
            names, or a list for a package manager"
            ],
        );
        check(
            Packages::install(["a;b"]),
            node(),
            expect![[r#"error: packages: "a;b" is not the name of one package"#]],
        );
        check(
            Packages::install(["a=1"]).action(PackageAction::Remove),
            node(),
            expect![[r#"error: packages: the version "1" is only for the action "install""#]],
        );
        check(
            Packages::default().of(PackageManager::Apt, ["git"]),
            node().os("arch", OsFamily::Arch, PackageManager::Pacman),
            expect![
                "error: no packages are named for pacman, which this node (arch 12 (x86_64)) has; \
                 give pacman or names"
            ],
        );
        check(
            Packages::install(["git"]),
            node().os("plan9", OsFamily::Unknown, PackageManager::Unknown),
            expect![
                "error: there is no package manager that Pallet knows on this node, which is plan9 \
                 12 (x86_64); it knows apt, dnf, yum, zypper, pacman and apk"
            ],
        );
        check(
            Packages::install(["git=2"]),
            node().os("arch", OsFamily::Arch, PackageManager::Pacman),
            expect![
                "error: pacman installs only the newest version there is; omit the version of git=2"
            ],
        );
    }
}
