//! Ensures that a package is installed or not. No-op: it is. Neighbouring packages share one
//! transaction of the package manager.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::package_options::{check_repositories, package_option_builders};
use super::package_plan::{observe_dependencies, plan_packages};
pub use super::package_spec::PackageAction;
use super::package_spec::{MANAGERS, PackageSpec};
use super::{Action, ActionError, Certainty, Change, Claims, Workspace};
use crate::model::{self, Capabilities, Known};
use crate::observe::{NodeState, Observation, Reading};
use crate::script::{Script, packages, quote};

/// Ensures that a package is installed, or that it is not installed.
///
/// Does nothing if that is so. Consecutive packages with the same options are installed in one
/// transaction. Configuration files that were changed on the node are kept.
///
/// Example: `package(request, "nginx")`
///
/// Example: `package(request, "nginx", enable = ["bookworm-backports"], disable_service_start = True)`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// Package name, as known by the package manager of the node.
    pub name: String,
    /// Version. Epoch and release may be omitted, and it may end with `*`: `"1.22*"`. Default: any
    /// version.
    #[serde(default)]
    pub version: Option<String>,
    /// What to do.
    #[serde(default)]
    pub action: PackageAction,
    /// Additional repositories to use, by name: dnf, yum and zypper. For apt, the one release that
    /// the package comes from, such as `"bookworm-backports"`; for apk, the one tag.
    #[serde(default)]
    pub enable: Vec<String>,
    /// Repositories not to use, by name: dnf and yum only.
    #[serde(default)]
    pub disable: Vec<String>,
    /// Do not start the services of the package when it is installed: apt only, because no other
    /// package manager starts services.
    #[serde(default)]
    pub disable_service_start: bool,
    /// Install the package even if its signature cannot be verified. Not supported for single
    /// packages by pacman.
    #[serde(default)]
    pub allow_unsigned: bool,
    /// Keep the package at its version when others are upgraded, like `apt-mark hold`. Default:
    /// unchanged. A requested `version` is still installed. apt only.
    #[serde(default)]
    pub hold: Option<bool>,
}

impl Package {
    /// The package must be installed.
    pub fn install(name: impl Into<String>) -> Self {
        Package {
            name: name.into(),
            version: None,
            action: PackageAction::Install,
            enable: Vec::new(),
            disable: Vec::new(),
            disable_service_start: false,
            allow_unsigned: false,
            hold: None,
        }
    }

    /// In this version.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// The package must be installed in its newest version.
    pub fn upgrade(name: impl Into<String>) -> Self {
        Package { action: PackageAction::Upgrade, ..Self::install(name) }
    }

    /// The package must not be installed.
    pub fn remove(name: impl Into<String>) -> Self {
        Package { action: PackageAction::Remove, ..Self::install(name) }
    }

    /// The package must not be installed, and its configuration files must not exist.
    pub fn purge(name: impl Into<String>) -> Self {
        Package { action: PackageAction::Purge, ..Self::install(name) }
    }

    /// Sets whether the package keeps its version when others are upgraded.
    pub fn hold(mut self, hold: bool) -> Self {
        self.hold = Some(hold);
        self
    }

    package_option_builders!();

    /// A command that prints dpkg's selection state of the package.
    fn selection(&self) -> String {
        format!("dpkg-query -W -f '${{db:Status-Want}}' {}", quote(&self.name))
    }

