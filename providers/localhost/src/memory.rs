//! What this machine is in a project, remembered in a small file.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use pallet_core::prelude::{Context, Deserialize, Result, Serialize, ServiceContext};

/// Its place in the project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(crate = "pallet_core::serde")]
pub(crate) struct Role {
    pub(crate) group: String,
    pub(crate) name: String,
    /// When it was given this place, in seconds since 1970-01-01 UTC.
    pub(crate) created: u64,
}

/// The file of a service of a project.
pub(crate) fn file(context: &ServiceContext) -> PathBuf {
    context.data_directory.join(format!("{}+{}.json", escaped(&context.project), escaped(&context.service)))
}

/// A name as part of a file's: what is not a letter, a digit or `-` as `%2F`.
fn escaped(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    name.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

pub(crate) fn read(path: &Path) -> Result<Option<Role>> {
    match fs::read(path) {
        Ok(bytes) => {
            let role = serde_json::from_slice(&bytes);
            role.map(Some).with_context(|| format!("{} cannot be read; remove it, and run converge again", path.display()))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

pub(crate) fn write(path: &Path, role: &Role) -> Result<()> {
    let write = || -> Result<()> {
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        let part = path.with_extension("json.part");
        fs::write(&part, serde_json::to_vec(role)?)?;
        fs::rename(&part, path)?;
        Ok(())
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

pub(crate) fn forget(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("cannot remove {}", path.display()));
        }
        _ => {}
    }
    if let Some(directory) = path.parent() {
        // other projects' files may be in it
        let _ = fs::remove_dir(directory);
    }
    Ok(())
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
