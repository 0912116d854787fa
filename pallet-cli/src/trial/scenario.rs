//! The scenarios of a crate: files `tests/*.star` of its package, each the pallet.star of a project of its own.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use tempfile::TempDir;

/// One scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scenario {
    /// The name of its file, without its end.
    pub(crate) name: String,
    file: PathBuf,
}

/// What the scenarios of a package share: their pallet.toml, and all other files that they may name.
fn folder(package: &Path) -> PathBuf {
    package.join("tests")
}

/// The scenarios of a package, or those of these names.
pub(crate) fn scenarios(package: &Path, names: &[String]) -> anyhow::Result<Vec<Scenario>> {
    let folder = folder(package);
    let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut found: Vec<Scenario> = entries
        .filter(|path| path.extension().is_some_and(|end| end == "star"))
        .filter_map(|file| Some(Scenario { name: file.file_stem()?.to_str()?.to_owned(), file }))
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    if found.is_empty() {
        bail!(
            "there is no scenario in {}; write one: a file NAME.star there that declares groups, as a pallet.star does",
            folder.display()
        );
    }
    if let Some(name) = names.iter().find(|name| !found.iter().any(|scenario| scenario.name == **name)) {
        let there: Vec<_> = found.iter().map(|scenario| scenario.name.as_str()).collect();
        bail!("there is no scenario {name} in {}; there are {}", folder.display(), there.join(", "));
    }
    found.retain(|scenario| names.is_empty() || names.contains(&scenario.name));
    Ok(found)
}

impl Scenario {
    /// A project whose pallet.star is the scenario. It is gone with what is returned.
    pub(crate) fn project(&self, package: &Path) -> anyhow::Result<TempDir> {
        let folder = folder(package).canonicalize().with_context(|| format!("cannot find {}", folder(package).display()))?;
        let project = tempfile::Builder::new().prefix("pallet-trial-").tempdir().context("cannot make a directory for temporary files")?;
        let link = |from: &Path, name: &str| {
            let to = project.path().join(name);
            symlink(from, &to).with_context(|| format!("cannot link {} to {}", from.display(), to.display()))
        };
        for entry in std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let path = entry.with_context(|| format!("cannot read {}", folder.display()))?.path();
            if let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(|name| *name != "pallet.star") {
                link(&path, name)?;
            }
        }
        link(&folder.join(self.file.file_name().unwrap_or_default()), "pallet.star")?;
        let config = project.path().join("pallet.toml");
        if !config.exists() {
            std::fs::write(&config, "").with_context(|| format!("cannot write {}", config.display()))?;
        }
        Ok(project)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_is_a_project_with_all_files_beside_it() {
        let package = tempfile::tempdir().unwrap();
        assert!(scenarios(package.path(), &[]).unwrap_err().to_string().contains("there is no scenario"));
        std::fs::create_dir(package.path().join("tests")).unwrap();
        for name in ["b.star", "a.star", "page.html"] {
            std::fs::write(package.path().join("tests").join(name), name).unwrap();
        }
        let found = scenarios(package.path(), &[]).unwrap();
        assert_eq!(found.iter().map(|scenario| scenario.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        let project = found[0].project(package.path()).unwrap();
        let read = |name: &str| std::fs::read_to_string(project.path().join(name)).unwrap();
        assert_eq!((read("pallet.star"), read("page.html"), read("pallet.toml")), ("a.star".into(), "page.html".into(), String::new()));
        assert!(scenarios(package.path(), &["c".into()]).unwrap_err().to_string().contains("there are a, b"));
    }
}
