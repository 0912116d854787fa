//! The digest of a plugin's files: `h1:<base64>`, as Go's `dirhash` computes it.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::Digest as _;
use thiserror::Error;

use super::digest::Digest;
use crate::model::hex;

/// A file of a plugin that cannot be read.
#[derive(Debug, Error)]
#[error("cannot read {}: {error}", path.display())]
pub struct TreeError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub error: io::Error,
}

impl TreeError {
    fn of(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| TreeError { path, error }
    }
}

/// The digest of a directory's content. Anything but files and directories is an error. Blocks.
pub fn tree_digest(directory: &Path) -> Result<String, TreeError> {
    let mut digests = BTreeMap::new();
    collect(directory, "", &mut digests)?;
    Ok(tree_digest_of(digests.iter().map(|(path, digest)| (path.as_str(), *digest))))
}

/// The digest of files, given as paths and content digests sorted by path.
pub fn tree_digest_of<'a>(digests: impl Iterator<Item = (&'a str, Digest)>) -> String {
    let mut hasher = sha2::Sha256::new();
    for (path, digest) in digests {
        hasher.update(format!("{}  {path}\n", hex(digest.bytes())));
    }
    format!("h1:{}", STANDARD.encode(hasher.finalize()))
}

fn collect(
    directory: &Path,
    prefix: &str,
    digests: &mut BTreeMap<String, Digest>,
) -> Result<(), TreeError> {
    for entry in std::fs::read_dir(directory).map_err(TreeError::of(directory))? {
        let entry = entry.map_err(TreeError::of(directory))?;
        let path = entry.path();
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type().map_err(TreeError::of(&path))?;
        if kind.is_dir() {
            collect(&path, &format!("{name}/"), digests)?;
        } else if kind.is_file() {
            digests.insert(name, Digest::of_file(&path).map_err(TreeError::of(&path))?.0);
        } else {
            let error = io::Error::other("it is neither a file nor a directory");
            return Err(TreeError::of(&path)(error));
        }
    }
    Ok(())
}
