//! The files that are open in the editor.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use lsp_types::Uri;
use url::Url;

use crate::project::{CONFIG, UnsavedFiles};

/// The open files by path.
#[derive(Debug, Default)]
pub(super) struct Documents(BTreeMap<PathBuf, Document>);

/// An open file.
#[derive(Debug)]
pub(super) struct Document {
    /// The editor's name for it.
    pub(super) uri: Uri,
    pub(super) version: i32,
    pub(super) text: String,
}

impl Documents {
    /// Stores the current text of a file. URIs that are no local file are ignored.
    pub(super) fn set(&mut self, uri: Uri, version: i32, text: String) {
        if let Some(path) = path_of(&uri) {
            self.0.insert(path, Document { uri, version, text });
        }
    }

    /// Forgets a file; from now on, the one on disk counts.
    pub(super) fn close(&mut self, uri: &Uri) {
        if let Some(path) = path_of(uri) {
            self.0.remove(&path);
        }
    }

    /// An open file.
    pub(super) fn get(&self, path: &Path) -> Option<&Document> {
        self.0.get(path)
    }

    /// The directory of a file's project: the nearest one above it with a pallet.toml, otherwise
    /// the file's own.
    pub(super) fn home(&self, path: &Path) -> PathBuf {
        let has_config = |directory: &&Path| {
            self.0.contains_key(&directory.join(CONFIG)) || directory.join(CONFIG).is_file()
        };
        let own = path.parent().unwrap_or(path);
        own.ancestors().find(has_config).unwrap_or(own).to_owned()
    }

    /// The project directories of all open files.
    pub(super) fn homes(&self) -> BTreeSet<PathBuf> {
        self.0.keys().map(|path| self.home(path)).collect()
    }

    /// The open files of a project directory.
    pub(super) fn of(&self, directory: &Path) -> Vec<&Path> {
        self.0.keys().map(PathBuf::as_path).filter(|path| self.home(path) == directory).collect()
    }

    /// The texts of the open files below a directory.
    pub(super) fn unsaved(&self, directory: &Path) -> UnsavedFiles {
        self.0
            .iter()
            .filter_map(|(path, document)| Some((name_in(directory, path)?, document.text.clone())))
            .collect()
    }
}

/// The name of a file in the project of a directory.
pub(super) fn name_in(directory: &Path, path: &Path) -> Option<String> {
    path.strip_prefix(directory).ok()?.to_str().map(str::to_owned)
}

/// The path of a file on this machine.
pub(super) fn path_of(uri: &Uri) -> Option<PathBuf> {
    Url::parse(uri.as_str()).ok().filter(|url| url.scheme() == "file")?.to_file_path().ok()
}

/// The URI for a file that the editor has not opened.
pub(super) fn uri_of(path: &Path) -> Option<Uri> {
    Url::from_file_path(path).ok()?.as_str().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_uris_are_the_same_files() {
        let uri = uri_of(Path::new("/a b/\u{e9}%.star")).unwrap();
        assert_eq!(uri.as_str(), "file:///a%20b/%C3%A9%25.star");
        assert_eq!(path_of(&uri).unwrap(), Path::new("/a b/\u{e9}%.star"));
        assert_eq!(path_of(&"untitled:Untitled-1".parse().unwrap()), None);
    }

    #[test]
    fn a_file_belongs_to_the_nearest_project_above_it() {
        let directory = tempfile::tempdir().unwrap();
        let inner = directory.path().join("a/b");
        std::fs::create_dir_all(&inner).unwrap();
        let mut documents = Documents::default();
        documents.set(uri_of(&inner.join("x.star")).unwrap(), 1, "text".to_owned());
        assert_eq!(documents.home(&inner.join("x.star")), inner);
        // an unsaved pallet.toml counts
        documents.set(uri_of(&directory.path().join(CONFIG)).unwrap(), 1, String::new());
        assert_eq!(documents.home(&inner.join("x.star")), directory.path());
        assert_eq!(documents.unsaved(directory.path())["a/b/x.star"], "text");
        assert_eq!(documents.of(directory.path()).len(), 2);
    }
}
