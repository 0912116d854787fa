//! Reads what package managers say of packages.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{NodeState, Observation, PackageManager, PackageState};

/// Reads the answer of the node's package manager. What it does not name is not installed.
pub(super) fn read(wanted: &Observation, text: &str, state: &mut NodeState) {
    let entries: Vec<Entry<'_>> = text
        .lines()
        .filter_map(|line| match state.os.package_manager {
            PackageManager::Apt
            | PackageManager::Dnf
            | PackageManager::Yum
            | PackageManager::Zypper => dpkg_or_rpm(line),
            PackageManager::Pacman => pacman(line),
            PackageManager::Apk => apk(line),
            PackageManager::Unknown => None,
        })
        .collect();
    for name in &wanted.packages {
        let of_name =
            || entries.iter().filter(|entry| entry.is_named(name)).map(|entry| &entry.state);
        // of several architectures (or kernels), any that is installed counts
        let found = of_name()
            .find(|state| matches!(state, PackageState::Installed { .. }))
            .or_else(|| of_name().next());
        state.set_package(name, found.cloned().unwrap_or(PackageState::Absent));
    }
}

/// Reads which packages come when those that are asked for are installed: `needs`, where there is
/// more than one, is what `apt-cache depends` says of all of them; without that, what nobody asked
/// for comes with each.
pub(super) fn read_coming(asked: &str, come: &str, needs: &str, state: &mut NodeState) {
    let asked: BTreeSet<&str> = asked.split_whitespace().collect();
    let come: BTreeSet<&str> = come.split_whitespace().map(bare).collect();
    let needs = depends(needs);
    for name in &asked {
        let mut with = BTreeSet::from([bare(name).to_owned()]);
        if needs.is_empty() {
            with.extend(
                come.iter()
                    .filter(|other| !asked.contains(*other))
                    .map(|other| (*other).to_owned()),
            );
        } else {
            let mut next = vec![bare(name)];
            while let Some(one) = next.pop() {
                for other in
                    needs.get(one).into_iter().flatten().filter(|other| come.contains(*other))
                {
                    if with.insert((*other).to_owned()) {
                        next.push(other);
                    }
                }
            }
        }
        state.set_coming(name, with);
    }
}

/// Reads which packages go when those that are asked for are removed.
pub(super) fn read_leaving(asked: &str, go: &str, state: &mut NodeState) {
    let go: BTreeSet<String> = go.split_whitespace().map(|name| bare(name).to_owned()).collect();
    for name in asked.split_whitespace() {
        state.set_leaving(name, go.clone());
    }
}

/// A name without its architecture.
fn bare(name: &str) -> &str {
    name.split(':').next().unwrap_or(name)
}

/// What each package needs or recommends. What stands in for a virtual package is written below it,
/// with more blanks before it.
fn depends(text: &str) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let (mut of, mut counts) = ("", false);
    for line in text.lines() {
        let name = line.trim_start_matches([' ', '|']);
        if name.len() == line.len() {
            of = bare(name);
            found.entry(of).or_default();
        } else if let Some((how, other)) = name.split_once(": ") {
            counts = matches!(how, "Depends" | "PreDepends" | "Recommends");
            if counts {
                found.entry(of).or_default().insert(bare(other));
            }
        } else if counts {
            found.entry(of).or_default().insert(bare(name));
        }
    }
    found
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
        arch.is_some_and(|arch| {
            arch.is_empty() || arch.strip_prefix([':', '.']).is_some_and(|arch| arch == self.arch)
        })
    }
}

/// `name status arch version`; rpm's status is always `installed`.
fn dpkg_or_rpm(line: &str) -> Option<Entry<'_>> {
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
    fn what_comes_along() {
        let mut state = node().0;
        let needs = "postgresql\n  Depends: postgresql-15\n\
            postgresql-15\n  Depends: libpq5\n |Depends: <virtual>\n    stands-in\n  Suggests: \
            nginx\n\
            nginx\n  Depends: nginx-common:amd64\nstands-in\nlibpq5\nnginx-common\n";
        let come = "libpq5 nginx nginx-common postgresql postgresql-15 stands-in";
        read_coming("nginx postgresql postgresql-15", come, needs, &mut state);
        let coming = |state: &NodeState, name: &str| {
            state.coming(name).map(|names| names.iter().cloned().collect::<Vec<_>>().join(" "))
        };
        assert_eq!(coming(&state, "nginx").as_deref(), Some("nginx nginx-common"));
        assert_eq!(
            coming(&state, "postgresql").as_deref(),
            Some("libpq5 postgresql postgresql-15 stands-in")
        );
        assert_eq!(coming(&state, "curl"), None);
        read_coming("curl wget", "curl wget libcurl", "", &mut state);
        assert_eq!(coming(&state, "curl").as_deref(), Some("curl libcurl"));
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
