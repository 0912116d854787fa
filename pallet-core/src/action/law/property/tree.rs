//! The state of a node before an operation, and everything that can be observed of a tree.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown, lchown, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode, XattrFlags};
use rustix::mount::{MountFlags, UnmountFlags};

/// What may be at a path.
#[derive(Debug, Clone)]
pub(super) enum What {
    Nothing,
    File(Content),
    /// Contains a file, a link that leads out of it, and a directory.
    Directory {
        filled: bool,
    },
    /// A link with this target.
    Link(&'static str),
    Fifo,
    Device,
    /// A file with a second hard link beside it.
    TwoNames(Content),
    /// A file with another one mounted over it, as container engines do with /etc/hosts.
    MountedFile(Content),
    /// A directory with a file system mounted on it.
    MountedDirectory,
}

/// The content of a file.
#[derive(Debug, Clone)]
pub(super) enum Content {
    Text(String),
    Bytes(&'static [u8]),
    /// A line, repeated this many times.
    Lines(&'static str, usize),
}

impl Content {
    pub(super) fn bytes(&self) -> Vec<u8> {
        match self {
            Content::Text(text) => text.clone().into_bytes(),
            Content::Bytes(bytes) => bytes.to_vec(),
            Content::Lines(line, times) => line.repeat(*times).into_bytes(),
        }
    }
}

/// What may be at a path, with its attributes.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    pub(super) what: What,
    pub(super) owner: (u32, u32),
    pub(super) mode: u32,
    /// An ACL that lets one more user read and write.
    pub(super) acl: bool,
    /// An extended attribute in the `user` namespace.
    pub(super) xattr: bool,
}

/// The kind of the parent directory of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parent {
    Plain,
    /// It belongs to another user.
    Foreign,
    /// It belongs to IDs without names.
    Nameless,
    /// It is world-writable.
    Sticky,
    /// It passes its group on to new entries.
    GivesGroup,
    /// It passes an ACL on to new entries.
    GivesAcl,
    /// It is on its own file system.
    Mounted,
    /// It is read-only.
    ReadOnly,
    Missing,
    /// It is a file.
    File,
    /// It is a link of root's to a directory elsewhere.
    Link,
    /// It is another user's directory behind a link of theirs.
    ForeignLink,
}

impl Parent {
    /// Whether its entries can be changed.
    pub(super) fn can_be_changed(self) -> bool {
        !matches!(
            self,
            Parent::ReadOnly | Parent::Missing | Parent::File | Parent::Link | Parent::ForeignLink
        )
    }

    /// Creates it at `path`. Mounts are added to `mounted`.
    pub(super) fn build(self, path: &Path, mounted: &mut Vec<PathBuf>) -> std::io::Result<()> {
        let directory = |path: &Path, owner: (u32, u32), mode: u32| {
            fs::create_dir(path)?;
            chown(path, Some(owner.0), Some(owner.1))?;
            fs::set_permissions(path, fs::Permissions::from_mode(mode))
        };
        match self {
            Parent::Missing => Ok(()),
            Parent::Plain | Parent::ReadOnly => directory(path, (0, 0), 0o755),
            Parent::Foreign => directory(path, (APP, APP), 0o755),
            Parent::Nameless => directory(path, NAMELESS, 0o775),
            Parent::Sticky => directory(path, (0, 0), 0o1777),
            Parent::GivesGroup => directory(path, (0, STAFF), 0o2775),
            Parent::GivesAcl => {
                directory(path, (0, 0), 0o755)?;
                set_xattr(path, "system.posix_acl_default", &acl(0o750))
            }
            Parent::Mounted => {
                directory(path, (0, 0), 0o755)?;
                mount_tmpfs(path, mounted)
            }
            Parent::File => fs::write(path, "a file\n"),
            Parent::Link | Parent::ForeignLink => {
                // a relative target, since this process is outside of the node
                let name =
                    Path::new("../home/elsewhere").join(path.file_name().expect("it has a name"));
                fs::create_dir(path.parent().expect("it has one").join(&name))?;
                symlink(&name, path)?;
                let owner = if self == Parent::Link { 0 } else { APP };
                lchown(path, Some(owner), Some(owner))
            }
        }
    }

