//! Packages, as reported by the node's package manager.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::super::ObserveError;
use super::super::answer::Answer;
use super::super::kind::{
    Kind, KindDescription, call_with_names, contradictions, describe, keep_same,
};
use crate::model::{Os, PackageManager};
use crate::script::{PROVIDES, Script};

/// Whether a package is installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PackageState {
    /// It is not installed.
    Absent,
    /// It is not installed, but its configuration files may remain.
    Removed,
    /// It is installed.
    Installed {
        /// Its version, as the package manager writes it; `None` if unknown.
        version: Option<String>,
    },
}

impl PackageState {
    /// Whether `seen` matches this state; unknown parts of this state match anything.
    pub fn allows(&self, seen: &PackageState) -> bool {
        match (self, seen) {
            (PackageState::Installed { version }, PackageState::Installed { version: seen }) => {
                match (version, seen) {
                    (Some(wanted), Some(seen)) => is_version(wanted, seen),
                    (wanted, _) => wanted.is_none(),
                }
            }
            (PackageState::Removed, PackageState::Absent) => true,
            (wanted, seen) => wanted == seen,
        }
    }
}

/// Whether `seen` is the version `wanted`, which may omit the epoch and the release, and may end
/// with `*`.
fn is_version(wanted: &str, seen: &str) -> bool {
    let matches = |seen: &str| match wanted.strip_suffix('*') {
        Some(start) => seen.starts_with(start),
        None => {
            seen.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        }
    };
    matches(seen) || seen.split_once(':').is_some_and(|(_, seen)| matches(seen))
}

/// The known packages.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Packages(pub(crate) BTreeMap<String, PackageState>);

impl Kind for Packages {
    type Questions = BTreeSet<String>;

    fn ask(questions: &mut BTreeSet<String>, other: BTreeSet<String>) {
        questions.extend(other);
    }

    fn functions(questions: &BTreeSet<String>) -> Vec<&'static str> {
        if questions.is_empty() { Vec::new() } else { vec![PROVIDES, include_str!("package.sh")] }
    }

    fn script(questions: &BTreeSet<String>, script: Script) -> Script {
        call_with_names(script, "packages", questions)
    }

    fn read(
        &mut self,
        questions: &BTreeSet<String>,
        answers: &[Answer<'_>],
        os: &Os,
    ) -> Result<(), ObserveError> {
        for answer in answers {
            match answer.as_slice() {
                ["packages", text] => self.read_list(questions, text, os.package_manager),
                ["provided", name] => {
                    let provided = PackageState::Installed { version: None };
                    self.0.insert((*name).to_owned(), provided);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn keep_what_agrees(&mut self, other: &Self) {
        keep_same(&mut self.0, &other.0);
    }

    fn learn(&mut self, newer: Self) {
        self.0.extend(newer.0);
    }

    fn contradictions(&self, observed: &Self) -> Vec<String> {
        contradictions("package", &self.0, &observed.0, PackageState::allows)
    }

    fn describe(&self, questions: &BTreeSet<String>, _outputs: bool) -> Vec<KindDescription> {
        describe("package", questions, &self.0, package)
    }
}

impl Packages {
    /// Reads the answer of the node's package manager. Packages that it does not list are not
    /// installed.
    fn read_list(&mut self, questions: &BTreeSet<String>, text: &str, manager: PackageManager) {
        let entries: Vec<ListedPackage<'_>> = text
            .lines()
            .filter_map(|line| match manager {
                PackageManager::Apt
                | PackageManager::Dnf
                | PackageManager::Yum
                | PackageManager::Zypper => dpkg_or_rpm(line),
                PackageManager::Pacman => pacman(line),
                PackageManager::Apk => apk(line),
                PackageManager::Unknown => None,
            })
            .collect();
        for name in questions {
            let of_name =
                || entries.iter().filter(|entry| entry.is_named(name)).map(|entry| &entry.state);
            // a package for several architectures, or a kernel in several versions, counts if any
            // is installed
            let found = of_name()
                .find(|state| matches!(state, PackageState::Installed { .. }))
                .or_else(|| of_name().next());
            self.0.insert(name.clone(), found.cloned().unwrap_or(PackageState::Absent));
        }
    }
}

/// A line of the package manager's output.
struct ListedPackage<'a> {
    name: &'a str,
    arch: &'a str,
    state: PackageState,
}

impl ListedPackage<'_> {
    /// Whether it is this package: `name`, `name:amd64` (dpkg) or `name.x86_64` (rpm).
    fn is_named(&self, wanted: &str) -> bool {
        let arch = wanted.strip_prefix(self.name);
        arch.is_some_and(|arch| {
            arch.is_empty() || arch.strip_prefix([':', '.']).is_some_and(|arch| arch == self.arch)
        })
    }
}

/// Parses `name status arch version`; for rpm, the status is always `installed`.
fn dpkg_or_rpm(line: &str) -> Option<ListedPackage<'_>> {
    let mut words = line.split(' ');
    let (name, status, arch) = (words.next()?, words.next()?, words.next()?);
    let version = words.next().filter(|version| !version.is_empty()).map(str::to_owned);
    let state = match status {
        "installed" | "triggers-pending" | "triggers-awaited" => {
            PackageState::Installed { version }
        }
        "config-files" => PackageState::Removed,
        _ => PackageState::Absent,
    };
    Some(ListedPackage { name, arch, state })
}

/// Parses `name version`.
fn pacman(line: &str) -> Option<ListedPackage<'_>> {
    let (name, version) = line.split_once(' ')?;
    Some(ListedPackage { name, arch: "", state: installed(version) })
}

