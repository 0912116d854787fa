//! Where files of the project are, and those of its crates in Starlark: `@NAME/PATH`.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use crate::plugins::Registry;

/// The directories that paths begin at.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Roots {
    project: PathBuf,
    /// The directories of crates, by name.
    crates: BTreeMap<String, PathBuf>,
}

impl Roots {
    /// The directory of a project alone.
    pub(in crate::engine) fn of(project: PathBuf) -> Self {
        Roots { project, crates: BTreeMap::new() }
    }

    /// Adds the directories of crates in Starlark.
    pub(in crate::engine) fn with(self, registry: &Registry) -> Self {
        let crates = registry.source_directories();
        self.and(crates.map(|(name, directory)| (name.to_owned(), directory.to_owned())))
    }

    /// Adds directories of crates, by name.
    pub(in crate::engine) fn and(
        mut self,
        crates: impl IntoIterator<Item = (String, PathBuf)>,
    ) -> Self {
        self.crates.extend(crates);
        self
    }

    /// The name of the crate that a path is in.
    pub(super) fn crate_of<'p>(&self, path: &'p Path) -> Option<&'p str> {
        let Component::Normal(first) = path.components().next()? else { return None };
        let name = first.to_str()?.strip_prefix('@')?;
        self.crates.contains_key(name).then_some(name)
    }

    /// The file that a path names: relative to the project, or in a crate if it begins with
    /// `@NAME/`. A path in a crate does not lead out of it, not even by a link.
    pub(in crate::engine) fn find(&self, path: &Path) -> Result<PathBuf, String> {
        let Some((directory, rest)) = self.in_crate(path) else {
            return Ok(self.project.join(path));
        };
        let leads_out = || format!("{} leads out of its crate", path.display());
        if !plain(rest) {
            return Err(leads_out());
        }
        let file = directory.join(rest);
        // what does not exist is reported when it is read
        match (file.canonicalize(), directory.canonicalize()) {
            (Ok(real), Ok(root)) if !real.starts_with(&root) => Err(leads_out()),
            _ => Ok(file),
        }
    }

    /// The file that a template names; `None` if the name leads out.
    pub(super) fn inside(&self, name: &str) -> Option<PathBuf> {
        let path = Path::new(name);
        plain(path).then(|| self.find(path).ok()).flatten()
    }

    fn in_crate<'p>(&self, path: &'p Path) -> Option<(&PathBuf, &'p Path)> {
        let directory = self.crates.get(self.crate_of(path)?)?;
        let mut parts = path.components();
        parts.next();
        Some((directory, parts.as_path()))
    }
}

fn plain(path: &Path) -> bool {
    path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_in_a_crate_stays_in_it() {
        let root = tempfile::tempdir().unwrap();
        let web = root.path().join("web");
        std::fs::create_dir_all(web.join("templates")).unwrap();
        std::fs::write(web.join("templates/a.j2"), "a").unwrap();
        std::fs::write(root.path().join("secret"), "s").unwrap();
        std::os::unix::fs::symlink("../secret", web.join("link")).unwrap();
        let crates = BTreeMap::from([("web".to_owned(), web.clone())]);
        let roots = Roots { project: "/project".into(), crates };
        let find = |path: &str| roots.find(Path::new(path));
        assert_eq!(find("@web/templates/a.j2").unwrap(), web.join("templates/a.j2"));
        assert_eq!(find("a.j2").unwrap(), Path::new("/project/a.j2"));
        assert_eq!(find("@other/a").unwrap(), Path::new("/project/@other/a"));
        for out in ["@web/../secret", "@web/link", "@web/templates/../../secret"] {
            assert!(find(out).unwrap_err().contains("leads out of its crate"), "{out}");
            assert_eq!(roots.inside(out), None, "{out}");
        }
    }
}
