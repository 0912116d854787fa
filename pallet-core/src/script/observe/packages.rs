//! Reads what package managers say of packages.

use crate::model::{NodeState, Observation, PackageManager, PackageState};

/// Reads the answer of the node's package manager. What it does not name is not installed.
pub(super) fn read(wanted: &Observation, text: &str, state: &mut NodeState) {
    let entries: Vec<Entry<'_>> = text
        .lines()
        .filter_map(|line| match state.os.package_manager {
            PackageManager::Apt | PackageManager::Dnf | PackageManager::Yum | PackageManager::Zypper => dpkg_or_rpm(line),
            PackageManager::Pacman => pacman(line),
            PackageManager::Apk => apk(line),
            PackageManager::Unknown => None,
        })
        .collect();
    for name in &wanted.packages {
        let of_name = || entries.iter().filter(|entry| entry.is_named(name)).map(|entry| &entry.state);
        // of several architectures (or kernels), any that is installed counts
        let found = of_name().find(|state| matches!(state, PackageState::Installed { .. })).or_else(|| of_name().next());
        state.set_package(name, found.cloned().unwrap_or(PackageState::Absent));
    }
}

struct Entry<'a> {
    name: &'a str,
    arch: &'a str,
    state: PackageState,
}

impl Entry<'_> {
    /// `name`, `name:amd64` as dpkg and `name.x86_64` as rpm write it.
    fn is_named(&self, wanted: &str) -> bool {
        let arch = wanted.strip_prefix(self.name);
        arch.is_some_and(|arch| arch.is_empty() || arch.strip_prefix([':', '.']).is_some_and(|arch| arch == self.arch))
    }
}

/// `name status arch version`; rpm's status is always `installed`.
fn dpkg_or_rpm(line: &str) -> Option<Entry<'_>> {
    let mut words = line.split(' ');
    let (name, status, arch) = (words.next()?, words.next()?, words.next()?);
    let version = words.next().filter(|version| !version.is_empty()).map(str::to_owned);
    let state = match status {
        "installed" | "triggers-pending" | "triggers-awaited" => PackageState::Installed { version },
        "config-files" => PackageState::Removed,
        _ => PackageState::Absent,
    };
    Some(Entry { name, arch, state })
}

/// `name version`
fn pacman(line: &str) -> Option<Entry<'_>> {
    let (name, version) = line.split_once(' ')?;
    Some(Entry { name, arch: "", state: installed(version) })
}

/// `name-version-rN`, where the name may hold dashes too.
fn apk(line: &str) -> Option<Entry<'_>> {
    let (rest, _release) = line.rsplit_once('-')?;
    let (name, _version) = rest.rsplit_once('-')?;
    Some(Entry { name, arch: "", state: installed(&line[name.len() + 1..]) })
}

fn installed(version: &str) -> PackageState {
    PackageState::Installed { version: Some(version.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::check::node;
    use crate::model::OsFamily;
    use expect_test::{Expect, expect};

    fn check(manager: PackageManager, names: &[&str], text: &str, expected: Expect) {
        let mut state = node().os("test", OsFamily::Unknown, manager).0;
        let mut wanted = Observation::default();
        names.iter().for_each(|name| wanted.package(name));
        read(&wanted, text, &mut state);
        let lines: String = wanted.packages.iter().map(|name| format!("{name}: {:?}\n", state.package(name).known())).collect();
        expected.assert_eq(&lines);
    }

    #[test]
    fn dpkg() {
        check(
            PackageManager::Apt,
            &["libc6", "libc6:i386", "nginx", "mawk", "broken", "g++"],
            "libc6 installed amd64 2.36-9+deb12u9\nnginx config-files amd64 1.22.1-9\nmawk not-installed amd64 \n\
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
            "bash installed x86_64 5.1.8-9.el9\nbind installed x86_64 32:9.16.23-24.el9\nglibc installed i686 2.34-100.el9\n\
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