    /// Plans to hold or release the package, after the change of the package itself.
    fn plan_hold(
        &self,
        node: &mut NodeState,
        hold: bool,
        installed: Option<Change>,
    ) -> Result<Option<Change>, ActionError> {
        let manager = packages::manager(&node.os)?;
        if manager != model::PackageManager::Apt {
            let name = manager.as_str();
            return Err(ActionError::node(format!(
                "holding a package is not supported for {name}; omit `hold`"
            )));
        }
        let (word, summary) = if hold { ("yes", "hold") } else { ("no", "release") };
        let certainty = match node.reading(&self.selection()) {
            Known::Known(reading) if (reading.output == "hold") == hold && reading.exit == 0 => {
                None
            }
            // a package that dpkg does not know is not held
            Known::Known(reading) if !hold && reading.exit != 0 => None,
            Known::Known(_) => Some(Certainty::Will),
            Known::Unknown
                if installed.as_ref().is_some_and(|change| change.certainty == Certainty::Will) =>
            {
                Some(Certainty::Will)
            }
            Known::Unknown => Some(Certainty::May),
        };
        if installed.is_none() && certainty.is_none() {
            return Ok(None);
        }
        let output = if hold { "hold" } else { "install" }.to_owned();
        node.set_reading(&self.selection(), Reading { exit: 0, output, of: None });
        let script = Script::new().call(["package_hold", manager.as_str(), &self.name, word]);
        let held = certainty
            .map(|certainty| Change { certainty, ..Change::will(summary, script.clone()) });
        let Some(installed) = installed else { return Ok(held) };
        let version = self.wanted().text();
        let release = Script::new().call(["package_release", manager.as_str(), &version]);
        let script = release.raw(installed.script.as_str()).raw(script.as_str());
        let summary = if certainty.is_some() {
            format!("{}, {summary}", installed.summary)
        } else {
            installed.summary.clone()
        };
        // a held package needs a transaction of its own
        Ok(Some(Change { script, summary, packages: None, ..installed }))
    }

    fn wanted(&self) -> PackageSpec<'_> {
        PackageSpec { name: &self.name, version: self.version.as_deref() }
    }
}

impl Action for Package {
    const NAME: &'static str = "package";

    fn subject(&self) -> String {
        self.name.clone()
    }

    fn prepare(&mut self, _workspace: &dyn Workspace) -> Result<(), ActionError> {
        self.wanted().check(Self::NAME, self.action)?;
        if self.hold.is_some()
            && matches!(self.action, PackageAction::Remove | PackageAction::Purge)
        {
            return Err(ActionError::arguments(
                Self::NAME,
                "hold is for packages that are installed; omit it",
            ));
        }
        check_repositories(Self::NAME, &self.enable)?;
        check_repositories(Self::NAME, &self.disable)
    }

    fn claims(&self, claims: &mut Claims) {
        for manager in MANAGERS {
            self.wanted().claim(claims, manager, self.action);
        }
        self.hold.iter().for_each(|hold| {
            claims.value(
                format!("whether the package {} is held", self.wanted().name),
                "",
                hold.to_string(),
            )
        });
    }

    fn needs(&self, needed: &mut Capabilities) {
        needed.package(&self.name);
    }

