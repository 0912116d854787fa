//! The owner of nodes: two projects may have the same name by chance, but must not share their
//! nodes.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use pallet_core::prelude::*;

use crate::linux::store::Store;

/// The file in the project's data directory. No service can have this name.
const FILE: &str = ".owner";

/// The directory of the project that owns the nodes.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    project: String,
    /// `None` for a program without a pallet.toml: it owns nothing, and is always allowed.
    directory: Option<PathBuf>,
}

impl Owner {
    pub(crate) fn new(context: &ServiceContext) -> Self {
        let directory =
            (!context.directory.as_os_str().is_empty()).then(|| canonical(&context.directory));
        Owner { project: context.project.clone(), directory }
    }

    /// Returns an error if the project's nodes belong to another directory.
    pub(crate) fn check(&self, store: &Store) -> Result<()> {
        let Some(directory) = &self.directory else { return Ok(()) };
        let Some(owner) = read(store).filter(|owner| owner != directory) else { return Ok(()) };
        // a project that was moved or deleted, or that has no nodes, no longer owns the name; one
        // that is not accessible may still do
        if matches!(owner.join("pallet.toml").try_exists(), Ok(false))
            || !store.project_has_nodes()?
        {
            return Ok(());
        }
        let message = format!(
            "the nodes of project `{}` belong to the project in {}",
            self.project,
            owner.display()
        );
        let help = format!(
            "give the project in {} another `name` under [project] in its pallet.toml",
            directory.display()
        );
        Err(PluginError::invalid_input(message).with_help(help).into())
    }

    /// Records that the project's nodes belong to this directory from now on.
    pub(crate) fn claim(&self, store: &Store) -> Result<()> {
        let Some(directory) =
            self.directory.as_ref().filter(|directory| read(store).as_ref() != Some(directory))
        else {
            return Ok(());
        };
        files::make_private_directory(&store.project)?;
        let path = store.project.join(FILE);
        fs::write(&path, directory.as_os_str().as_bytes())
            .with_context(|| format!("cannot write {}", path.display()))
    }
}

/// Removes the store's empty directories and, with the last service, the owner.
pub(crate) fn remove_empty(store: &Store) {
    // fails if it is not empty
    let _ = fs::remove_dir(&store.service);
    if files::subdirectories(&store.project).is_ok_and(|services| services.is_empty()) {
        // fails if there is no owner
        let _ = fs::remove_file(store.project.join(FILE));
    }
    store.remove_empty();
}

fn read(store: &Store) -> Option<PathBuf> {
    let bytes = fs::read(store.project.join(FILE)).ok().filter(|bytes| !bytes.is_empty())?;
    Some(PathBuf::from(OsStr::from_bytes(&bytes)))
}

fn canonical(directory: &Path) -> PathBuf {
    fs::canonicalize(directory).unwrap_or_else(|_| directory.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linux::store::open;

    fn project(parent: &Path, directory: &str) -> (Owner, Store) {
        let directory = if directory.is_empty() { PathBuf::new() } else { parent.join(directory) };
        let context = ServiceContext {
            project: "web".into(),
            service: "here".into(),
            directory,
            data_directory: parent.join("data"),
            ..Default::default()
        };
        (Owner::new(&context), open(&context))
    }

    #[test]
    fn a_name_belongs_to_the_directory_that_has_nodes_and_a_project() {
        let parent = tempfile::tempdir().unwrap();
        for path in ["o1/web", "o2/web"] {
            fs::create_dir_all(parent.path().join(path)).unwrap();
            fs::write(parent.path().join(path).join("pallet.toml"), "").unwrap();
        }
        std::os::unix::fs::symlink(parent.path().join("o1"), parent.path().join("link")).unwrap();
        let (first, store) = project(parent.path(), "o1/web");
        let (second, _) = project(parent.path(), "o2/web");
        let (same, _) = project(parent.path(), "link/web");
        let (program, _) = project(parent.path(), "");
        program.claim(&store).unwrap();
        assert!(!store.project.exists());
        first.claim(&store).unwrap();
        second.check(&store).unwrap();
        fs::create_dir_all(store.directory("web-1")).unwrap();
        for allowed in [&first, &same, &program] {
            allowed.check(&store).unwrap();
        }
        let error = PluginError::from(second.check(&store).unwrap_err());
        assert_eq!(error.kind, ErrorKind::InvalidInput);
        let (o1, o2) =
            (canonical(&parent.path().join("o1/web")), canonical(&parent.path().join("o2/web")));
        assert!(
            error.message.contains(&*o1.to_string_lossy())
                && error.help.contains(&*o2.to_string_lossy()),
            "{error}"
        );
        assert!(error.help.contains("`name` under [project]"), "{error}");

        fs::remove_file(o1.join("pallet.toml")).unwrap();
        second.check(&store).unwrap();
        second.claim(&store).unwrap();
        fs::write(o1.join("pallet.toml"), "").unwrap();
        assert!(first.check(&store).is_err(), "it was taken over");
        fs::remove_dir(store.directory("web-1")).unwrap();
        remove_empty(&store);
        assert!(!store.data.exists());
    }
}
