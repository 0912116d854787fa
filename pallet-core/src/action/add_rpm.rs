//! Ensures that a package is installed, from a file. No-op: a package with this name is installed.

use super::package_file::{FileArguments, PackageFile, package_file_action};
use super::package_spec::{PackageAction, PackageSpec};
use super::{Action, ActionError, Change, Claims, Workspace};
use crate::model::{Capabilities, PackageManager};
use crate::observe::{NodeState, Observation};
use crate::script::packages;

package_file_action! {
    /// Ensures that a package is installed from an RPM file.
    ///
    /// For Red Hat, Fedora, SUSE and related systems. Does nothing if any version of the package is
    /// installed. The package manager installs the file and downloads its dependencies. The file
    /// itself needs no signature.
    ///
    /// Example: `add_rpm(request, "demo", url = "https://example.com/demo-1.2.rpm", sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")`
    AddRpm, "add_rpm", "rpm", [Dnf, Yum, Zypper], packages::require_rpm
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
                "error: add_rpm: give sha256 with url: what is installed must be what was meant"
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
            expect!["error: add_rpm: give exactly one of local_file, url and remote_file"],
        );
        check(
            AddRpm::remote_file("demo", "x"),
            node(),
            expect![[r#"error: add_rpm: the path "x" is not absolute; write it from /"#]],
        );
        check(AddRpm::local_file("demo", "x"), node(), expect!["error: there is no file x"]);
    }
}
