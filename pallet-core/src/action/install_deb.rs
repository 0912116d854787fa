//! Ensures that a package is installed, from a file. No-op: a package with this name is installed.

use super::package_file::{FileArguments, PackageFile, package_file_action};
use super::package_spec::{PackageAction, PackageSpec};
use super::{Action, ActionError, Change, Claims, Workspace};
use crate::model::{Capabilities, PackageManager};
use crate::observe::{NodeState, Observation};
use crate::script::packages;

package_file_action! {
    /// Ensures that a package is installed from a Debian package file.
    ///
    /// For Debian, Ubuntu and related systems. Does nothing if any version of the package is
    /// installed. The package manager installs the file and downloads its dependencies. The file
    /// itself needs no signature.
    ///
    /// Example: `install_deb(request, "demo", url = "https://example.com/demo-1.2.deb", sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")`
    InstallDeb, "install_deb", "deb", [Apt], packages::require_apt
}

#[cfg(test)]
mod tests {
    use super::super::check::{check, node};
    use super::*;
    use crate::model::{OsFamily, PackageManager};
    use expect_test::expect;

    const DIGEST: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    fn demo() -> InstallDeb {
        InstallDeb::url("demo", "https://example.com/demo.deb", DIGEST)
    }

    #[test]
    fn installs_what_is_missing() {
        let node = || node();
        check(
            demo(),
            node().without_package("demo"),
            expect![[r#"
            will install from https://example.com/demo.deb
            ---
            content() {
            download "$1" https://example.com/demo.deb https://example.com/demo.deb '' '' ''
            has_checksum "$1" https://example.com/demo.deb sha256sum 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
            }
            package_file apt demo deb
        "#]],
        );
        check(
            InstallDeb::remote_file("demo", "/srv/demo.deb"),
            node(),
            expect![[r#"
            may install from /srv/demo.deb
            ---
            content() { cat -- /srv/demo.deb; }
            package_file apt demo deb
        "#]],
        );
    }

    #[test]
    fn leaves_what_is_right() {
        check(demo(), node().package("demo", "0.9"), expect!["nothing to do"]);
    }

    #[test]
    fn every_system_is_told_apart() {
        for (id, family, manager, expected) in [
            (
                "debian",
                OsFamily::Debian,
                PackageManager::Apt,
                expect![[r#"
                may install from https://example.com/demo.deb
                ---
                content() {
                download "$1" https://example.com/demo.deb https://example.com/demo.deb '' '' ''
                has_checksum "$1" https://example.com/demo.deb sha256sum 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
                }
                package_file apt demo deb
            "#]],
            ),
            (
                "centos",
                OsFamily::RedHat,
                PackageManager::Yum,
                expect![
                    "error: install_deb is for \
                Debian-family systems; this node is centos 12 (x86_64), with yum"
                ],
            ),
            (
                "opensuse-leap",
                OsFamily::Suse,
                PackageManager::Zypper,
                expect![
                    "error: install_deb \
                is for Debian-family systems; this node is opensuse-leap 12 (x86_64), with zypper"
                ],
            ),
            (
                "arch",
                OsFamily::Arch,
                PackageManager::Pacman,
                expect![
                    "error: install_deb is for \
                Debian-family systems; this node is arch 12 (x86_64), with pacman"
                ],
            ),
            (
                "alpine",
                OsFamily::Alpine,
                PackageManager::Apk,
                expect![
                    "error: install_deb is for \
                Debian-family systems; this node is alpine 12 (x86_64), with apk"
                ],
            ),
            (
                "plan9",
                OsFamily::Unknown,
                PackageManager::Unknown,
                expect![
                    "error: install_deb is \
                for Debian-family systems; this node is plan9 12 (x86_64), with none of apt, dnf, \
                yum, zypper, pacman and apk"
                ],
            ),
        ] {
            check(demo(), node().os(id, family, manager), expected);
        }
    }

    #[test]
    fn refuses_what_cannot_be() {
        check(
            InstallDeb { sha256: None, ..demo() },
            node(),
            expect![
                "error: install_deb: give sha256 with url: what is installed must be what was meant"
            ],
        );
        check(
            InstallDeb { name: "-x".into(), ..demo() },
            node(),
            expect![[r#"error: install_deb: "-x" is not the name of one package"#]],
        );
        check(
            InstallDeb { remote_file: Some("/x".into()), ..demo() },
            node(),
            expect!["error: install_deb: give exactly one of local_file, url and remote_file"],
        );
        check(
            InstallDeb::remote_file("demo", "x"),
            node(),
            expect![[r#"error: install_deb: the path "x" is not absolute; write it from /"#]],
        );
        check(InstallDeb::local_file("demo", "x"), node(), expect!["error: there is no file x"]);
    }
}
