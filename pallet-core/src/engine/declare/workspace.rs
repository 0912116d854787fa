//! Gives actions access to the project's files.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::action::{ActionError, Listed, Workspace};
use crate::engine::templates::{self, Roots};
use crate::model::{digest, hex};

/// Maximum depth of a directory: a link to a parent directory would never end.
const DEPTH: usize = 64;

/// The directory that relative paths start from.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Directory {
    roots: Roots,
    /// The files that were read, each with a digest of its content.
    read: Arc<Mutex<BTreeMap<String, String>>>,
    /// The environment that renders all templates.
    templates: minijinja::Environment<'static>,
}

impl Directory {
    #[cfg(test)]
    pub(in crate::engine) fn at(path: PathBuf) -> Self {
        Self::with(Roots::of(path))
    }

    /// The workspace of a project, and of its crates.
    pub(in crate::engine) fn with(roots: Roots) -> Self {
        let templates = templates::environment(&roots);
        Directory { roots, read: Arc::default(), templates }
    }

    /// The files that were read so far, each with a digest of its content.
    pub(in crate::engine) fn read_files(&self) -> BTreeMap<String, String> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Remembers a file the first time that it is read; most are read for each node.
    fn remember(&self, path: &Path, digest: impl FnOnce() -> String) {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.entry(path.display().to_string()).or_insert_with(digest);
    }

    /// The path of a regular file: reading anything else might never end.
    fn regular(&self, path: &Path) -> Result<PathBuf, ActionError> {
        let path = self.roots.find(path).map_err(ActionError::node)?;
        let data = std::fs::metadata(&path).map_err(|error| unreadable(&path, &error))?;
        match data.is_file() {
            true => Ok(path),
            false => Err(ActionError::node(format!(
                "cannot read {}: it is not a regular file",
                path.display()
            ))),
        }
    }
}

/// Lists the files in `directory`, with paths relative to where the listing began. `check` refuses
/// some of them.
fn list(
    directory: &Path,
    name: &str,
    depth: usize,
    check: &dyn Fn(&str) -> Result<PathBuf, String>,
    found: &mut Vec<Listed>,
) -> Result<(), ActionError> {
    if depth > DEPTH {
        return Err(ActionError::node(format!(
            "{} is more than {DEPTH} directories deep; does a link lead back?",
            directory.display()
        )));
    }
    let unreadable = |error| unreadable(directory, &error);
    let mut entries = std::fs::read_dir(directory)
        .map_err(unreadable)?
        .collect::<Result<Vec<_>, _>>()
        .map_err(unreadable)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let Ok(own) = entry.file_name().into_string() else {
            return Err(ActionError::node(format!("the name of {} is not UTF-8", path.display())));
        };
        let name = if name.is_empty() { own } else { format!("{name}/{own}") };
        check(&name).map_err(ActionError::node)?;
        let data = std::fs::metadata(&path).map_err(|error| self::unreadable(&path, &error))?;
        if data.is_dir() {
            found.push(Listed { path: name.clone(), directory: true, executable: true });
            list(&path, &name, depth + 1, check, found)?;
        } else {
            found.push(Listed {
                path: name,
                directory: false,
                executable: std::os::unix::fs::PermissionsExt::mode(&data.permissions()) & 0o100
                    != 0,
            });
        }
    }
    Ok(())
}