    fn observe(&self, wanted: &mut Observation) {
        wanted.package(&self.name);
        if self.hold.is_some() {
            wanted.reading(&self.selection());
        }
        observe_dependencies(wanted, self.action, &self.options(), "", self.wanted());
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let Some(hold) = self.hold else {
            return plan_packages(node, self.action, &[self.wanted()], self.options(), false);
        };
        let was = node.reading(&self.selection()).cloned();
        let change = plan_packages(node, self.action, &[self.wanted()], self.options(), false)?;
        if let Known::Known(was) = was {
            // changing the package does not change its hold, unless it is held at another version
            node.set_reading(&self.selection(), was);
        }
        self.plan_hold(node, hold, change)
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{check, node};
    use super::*;
    use crate::model::{Known, OsFamily, PackageManager};
    use crate::observe::PackageState;
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
        check(
            Package::install("nginx"),
            node().package("nginx", "1.22.1-9"),
            expect!["nothing to do"],
        );
        check(
            Package::install("nginx").version("1.22*"),
            node().package("nginx", "1.22.1-9"),
            expect!["nothing to do"],
        );
        check(
            Package::install("bind").version("9.16.23"),
            node().package("bind", "32:9.16.23-24.el9"),
            expect!["nothing to do"],
        );
        check(
            Package::remove("telnet"),
            node().without_package("telnet"),
            expect!["nothing to do"],
        );
        check(
            Package::remove("telnet"),
            node().removed_package("telnet"),
            expect!["nothing to do"],
        );
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
    fn holds() {
        const ASKED: &str = "dpkg-query -W -f '${db:Status-Want}' nginx";
        let held = || Package::install("nginx").hold(true);
        check(
            held(),
            node().package("nginx", "1.18").reading(ASKED, 0, "install"),
            expect![[r#"
                will hold
                ---
                package_hold apt nginx yes
            "#]],
        );
        check(
            held(),
            node().package("nginx", "1.18").reading(ASKED, 0, "hold"),
            expect!["nothing to do"],
        );
        check(
            held().version("1.22"),
            node().package("nginx", "1.18").reading(ASKED, 0, "hold"),
            expect![[r#"
                will install version 1.22 instead of 1.18
                ---
                package_release apt nginx=1.22
                package_transaction apt --install nginx=1.22
                package_hold apt nginx yes
            "#]],
        );
        check(
            held(),
            node().without_package("nginx").reading(ASKED, 1, ""),
            expect![[r#"
                will install, hold
                ---
                package_release apt nginx
                package_transaction apt --install nginx
                package_hold apt nginx yes
            "#]],
        );
        check(
            Package::install("nginx").hold(false),
            node().package("nginx", "1").reading(ASKED, 0, "install"),
            expect!["nothing to do"],
        );
        check(
            held(),
            node().os("rocky", OsFamily::RedHat, PackageManager::Dnf).package("nginx", "1"),
            expect!["error: holding a package is not supported for dnf; omit `hold`"],
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
        check(
            Package::install("-y"),
            node(),
            expect![[r#"error: package: "-y" is not the name of one package"#]],
        );
        check(
            Package::install("a b"),
            node(),
            expect![[r#"error: package: "a b" is not the name of one package"#]],
        );
        check(
            Package::remove("a").version("1"),
            node(),
            expect![[r#"error: package: the version "1" is only for the action "install""#]],
        );
        check(
            Package::install("nginx"),
            node().os("plan9", OsFamily::Unknown, PackageManager::Unknown),
            expect![
                "error: there is no package manager that Pallet knows on this node, which is \
                plan9 12 (x86_64); it knows apt, dnf, yum, zypper, pacman and apk"
            ],
        );
    }

    #[test]
    fn takes_options_that_the_package_manager_has() {
        let quiet = || Package::install("nginx").disable_service_start().allow_unsigned();
        check(
            quiet().enable("bookworm-backports"),
            node().without_package("nginx"),
            expect![[r#"
                will install
                ---
                package_transaction apt --disable-service-start --allow-unsigned --enable bookworm-backports --install nginx
            "#]],
        );
        check(
            quiet(),
            node().os("rocky", OsFamily::RedHat, PackageManager::Dnf),
            expect!["error: dnf does not start services by itself; omit `disable_service_start`"],
        );
        check(
            Package::install("nginx").enable("epel").disable("base").disable("extras"),
            node().os("centos", OsFamily::RedHat, PackageManager::Yum),
            expect![[r#"
                may install
                ---
                package_transaction yum --enable epel --disable base extras --install nginx
            "#]],
        );
        check(
            Package::install("nginx").enable("--installroot=/"),
            node(),
            expect![[r#"error: package: "--installroot=/" is not the name of a repository"#]],
        );
    }

    #[test]
    fn forgets_what_its_scripts_may_touch() {
        let mut state =
            node().directory("/etc", 0o755).without_package("nginx").package("curl", "7").0;
        Package::install("nginx").plan(&mut state).expect("it can be planned");
        assert_eq!(state.file("/etc"), Known::Unknown);
        assert_eq!(
            state.package("nginx"),
            Known::Known(&PackageState::Installed { version: None })
        );
        assert_eq!(state.package("curl"), Known::Known(&PackageState::Installed { version: None }));
        Package::remove("nginx").plan(&mut state).expect("it can be planned");
        assert_eq!(state.package("curl"), Known::Unknown);
    }
}
