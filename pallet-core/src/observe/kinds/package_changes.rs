//! Which other packages are installed or removed along with a package, and which packages are
//! unknown to the package manager.

mod simulated;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::super::ObserveError;
use super::super::answer::{Answer, number};
use super::super::kind::{Kind, KindDescription, keep_same};
use crate::model::{Os, PackageManager};
use crate::script::{PACKAGE_LISTS, Script};

/// Packages to be installed or removed, by package manager; the empty name means any.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PackageChangeQuestions {
    /// Packages to install if they are missing: asks which others are installed with them.
    pub installs: BTreeMap<String, BTreeSet<String>>,
    /// Packages to remove if they are installed: asks which others are removed with them.
    pub removals: BTreeMap<String, BTreeSet<String>>,
}

/// The known side effects of installing and removing packages.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PackageChanges {
    /// For each package, all packages that its installation installs, including itself.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) coming: BTreeMap<String, BTreeSet<String>>,
    /// For each package, all packages that its removal removes, including itself.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) leaving: BTreeMap<String, BTreeSet<String>>,
    /// Packages that are in none of the package lists, with the age of the lists in seconds.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) unlisted: BTreeMap<String, u64>,
}

impl Kind for PackageChanges {
    type Questions = PackageChangeQuestions;

    fn ask(questions: &mut PackageChangeQuestions, other: PackageChangeQuestions) {
        for (ours, others) in
            [(&mut questions.installs, other.installs), (&mut questions.removals, other.removals)]
        {
            for (manager, names) in others {
                ours.entry(manager).or_default().extend(names);
            }
        }
    }

    fn functions(questions: &PackageChangeQuestions) -> Vec<&'static str> {
        let mut functions = Vec::new();
        if !questions.installs.is_empty() {
            functions.push(PACKAGE_LISTS);
        }
        if !questions.installs.is_empty() || !questions.removals.is_empty() {
            functions.push(include_str!("package_changes.sh"));
        }
        functions
    }

    fn script(questions: &PackageChangeQuestions, mut script: Script) -> Script {
        for (function, by_manager) in
            [("packages_to_come", &questions.installs), ("packages_to_go", &questions.removals)]
        {
            for (manager, names) in by_manager {
                let names = names.iter().map(String::as_str);
                script = script.call([function, manager.as_str()].into_iter().chain(names));
            }
        }
        script
    }

    fn read(
        &mut self,
        _questions: &PackageChangeQuestions,
        answers: &[Answer<'_>],
        os: &Os,
    ) -> Result<(), ObserveError> {
        for answer in answers {
            match answer.as_slice() {
                ["coming", asked, come, needs] => self.read_coming(asked, come, needs),
                ["simulated", name, said] => {
                    let come = match os.package_manager {
                        PackageManager::Zypper => simulated::zypper(said),
                        _ => simulated::dnf(said),
                    };
                    if let Some(come) = come {
                        self.read_coming(name, &come.join(" "), "");
                    }
                }
                ["unlisted", name, age] => {
                    self.unlisted.insert((*name).to_owned(), number(answer, age)?);
                }
                ["leaving", asked, go] => self.read_leaving(asked, go),
                _ => {}
            }
        }
        Ok(())
    }

    fn keep_what_agrees(&mut self, other: &Self) {
        keep_same(&mut self.coming, &other.coming);
        keep_same(&mut self.leaving, &other.leaving);
        keep_same(&mut self.unlisted, &other.unlisted);
    }

    fn learn(&mut self, newer: Self) {
        self.coming.extend(newer.coming);
        self.leaving.extend(newer.leaving);
        self.unlisted.extend(newer.unlisted);
    }

    fn describe(
        &self,
        _questions: &PackageChangeQuestions,
        _outputs: bool,
    ) -> Vec<KindDescription> {
        Vec::new()
    }
}

impl PackageChanges {
    /// Forgets everything: after a change of package sources.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Reads which packages are installed along with those that were asked for. If there are
    /// several, `needs` is the output of `apt-cache depends` for all of them. Without it, every
    /// additional package is attributed to each of them.
    fn read_coming(&mut self, asked: &str, come: &str, needs: &str) {
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
            self.coming.insert((*name).to_owned(), with);
        }
    }

    /// Reads which packages are removed along with those that were asked for.
    fn read_leaving(&mut self, asked: &str, go: &str) {
        let go: BTreeSet<String> =
            go.split_whitespace().map(|name| bare(name).to_owned()).collect();
        for name in asked.split_whitespace() {
            self.leaving.insert(name.to_owned(), go.clone());
        }
    }
}

/// A package name without its architecture.
fn bare(name: &str) -> &str {
    name.split(':').next().unwrap_or(name)
}

/// Parses the dependencies and recommendations of each package. Providers of a virtual package
/// follow its line, indented further.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_along() {
        let mut changes = PackageChanges::default();
        let needs = "postgresql\n  Depends: postgresql-15\n\
            postgresql-15\n  Depends: libpq5\n |Depends: <virtual>\n    stands-in\n  Suggests: \
            nginx\n\
            nginx\n  Depends: nginx-common:amd64\nstands-in\nlibpq5\nnginx-common\n";
        let come = "libpq5 nginx nginx-common postgresql postgresql-15 stands-in";
        changes.read_coming("nginx postgresql postgresql-15", come, needs);
        let coming = |changes: &PackageChanges, name: &str| {
            changes
                .coming
                .get(name)
                .map(|names| names.iter().cloned().collect::<Vec<_>>().join(" "))
        };
        assert_eq!(coming(&changes, "nginx").as_deref(), Some("nginx nginx-common"));
        assert_eq!(
            coming(&changes, "postgresql").as_deref(),
            Some("libpq5 postgresql postgresql-15 stands-in")
        );
        assert_eq!(coming(&changes, "curl"), None);
        changes.read_coming("curl wget", "curl wget libcurl", "");
        assert_eq!(coming(&changes, "curl").as_deref(), Some("curl libcurl"));
    }
}
