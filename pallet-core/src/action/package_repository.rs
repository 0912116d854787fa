//! Ensures a well-known package repository. No-op: the node has it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::package_plan::plan_packages;
use super::package_source::AptSource;
use super::package_spec::{PackageAction, PackageSpec};
use super::workspace::NoWorkspace;
use super::{Action, ActionError, Change, PackageSource, Workspace};
use crate::model::{Capabilities, Os, OsFamily, PackageOptions};
use crate::observe::{NodeState, Observation};
use crate::script::{Script, packages};

/// Ensures that the node has a well-known package repository.
///
/// These are `epel` on Rocky Linux, AlmaLinux, CentOS and Oracle Linux, by installing its package;
/// `backports` on Debian, as a source of that name.
///
/// Does nothing if the node has it. To install a package from backports, enable that release:
/// `package(request, "git", enable = ["bookworm-backports"])`.
///
/// Example: `package_repository(request, "epel")`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PackageRepository {
    /// Name of the repository: `epel` or `backports`.
    pub id: String,
}

impl PackageRepository {
    /// The repository with this name.
    pub fn new(id: impl Into<String>) -> Self {
        PackageRepository { id: id.into() }
    }

    fn backports(release: &str) -> Result<PackageSource, ActionError> {
        let mut source = PackageSource::new("backports").apt(AptSource {
            url: "http://deb.debian.org/debian".into(),
            release: Some(format!("{release}-backports")),
            signed_by: Some("/usr/share/keyrings/debian-archive-keyring.gpg".into()),
            ..AptSource::default()
        });
        Action::prepare(&mut source, &NoWorkspace)?;
        Ok(source)
    }
}

/// The package that adds EPEL.
fn epel(os: &Os) -> Option<String> {
    match os.id.as_str() {
        "rocky" | "almalinux" | "centos" => Some("epel-release".to_owned()),
        "ol" => os
            .version
            .split('.')
            .next()
            .filter(|major| !major.is_empty())
            .map(|major| format!("oracle-epel-release-el{major}")),
        _ => None,
    }
}

impl Action for PackageRepository {
    const NAME: &'static str = "package_repository";

    fn subject(&self) -> String {
        self.id.clone()
    }

    fn prepare(&mut self, _workspace: &dyn Workspace) -> Result<(), ActionError> {
        match self.id.as_str() {
            "epel" | "backports" => Ok(()),
            id => Err(ActionError::arguments(
                Self::NAME,
                format!("{id:?} is not one of \"epel\", \"backports\"; use package_source"),
            )),
        }
    }

    fn needs(&self, needed: &mut Capabilities) {
        needed.package(&self.id);
    }

