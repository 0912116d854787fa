//! The role of this machine in a project, stored in a small file.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use pallet_core::prelude::{Context, Deserialize, Result, Serialize, ServiceContext, files};

/// A role in the project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(crate = "pallet_core::serde")]
pub(crate) struct Role {
    pub(crate) group: String,
    pub(crate) name: String,
    /// When it got this role, in seconds since 1970-01-01 UTC.
    pub(crate) created: u64,
}

/// The file for a service of a project.
pub(crate) fn file(context: &ServiceContext) -> PathBuf {
    context.data_directory.join(format!(
        "{}+{}.json",
        files::file_name(&context.project),
        files::file_name(&context.service)
    ))
}

pub(crate) fn read(path: &Path) -> Result<Option<Role>> {
    match fs::read(path) {
        Ok(bytes) => {
            let role = serde_json::from_slice(&bytes);
            role.map(Some).with_context(|| {
                format!("{} cannot be read; remove it, and run converge again", path.display())
            })
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

pub(crate) fn write(path: &Path, role: &Role) -> Result<()> {
    if let Some(directory) = path.parent() {
        files::make_private_directory(directory)?;
    }
    files::write_whole(path, &serde_json::to_vec(role)?)
}

pub(crate) fn forget(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("cannot remove {}", path.display()));
        }
        _ => {}
    }
    if let Some(directory) = path.parent() {
        // fails if it contains files of other projects
        let _ = fs::remove_dir(directory);
    }
    Ok(())
}