/// The SHA-256 digest (hexadecimal) and the size in bytes of a file.
pub(in crate::engine) fn digest_of(path: &Path) -> std::io::Result<(String, u64)> {
    let mut file = std::fs::File::open(path)?;
    let mut hash = Sha256::new();
    let mut piece = vec![0; 1 << 18];
    let mut size = 0;
    loop {
        let read = file.read(&mut piece)?;
        if read == 0 {
            return Ok((hex(&hash.finalize()), size));
        }
        hash.update(&piece[..read]);
        size += read as u64;
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> ActionError {
    ActionError::node(format!("cannot read {}: {error}", path.display()))
}

impl Workspace for Directory {
    fn read(&self, path: &Path) -> Result<Vec<u8>, ActionError> {
        let full = self.regular(path)?;
        let content = std::fs::read(&full).map_err(|error| unreadable(&full, &error))?;
        self.remember(path, || digest(&content));
        Ok(content)
    }

    fn digest(&self, path: &Path) -> Result<(String, u64, PathBuf), ActionError> {
        let full = self.regular(path)?;
        let unreadable = |error| unreadable(&full, &error);
        let (digest, size) = digest_of(&full).map_err(unreadable)?;
        self.remember(path, || digest.clone());
        Ok((digest, size, full.canonicalize().map_err(unreadable)?))
    }

    fn list(&self, path: &Path) -> Result<Vec<Listed>, ActionError> {
        let mut found = Vec::new();
        let directory = self.roots.find(path).map_err(ActionError::node)?;
        // no link leads out of a crate
        let check = |name: &str| self.roots.find(&path.join(name));
        list(&directory, "", 0, &check, &mut found)?;
        Ok(found)
    }

    fn render(&self, name: &str, template: &str, values: &Value) -> Result<String, ActionError> {
        templates::render(&self.templates, name, template, values).map_err(ActionError::node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn values_keep_their_kinds_in_templates() {
        let values = json!({
            "port": 8080, "big": u64::MAX, "half": 0.5, "on": true, "none": null, "list": [1, "b"],
            "table": {"a": -1},
        });
        let template = "{{ port + 1 }} {{ big }} {{ half * 2 }} {% if on %}{{ none }}{% endif %} \
             {{ list[0] + 1 }}{{ list[1] }} {{ table.a - 1 }}\n";
        let text =
            Directory::at(PathBuf::new()).render("t", template, &values).expect("it is a template");
        assert_eq!(text, "8081 18446744073709551615 1.0 None 2b -2\n");
    }

    #[test]
    fn a_directory_is_listed_with_all_below_it() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let path = |name: &str| root.path().join(name);
        std::fs::create_dir_all(path("site/b/empty")).expect("it can be made");
        for name in ["site/b/run", "site/a", "site/b.txt"] {
            std::fs::write(path(name), "x").expect("it can be written");
        }
        std::fs::set_permissions(path("site/b/run"), std::fs::Permissions::from_mode(0o700))
            .expect("it is ours");
        symlink("a", path("site/link")).expect("it can be made");
        let project = Directory::at(root.path().to_owned());
        let listed = project.list(Path::new("site")).expect("it can be read");
        let listed: Vec<_> = listed
            .iter()
            .map(|entry| (entry.path.as_str(), entry.directory, entry.executable))
            .collect();
        let expected = [
            ("a", false, false),
            ("b", true, true),
            ("b/empty", true, true),
            ("b/run", false, true),
            ("b.txt", false, false),
            ("link", false, false),
        ];
        assert_eq!(listed, expected);

        symlink("..", path("site/b/back")).expect("it can be made");
        let error = project.list(Path::new("site")).expect_err("it never ends").to_string();
        assert!(
            error.ends_with("is more than 64 directories deep; does a link lead back?")
                || error.contains("cannot read"),
            "{error}"
        );
        std::fs::remove_file(path("site/b/back")).expect("it is there");
        symlink("nowhere", path("site/broken")).expect("it can be made");
        let error = project.list(Path::new("site")).expect_err("it points nowhere").to_string();
        assert!(
            error.starts_with(&format!("cannot read {}", path("site/broken").display())),
            "{error}"
        );
        assert!(project.list(Path::new("none")).is_err());
    }

    #[test]
    fn no_link_leads_out_of_the_directory_of_a_crate() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let path = |name: &str| root.path().join(name);
        std::fs::create_dir_all(path("web/site/b")).expect("it can be made");
        std::fs::create_dir_all(path("outside")).expect("it can be made");
        std::fs::write(path("outside/private"), "x").expect("it can be written");
        std::fs::write(path("web/site/b/a"), "x").expect("it can be written");
        symlink("b", path("web/site/own")).expect("it can be made");
        let roots = Roots::of(path("project")).and([("web".to_owned(), path("web"))]);
        let list = || Directory::with(roots.clone()).list(Path::new("@web/site"));
        assert_eq!(list().expect("it stays within").len(), 4);
        symlink("../../../outside", path("web/site/b/out")).expect("it can be made");
        let error = list().expect_err("it leads out").to_string();
        assert!(error.contains("@web/site/b/out leads out of its crate"), "{error}");
        assert!(!error.contains("private"), "{error}");
    }
}