    /// The last step, after all entries were created.
    pub(super) fn finish(self, path: &Path, mounted: &mut Vec<PathBuf>) -> std::io::Result<()> {
        if self != Parent::ReadOnly {
            return Ok(());
        }
        bind(path, path, mounted)?;
        let flags = MountFlags::BIND | MountFlags::RDONLY;
        Ok(rustix::mount::mount_remount(path, flags, c"")?)
    }
}

/// The user `app` and its group.
pub(super) const APP: u32 = 1001;
/// The group `staff`.
const STAFF: u32 = 50;
/// IDs without names.
pub(super) const NAMELESS: (u32, u32) = (4321, 4322);

impl Standing {
    /// Creates it at `path`, unless its parent is not a directory. Mounts are added to `mounted`.
    pub(super) fn build(&self, path: &Path, mounted: &mut Vec<PathBuf>) -> std::io::Result<()> {
        if !path.parent().is_some_and(Path::is_dir) {
            return Ok(());
        }
        match &self.what {
            What::Nothing => return Ok(()),
            What::File(content) => fs::write(path, content.bytes())?,
            What::TwoNames(content) => {
                let beside = path.with_file_name("second name");
                fs::write(&beside, content.bytes())?;
                fs::hard_link(&beside, path)?;
            }
            What::Directory { filled } => {
                fs::create_dir(path)?;
                if *filled {
                    fs::write(path.join("inner"), "inner\n")?;
                    symlink("/home/elsewhere/victim", path.join("link"))?;
                    fs::create_dir(path.join("deep"))?;
                }
            }
            What::Link(target) => {
                symlink(target, path)?;
                return lchown(path, Some(self.owner.0), Some(self.owner.1));
            }
            What::Fifo => rustix::fs::mknodat(
                rustix::fs::CWD,
                path,
                FileType::Fifo,
                Mode::from_raw_mode(0o600),
                0,
            )?,
            What::Device => {
                let null = rustix::fs::makedev(1, 3);
                rustix::fs::mknodat(
                    rustix::fs::CWD,
                    path,
                    FileType::CharacterDevice,
                    Mode::from_raw_mode(0o600),
                    null,
                )?;
            }
            What::MountedFile(content) => {
                fs::write(path, "under the mount\n")?;
                let source = path.with_file_name("mounted here");
                fs::write(&source, content.bytes())?;
                bind(&source, path, mounted)?;
            }
            What::MountedDirectory => {
                fs::create_dir(path)?;
                mount_tmpfs(path, mounted)?;
            }
        }
        lchown(path, Some(self.owner.0), Some(self.owner.1))?;
        fs::set_permissions(path, fs::Permissions::from_mode(self.mode))?;
        if matches!(self.what, What::Fifo | What::Device) {
            return Ok(());
        }
        if self.acl {
            set_xattr(path, "system.posix_acl_access", &acl(self.mode))?;
        }
        if self.xattr {
            set_xattr(path, "user.origin", b"a test")?;
        }
        Ok(())
    }
}

fn set_xattr(path: &Path, name: &str, value: &[u8]) -> std::io::Result<()> {
    Ok(rustix::fs::lsetxattr(path, name, value, XattrFlags::empty())?)
}

/// The ACL for a mode, with one more user who may read and write.
fn acl(mode: u32) -> Vec<u8> {
    const NOBODY: u32 = u32::MAX;
    let entries: [(u16, u32, u32); 5] = [
        (1, mode >> 6 & 7, NOBODY),
        (2, 6, 1002),
        (4, mode >> 3 & 7, NOBODY),
        (0x10, 6, NOBODY),
        (0x20, mode & 7, NOBODY),
    ];
    let mut list = 2_u32.to_le_bytes().to_vec();
    for (tag, permissions, id) in entries {
        list.extend(tag.to_le_bytes());
        list.extend(u16::try_from(permissions).expect("it has three bits").to_le_bytes());
        list.extend(id.to_le_bytes());
    }
    list
}

fn bind(source: &Path, at: &Path, mounted: &mut Vec<PathBuf>) -> std::io::Result<()> {
    rustix::mount::mount_bind(source, at)?;
    mounted.push(at.to_owned());
    Ok(())
}

fn mount_tmpfs(at: &Path, mounted: &mut Vec<PathBuf>) -> std::io::Result<()> {
    rustix::mount::mount("tmpfs", at, "tmpfs", MountFlags::empty(), Some(c"size=8m,mode=755"))?;
    mounted.push(at.to_owned());
    Ok(())
}

/// Unmounts everything.
pub(super) fn unmount(mounted: &mut Vec<PathBuf>) {
    while let Some(at) = mounted.pop() {
        // an action may have removed it
        let _ = rustix::mount::unmount(&at, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW);
    }
}

/// Everything that can be observed of one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TreeEntry {
    /// What it looks like to an observer: see [`TreeEntry::is_like`].
    pub(super) kind: char,
    pub(super) mode: u32,
    pub(super) owner: (u32, u32),
    /// The content of a file, the target of a link, or the number of a device.
    pub(super) content: Vec<u8>,
    pub(super) xattrs: BTreeMap<String, Vec<u8>>,
    pub(super) device: u64,
    pub(super) inode: u64,
    pub(super) names: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl TreeEntry {
    fn of(path: &Path) -> std::io::Result<TreeEntry> {
        let found = fs::symlink_metadata(path)?;
        let (kind, content) = match found.file_type() {
            kind if kind.is_file() => ('f', fs::read(path)?),
            kind if kind.is_dir() => ('d', Vec::new()),
            kind if kind.is_symlink() => ('l', fs::read_link(path)?.into_os_string().into_vec()),
            kind if kind.is_fifo() => ('p', Vec::new()),
            _ => ('o', found.rdev().to_le_bytes().to_vec()),
        };
        Ok(TreeEntry {
            kind,
            mode: found.mode() & 0o7777,
            owner: (found.uid(), found.gid()),
            content,
            xattrs: xattrs(path)?,
            device: found.dev(),
            inode: found.ino(),
            names: found.nlink(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        })
    }

    /// Whether an observer would see no difference, apart from times and inode numbers.
    pub(super) fn is_like(&self, other: &TreeEntry) -> bool {
        (self.kind, self.mode, self.owner, &self.content, &self.xattrs)
            == (other.kind, other.mode, other.owner, &other.content, &other.xattrs)
    }

    pub(super) fn was_touched(&self, other: &TreeEntry) -> bool {
        self.modified != other.modified
    }
}

impl std::fmt::Display for TreeEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let content =
            String::from_utf8_lossy(&self.content[..self.content.len().min(60)]).into_owned();
        let xattrs: Vec<_> = self.xattrs.keys().collect();
        write!(
            f,
            "{} {:04o} {}:{} {} bytes {content:?} {xattrs:?}",
            self.kind,
            self.mode,
            self.owner.0,
            self.owner.1,
            self.content.len()
        )
    }
}