    fn observe(&self, wanted: &mut Observation) {
        match self.id.as_str() {
            "epel" => {
                wanted.package("epel-release");
                ["8", "9", "10"]
                    .iter()
                    .for_each(|major| wanted.package(&format!("oracle-epel-release-el{major}")));
            }
            // the release is only known from the answer, so ask for a file that will certainly
            // differ
            _ => Self::backports("?").iter().for_each(|source| source.observe(wanted)),
        }
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        packages::manager(&node.os)?;
        let os = node.os.clone();
        let unknown = || {
            ActionError::node(format!(
                "it is not known how to bring {} to this node, \
            which is {os}; use package_source or add_rpm",
                self.id
            ))
        };
        if self.id == "epel" {
            let package =
                epel(&os).filter(|_| os.family == OsFamily::RedHat).ok_or_else(unknown)?;
            let change = plan_packages(
                node,
                PackageAction::Install,
                &[PackageSpec::of(&package)],
                PackageOptions::default(),
                true,
            )?;
            return Ok(change.map(|change| {
                node.set_package_lists_age(None);
                node.forget_coming_packages();
                let script = Script::new()
                    .raw(change.script.as_str())
                    .raw("if [ -n \"$change\" ]; then package_sources_changed; fi");
                // later packages need this repository, so it cannot share their transaction
                Change { script, packages: None, ..change }
            }));
        }
        // backports of older releases were moved to the archive
        let release = packages::codename(&os)
            .filter(|release| os.id == "debian" && !["buster", "bullseye"].contains(release));
        Self::backports(release.ok_or_else(unknown)?)?.plan(node)
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{check, node};
    use super::*;
    use crate::model::PackageManager;
    use expect_test::expect;

    #[test]
    fn brings_what_is_missing() {
        let rocky = || node().os("rocky", OsFamily::RedHat, PackageManager::Dnf);
        check(
            PackageRepository::new("epel"),
            rocky().without_package("epel-release"),
            expect![[r#"
            will install epel-release
            ---
            package_transaction dnf --install epel-release
            if [ -n "$change" ]; then package_sources_changed; fi
        "#]],
        );
        check(
            PackageRepository::new("epel"),
            node().os("ol", OsFamily::RedHat, PackageManager::Yum),
            expect![[r#"
            may install oracle-epel-release-el12
            ---
            package_transaction yum --install oracle-epel-release-el12
            if [ -n "$change" ]; then package_sources_changed; fi
        "#]],
        );
        check(
            PackageRepository::new("backports"),
            node(),
            expect![[r#"
            may ensure file at /etc/apt/sources.list.d/backports.sources
            +Types: deb
            +URIs: http://deb.debian.org/debian
            +Suites: bookworm-backports
            +Components: main
            +Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
            ---
            require_kind /etc/apt/sources.list.d/backports.sources 'file link'
            content() { printf %s 'Types: deb
            URIs: http://deb.debian.org/debian
            Suites: bookworm-backports
            Components: main
            Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
            '; }
            ensure_content /etc/apt/sources.list.d/backports.sources 4282ddb60f22f72a00a65539502e693b34b04991eec2ee9b5f7d7c77f9b2eac1 '' '' '' ''
            [ -z "$change" ] || package_sources_changed
        "#]],
        );
    }

    #[test]
    fn leaves_what_is_right() {
        let rocky = node()
            .os("rocky", OsFamily::RedHat, PackageManager::Dnf)
            .package("epel-release", "9-7");
        check(PackageRepository::new("epel"), rocky, expect!["nothing to do"]);
        let text = "Types: deb\nURIs: http://deb.debian.org/debian\nSuites: bookworm-backports\n\
            Components: main\n\
            Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n";
        check(
            PackageRepository::new("backports"),
            node().file("/etc/apt/sources.list.d/backports.sources", text, 0o644),
            expect!["nothing to do"],
        );
    }

    #[test]
    fn refuses_what_cannot_be() {
        check(
            PackageRepository::new("rpmforge"),
            node(),
            expect![[
                r#"error: package_repository: "rpmforge" is not one of "epel", "backports"; use package_source"#
            ]],
        );
        check(
            PackageRepository::new("epel"),
            node(),
            expect![
                "error: it is not known how to bring \
            epel to this node, which is debian 12 (x86_64); use package_source or add_rpm"
            ],
        );
        for (id, family, manager, expected) in [
            (
                "fedora",
                OsFamily::RedHat,
                PackageManager::Dnf,
                expect![
                    "error: it is not known how \
                to bring epel to this node, which is fedora 12 (x86_64); use package_source or \
                add_rpm"
                ],
            ),
            (
                "opensuse-leap",
                OsFamily::Suse,
                PackageManager::Zypper,
                expect![
                    "error: it is not \
                known how to bring epel to this node, which is opensuse-leap 12 (x86_64); use \
                package_source or add_rpm"
                ],
            ),
            (
                "arch",
                OsFamily::Arch,
                PackageManager::Pacman,
                expect![
                    "error: it is not known how \
                to bring epel to this node, which is arch 12 (x86_64); use package_source or \
                add_rpm"
                ],
            ),
            (
                "alpine",
                OsFamily::Alpine,
                PackageManager::Apk,
                expect![
                    "error: it is not known how \
                to bring epel to this node, which is alpine 12 (x86_64); use package_source or \
                add_rpm"
                ],
            ),
            (
                "plan9",
                OsFamily::Unknown,
                PackageManager::Unknown,
                expect![
                    "error: there is no \
                package manager that Pallet knows on this node, which is plan9 12 (x86_64); it \
                knows apt, dnf, yum, zypper, pacman and apk"
                ],
            ),
        ] {
            check(PackageRepository::new("epel"), node().os(id, family, manager), expected);
        }
        check(
            PackageRepository::new("backports"),
            node().os("ubuntu", OsFamily::Debian, PackageManager::Apt),
            expect![
                "error: it is not known how to bring backports to this node, which is ubuntu 12 \
                 (x86_64); use package_source or add_rpm"
            ],
        );
    }
}
