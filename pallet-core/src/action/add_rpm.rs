//! Ensures that a package is installed, from a file. No-op: a package of that name is installed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::package::PackageAction;
use super::package_file::{PackageFile, package_file_builders};
use super::package_support::Wanted;
use super::{Action, ActionError, Change, Claims, Workspace};
use crate::model::{Capabilities, NodeState, Observation, PackageManager};
use crate::script::packages;

/// Ensures that a package is installed, from a file of rpm: on Red Hat, Fedora, SUSE and their kin.
///
/// It does nothing if a package of that name is installed, in any version. The package manager
/// installs the file, and fetches what it depends on. The file itself needs no signature.
///
/// Example: `add_rpm(request, "demo", url = "https://example.com/demo-1.2.rpm", sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")`
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddRpm {
    /// The name of the package.
    pub name: String,
    /// A file of the project.
    #[serde(default)]
    pub local_file: Option<String>,
    /// Where the node fetches the file; it needs `sha256`.
    #[serde(default)]
    pub url: Option<String>,
    /// The SHA-256 digest that the content of `url` must have, in hexadecimal.
    #[serde(default)]
    pub sha256: Option<String>,
    /// The absolute path of a file of the node.
    #[serde(default)]
    pub remote_file: Option<String>,
    #[serde(skip)]
    file: Option<PackageFile>,
}

impl AddRpm {
    package_file_builders!();
}

impl Action for AddRpm {
    const NAME: &'static str = "add_rpm";

    fn subject(&self) -> String {
        self.name.clone()
    }

    fn prepare(&mut self, workspace: &dyn Workspace) -> Result<(), ActionError> {
        self.file = Some(self.arguments().check(Self::NAME, workspace)?);
        Ok(())
    }

    fn claims(&self, claims: &mut Claims) {
        for manager in [PackageManager::Dnf, PackageManager::Yum, PackageManager::Zypper] {
            Wanted::of(&self.name).claim(claims, manager, PackageAction::Install);
        }
    }

    fn needs(&self, needed: &mut Capabilities) {
        self.arguments().needs(needed);
    }

    fn observe(&self, wanted: &mut Observation) {
        wanted.package(&self.name);
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let manager = packages::require_rpm(&node.os, Self::NAME)?;
        Ok(self.file()?.plan(node, manager.as_str(), &self.name, "rpm"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{check, node};
    use super::*;
    use crate::model::{OsFamily, PackageManager};
    use expect_test::expect;

    const DIGEST: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    fn demo() -> AddRpm {
        AddRpm::url("demo", "https://example.com/demo.rpm", DIGEST)
    }

    #[test]
    fn installs_what_is_missing() {
        let node = || node().os("rocky", OsFamily::RedHat, PackageManager::Dnf);
        check(
            demo(),
            node().without_package("demo"),
            expect![[r#"
            will install from https://example.com/demo.rpm
            ---
            content() {
            download "$1" https://example.com/demo.rpm https://example.com/demo.rpm '' '' ''
            has_checksum "$1" https://example.com/demo.rpm sha256sum 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
            }
            package_file dnf demo rpm
        "#]],
        );
        check(
            AddRpm::remote_file("demo", "/srv/demo.rpm"),
            node(),
            expect![[r#"
            may install from /srv/demo.rpm
            ---
            content() { cat -- /srv/demo.rpm; }
            package_file dnf demo rpm
        "#]],
        );
    }

    #[test]
    fn leaves_what_is_right() {
        check(
            demo(),
            node().os("rocky", OsFamily::RedHat, PackageManager::Dnf).package("demo", "0.9"),
            expect!["nothing to do"],
        );
    }

    #[test]
    fn every_system_is_told_apart() {
        for (id, family, manager, expected) in [
            (
                "debian",
                OsFamily::Debian,
                PackageManager::Apt,
                expect![
                    "error: add_rpm is for dnf, \
                yum and zypper; this node is debian 12 (x86_64), with apt"
                ],
            ),
            (
                "centos",
                OsFamily::RedHat,
                PackageManager::Yum,
                expect![[r#"
                may install from https://example.com/demo.rpm
                ---
                content() {
                download "$1" https://example.com/demo.rpm https://example.com/demo.rpm '' '' ''
                has_checksum "$1" https://example.com/demo.rpm sha256sum 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
                }
                package_file yum demo rpm
            "#]],
            ),
            (
                "opensuse-leap",
                OsFamily::Suse,
                PackageManager::Zypper,
                expect![[r#"
                may install from https://example.com/demo.rpm
                ---
                content() {
                download "$1" https://example.com/demo.rpm https://example.com/demo.rpm '' '' ''
                has_checksum "$1" https://example.com/demo.rpm sha256sum 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
                }
                package_file zypper demo rpm
            "#]],
            ),
            (
                "arch",
                OsFamily::Arch,
                PackageManager::Pacman,
                expect![
                    "error: add_rpm is for dnf, \
                yum and zypper; this node is arch 12 (x86_64), with pacman"
                ],
            ),
            (
                "alpine",
                OsFamily::Alpine,
                PackageManager::Apk,
                expect![
                    "error: add_rpm is for dnf, \
                yum and zypper; this node is alpine 12 (x86_64), with apk"
                ],
            ),
            (
                "plan9",
                OsFamily::Unknown,
                PackageManager::Unknown,
                expect![
                    "error: add_rpm is for \
                dnf, yum and zypper; this node is plan9 12 (x86_64), with none of apt, dnf, yum, \
                zypper, pacman and apk"
                ],
            ),
        ] {
            check(demo(), node().os(id, family, manager), expected);
        }
    }

    #[test]
    fn refuses_what_cannot_be() {
        check(
            AddRpm { sha256: None, ..demo() },
            node(),
            expect![
                "error: add_rpm: give sha256 with \
            url: what is installed must be what was meant"
            ],
        );
        check(
            AddRpm { name: "-x".into(), ..demo() },
            node(),
            expect![[r#"error: add_rpm: "-x" is not the name of one package"#]],
        );
        check(
            AddRpm { remote_file: Some("/x".into()), ..demo() },
            node(),
            expect![
                "error: \
            add_rpm: give exactly one of local_file, url and remote_file"
            ],
        );
        check(
            AddRpm::remote_file("demo", "x"),
            node(),
            expect![[r#"error: add_rpm: the path "x" is not absolute; write it from /"#]],
        );
        check(AddRpm::local_file("demo", "x"), node(), expect!["error: there is no file x"]);
    }
}