fn xattrs(path: &Path) -> std::io::Result<BTreeMap<String, Vec<u8>>> {
    let mut names = [0; 4096];
    let length = rustix::fs::llistxattr(path, &mut names[..])?;
    let mut found = BTreeMap::new();
    for name in names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let mut value = [0; 4096];
        let length = rustix::fs::lgetxattr(path, name, &mut value[..])?;
        found.insert(String::from_utf8_lossy(name).into_owned(), value[..length].to_vec());
    }
    Ok(found)
}

/// Everything that can be observed below some directories, by path from the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tree(pub(super) BTreeMap<PathBuf, TreeEntry>);

impl Tree {
    pub(super) fn of(root: &Path, directories: &[&str]) -> std::io::Result<Tree> {
        let mut tree = Tree(BTreeMap::new());
        for directory in directories {
            tree.add(root, &root.join(directory))?;
        }
        Ok(tree)
    }

    fn add(&mut self, root: &Path, path: &Path) -> std::io::Result<()> {
        let seen = TreeEntry::of(path)?;
        let directory = seen.kind == 'd';
        let named = Path::new("/").join(path.strip_prefix(root).expect("it is below the root"));
        self.0.insert(named, seen);
        if directory {
            for entry in fs::read_dir(path)? {
                self.add(root, &entry?.path())?;
            }
        }
        Ok(())
    }

    pub(super) fn at(&self, path: &str) -> Option<&TreeEntry> {
        self.0.get(Path::new(path))
    }

    /// The paths where the two trees differ, each with the old and the new state.
    pub(super) fn differences<'a>(&'a self, after: &'a Tree) -> Vec<Difference<'a>> {
        let paths = self.0.keys().chain(after.0.keys().filter(|path| !self.0.contains_key(*path)));
        paths
            .map(|path| Difference { path, before: self.0.get(path), after: after.0.get(path) })
            .filter(|difference| match (difference.before, difference.after) {
                (Some(before), Some(after)) => !before.is_like(after),
                _ => true,
            })
            .collect()
    }
}

/// Where two trees differ.
#[derive(Debug, Clone, Copy)]
pub(super) struct Difference<'a> {
    pub(super) path: &'a Path,
    pub(super) before: Option<&'a TreeEntry>,
    pub(super) after: Option<&'a TreeEntry>,
}

impl std::fmt::Display for Difference<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown =
            |seen: Option<&TreeEntry>| seen.map_or("nothing".to_owned(), TreeEntry::to_string);
        write!(f, "{:?}: {} -> {}", self.path, shown(self.before), shown(self.after))
    }
}

/// A name that is not UTF-8, for an entry beside the subject of an action.
pub(super) fn not_utf8() -> OsString {
    OsString::from_vec(b"not \xff utf-8\n".to_vec())
}
