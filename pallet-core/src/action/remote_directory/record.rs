//! Where it is recorded that an archive was unpacked.

use crate::model::{Known, digest};
use crate::observe::{FileState, NodeState};
use crate::script::Script;

/// The directory of root's records.
const RECORDS: &str = "/var/lib/pallet/unpacked/";

/// The record that an archive was unpacked to a directory.
pub(super) struct Record<'a> {
    /// The path of the directory.
    pub(super) path: &'a str,
    /// The URL or the path of the archive.
    pub(super) archive: String,
    /// What tells one way to unpack it from another.
    pub(super) how: String,
}

impl Record<'_> {
    /// The name of root's record: a file for each declaration. What stands before the dot is the
    /// same for archives of the same name but for what tells their versions: of those, a new one is
    /// unpacked over an old one.
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

    /// Where root records it.
    fn of_root(&self) -> String {
        format!("{RECORDS}{}", self.name())
    }

    /// The record in the directory itself, of users other than root and of older versions of
    /// Pallet.
    fn in_directory(&self) -> String {
        format!("{}/.pallet.directory", self.path)
    }

    /// All files that may be the record.
    pub(super) fn files(&self) -> [String; 2] {
        [self.of_root(), self.in_directory()]
    }

    /// The file that is the record on this node.
    pub(super) fn file(&self, node: &NodeState) -> String {
        if node.user == "root" { self.of_root() } else { self.in_directory() }
    }

    /// What is known of the record. An older version of Pallet may have left it in the directory.
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

    /// The digest of the record of an archive with this identity.
    pub(super) fn digest(&self, identity: &str) -> String {
        digest(format!("{identity} {}\n", self.how).as_bytes())
    }

    /// Tells the library which record is this archive's, and which are of others that are declared
    /// beside it.
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
