//! The scenarios of a crate: files `tests/*.star` of its package. Each is the pallet.star of a
//! project.

use std::env::consts::DLL_SUFFIX;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use pallet_core::plugins::is_source;
use tempfile::TempDir;

/// One scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scenario {
    /// The file name without its extension.
    pub(crate) name: String,
    file: PathBuf,
}

/// The directory of a package's scenarios, with their pallet.toml and all other files that they
/// use.
fn folder(package: &Path) -> PathBuf {
    package.join("tests")
}

/// The configuration file of a project.
const CONFIG: &str = "pallet.toml";

/// The scenarios of a package, or those with these names.
pub(crate) fn scenarios(package: &Path, names: &[String]) -> anyhow::Result<Vec<Scenario>> {
    let folder = folder(package);
    let entries =
        std::fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut found: Vec<Scenario> = entries
        .filter(|path| path.extension().is_some_and(|end| end == "star"))
        .filter_map(|file| Some(Scenario { name: file.file_stem()?.to_str()?.to_owned(), file }))
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    if found.is_empty() {
        bail!(
            "there is no scenario in {}; add a file NAME.star there that declares groups, like a \
             pallet.star",
            folder.display()
        );
    }
    if let Some(name) =
        names.iter().find(|name| !found.iter().any(|scenario| scenario.name == **name))
    {
        let there: Vec<_> = found.iter().map(|scenario| scenario.name.as_str()).collect();
        bail!(
            "there is no scenario {name} in {}; there are {}",
            folder.display(),
            there.join(", ")
        );
    }
    found.retain(|scenario| names.is_empty() || names.contains(&scenario.name));
    Ok(found)
}

impl Scenario {
    /// Creates a project with this name whose pallet.star is the scenario, and whose plugins
    /// include the library. It is deleted when the returned value is dropped.
    pub(crate) fn project(
        &self,
        package: &Path,
        name: &str,
        library: &Path,
    ) -> anyhow::Result<TempDir> {
        let folder = folder(package)
            .canonicalize()
            .with_context(|| format!("cannot find {}", folder(package).display()))?;
        let project = tempfile::Builder::new()
            .prefix("pallet-trial-")
            .tempdir()
            .context("cannot make a directory for temporary files")?;
        let link = |from: &Path, name: &str| {
            let to = project.path().join(name);
            symlink(from, &to)
                .with_context(|| format!("cannot link {} to {}", from.display(), to.display()))
        };
        for entry in std::fs::read_dir(&folder)
            .with_context(|| format!("cannot read {}", folder.display()))?
        {
            let path = entry.with_context(|| format!("cannot read {}", folder.display()))?.path();
            if let Some(name) = path
                .file_name()
                .and_then(|name| name.to_str())
                .filter(|name| !["pallet.star", CONFIG].contains(name))
            {
                link(&path, name)?;
            }
        }
        link(&folder.join(self.file.file_name().unwrap_or_default()), "pallet.star")?;
        let config = project.path().join(CONFIG);
        let text = std::fs::read_to_string(folder.join(CONFIG)).unwrap_or_default();
        std::fs::write(&config, named(&text, name))
            .with_context(|| format!("cannot write {}", config.display()))?;
        let plugins = project.path().join(".pallet/plugins");
        std::fs::create_dir_all(&plugins)
            .with_context(|| format!("cannot make {}", plugins.display()))?;
        link_library(library, &plugins)?;
        Ok(project)
    }
}

/// Sets the project's name in the text of a pallet.toml. Invalid text is left as it is: loading the
/// project will report it.
fn named(text: &str, name: &str) -> String {
    let Ok(mut config) = text.parse::<toml_edit::DocumentMut>() else { return text.to_owned() };
    config["project"]["name"] = toml_edit::value(name);
    config.to_string()
}

/// Links a library, or the directory of a crate in Starlark, into a directory of plugins, under a
/// name that Pallet searches for.
pub(crate) fn link_library(library: &Path, plugins: &Path) -> anyhow::Result<()> {
    let library =
        library.canonicalize().with_context(|| format!("cannot find {}", library.display()))?;
    if is_source(&library) {
        let directory = library.parent().unwrap_or(Path::new("/"));
        return symlink(directory, plugins.join("crate"))
            .with_context(|| format!("cannot link {}", directory.display()));
    }
    let name =
        library.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name = if name.starts_with("libpallet_") && name.ends_with(DLL_SUFFIX) {
        name
    } else {
        format!("libpallet_crate{DLL_SUFFIX}")
    };
    symlink(&library, plugins.join(name))
        .with_context(|| format!("cannot link {}", library.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_is_a_project_with_all_files_beside_it() {
        let package = tempfile::tempdir().unwrap();
        assert!(
            scenarios(package.path(), &[])
                .unwrap_err()
                .to_string()
                .contains("there is no scenario")
        );
        std::fs::create_dir(package.path().join("tests")).unwrap();
        for name in ["b.star", "a.star", "page.html"] {
            std::fs::write(package.path().join("tests").join(name), name).unwrap();
        }
        let found = scenarios(package.path(), &[]).unwrap();
        assert_eq!(
            found.iter().map(|scenario| scenario.name.as_str()).collect::<Vec<_>>(),
            ["a", "b"]
        );
        let project = found[0]
            .project(package.path(), "trial", &package.path().join("tests/page.html"))
            .unwrap();
        let read = |name: &str| std::fs::read_to_string(project.path().join(name)).unwrap();
        assert_eq!(
            (read("pallet.star"), read("page.html"), read("pallet.toml")),
            ("a.star".into(), "page.html".into(), named("", "trial"))
        );
        assert!(named("[services.a]\nprovider = \"b\"\n", "trial").contains("name = \"trial\""));
        assert!(
            scenarios(package.path(), &["c".into()])
                .unwrap_err()
                .to_string()
                .contains("there are a, b")
        );
    }
}
