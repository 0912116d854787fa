//! Records which archives were unpacked.

use crate::model::{Known, digest};
use crate::observe::{FileState, NodeState};
use crate::script::Script;

/// The directory of root's records.
const RECORDS: &str = "/var/lib/pallet/unpacked/";

/// The record of unpacking an archive to a directory.
pub(super) struct Record<'a> {
    /// The path of the directory.
    pub(super) path: &'a str,
    /// The URL or the path of the archive.
    pub(super) archive: String,
    /// Identifies the way in which it was unpacked.
    pub(super) how: String,
}

impl Record<'_> {
    /// The file name of root's record, one file per declaration. The part before the dot is the
    /// same for archives whose names differ only in their version; a new version is unpacked over
    /// an old one.
    fn name(&self) -> String {
        let short = |text: String| digest(text.as_bytes())[..16].to_owned();
        let Record { path, archive, how } = self;
        let version = |part: &str| {
            let versioned = part.contains(|char: char| char.is_ascii_digit());
            if versioned { "#".to_owned() } else { part.to_owned() }
        };
        let plain: Vec<_> =
            archive.split(['/', '-', '_', '.', '+', '?', '&', '=']).map(version).collect();
        format!(
            "{}-{}.{}",
            short((*path).to_owned()),
            short(format!("{plain:?} {how}")),
            short(format!("{archive} {how}"))
        )
    }

    /// The path of root's record.
    fn of_root(&self) -> String {
        format!("{RECORDS}{}", self.name())
    }

    /// The path of the record in the directory itself, used by other users than root and by older
    /// versions of Pallet.
    fn in_directory(&self) -> String {
        format!("{}/.pallet.directory", self.path)
    }

    /// All possible paths of the record.
    pub(super) fn files(&self) -> [String; 2] {
        [self.of_root(), self.in_directory()]
    }

    /// The path of the record on this node.
    pub(super) fn file(&self, node: &NodeState) -> String {
        if node.user == "root" { self.of_root() } else { self.in_directory() }
    }

    /// The known state of the record, which an older version of Pallet may have left in the
    /// directory.
    pub(super) fn state<'a>(&self, node: &'a NodeState) -> Known<&'a FileState> {
        let own = node.file(&self.file(node));
        let older = node.file(&self.in_directory());
        match (&own, &older) {
            (Known::Known(FileState::Absent), Known::Known(FileState::File { attributes, .. }))
                if attributes.owner == Some(node.user.clone()) =>
            {
                older
            }
            _ => own,
        }
    }

    /// The digest of the record's content, for an archive with this identity.
    pub(super) fn digest(&self, identity: &str) -> String {
        digest(format!("{identity} {}\n", self.how).as_bytes())
    }

    /// Tells the library the name of this archive's record, and those of other versions that are
    /// also declared.
    pub(super) fn script(&self, node: &NodeState) -> Script {
        let own = self.name();
        let alike = format!("{RECORDS}{}.", own.split_once('.').map_or("", |(alike, _)| alike));
        let others = node
            .known_files(&alike)
            .filter_map(|file| file.strip_prefix(RECORDS))
            .filter(|file| *file != own);
        let names = std::iter::once("unpacked_as").chain([own.as_str()]).chain(others);
        Script::new().call(names)
    }
}