/// Parses `name-version-rN`; the name may contain dashes too.
fn apk(line: &str) -> Option<ListedPackage<'_>> {
    let (rest, _release) = line.rsplit_once('-')?;
    let (name, _version) = rest.rsplit_once('-')?;
    Some(ListedPackage { name, arch: "", state: installed(&line[name.len() + 1..]) })
}

fn installed(version: &str) -> PackageState {
    PackageState::Installed { version: Some(version.to_owned()) }
}

fn package(state: &PackageState) -> String {
    match state {
        PackageState::Absent => "not installed".to_owned(),
        PackageState::Removed => "removed, its configuration may be there".to_owned(),
        PackageState::Installed { version: None } => "installed".to_owned(),
        PackageState::Installed { version: Some(version) } => format!("installed, {version}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::check::node;
    use crate::model::OsFamily;
    use crate::observe::Observation;
    use expect_test::{Expect, expect};

    fn check(manager: PackageManager, names: &[&str], text: &str, expected: Expect) {
        let mut state = node().os("test", OsFamily::Unknown, manager).0;
        let mut wanted = Observation::default();
        names.iter().for_each(|name| wanted.package(name));
        state.read(&wanted, &[vec!["packages", text]]).expect("it is understood");
        let lines: String = wanted
            .packages
            .iter()
            .map(|name| format!("{name}: {:?}\n", state.package(name).known()))
            .collect();
        expected.assert_eq(&lines);
    }

    #[test]
    fn dpkg() {
        check(
            PackageManager::Apt,
            &["libc6", "libc6:i386", "nginx", "mawk", "broken", "g++"],
            "libc6 installed amd64 2.36-9+deb12u9\nnginx config-files amd64 1.22.1-9\n\
             mawk not-installed amd64 \n\
             broken half-configured amd64 1.0\ng++ installed amd64 4:12.2.0-3\n",
            expect![[r#"
                broken: Some(Absent)
                g++: Some(Installed { version: Some("4:12.2.0-3") })
                libc6: Some(Installed { version: Some("2.36-9+deb12u9") })
                libc6:i386: Some(Absent)
                mawk: Some(Absent)
                nginx: Some(Removed)
            "#]],
        );
    }

    #[test]
    fn rpm() {
        check(
            PackageManager::Dnf,
            &["bash", "bind", "glibc.i686", "glibc", "nginx"],
            "bash installed x86_64 5.1.8-9.el9\nbind installed x86_64 32:9.16.23-24.el9\n\
             glibc installed i686 2.34-100.el9\n\
             glibc installed x86_64 2.34-100.el9\npackage nginx is not installed\n",
            expect![[r#"
                bash: Some(Installed { version: Some("5.1.8-9.el9") })
                bind: Some(Installed { version: Some("32:9.16.23-24.el9") })
                glibc: Some(Installed { version: Some("2.34-100.el9") })
                glibc.i686: Some(Installed { version: Some("2.34-100.el9") })
                nginx: Some(Absent)
            "#]],
        );
    }

    #[test]
    fn pacman_and_apk() {
        check(
            PackageManager::Pacman,
            &["bash", "python-requests"],
            "bash 5.2.037-1\n",
            expect![[r#"
                bash: Some(Installed { version: Some("5.2.037-1") })
                python-requests: Some(Absent)
            "#]],
        );
        check(
            PackageManager::Apk,
            &["busybox", "py3-requests", "py3"],
            "busybox-1.36.1-r29\npy3-requests-2.32.3-r0\n",
            expect![[r#"
                busybox: Some(Installed { version: Some("1.36.1-r29") })
                py3: Some(Absent)
                py3-requests: Some(Installed { version: Some("2.32.3-r0") })
            "#]],
        );
    }
}
