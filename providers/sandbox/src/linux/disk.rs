//! A node's disk: the writable layers of an overlay over the image. Private directories of the
//! machine are hidden.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, symlink};
use std::path::{Path, PathBuf};

use pallet_core::prelude::*;
use rustix::fs::XattrFlags;

use crate::linux::image::Root;

/// Directories of the machine that are empty in nodes.
const PRIVATE: [&str; 12] = [
    "/root",
    "/home",
    "/tmp",
    "/var/tmp",
    "/srv",
    "/mnt",
    "/media",
    "/var/mail",
    "/var/spool/cron",
    "/var/lib/docker",
    "/var/lib/containers",
    "/var/lib/libvirt",
];

/// Directories of the machine that may be separate file systems. An overlay covers only one file
/// system, so each of these needs its own.
const VOLUMES: [&str; 8] =
    ["/usr", "/usr/local", "/opt", "/etc", "/var", "/var/lib", "/var/cache", "/var/log"];

/// Directories that every system needs: they are not hidden, even if the project is in one of them.
const SYSTEM: [&str; 7] = ["/bin", "/etc", "/lib", "/opt", "/sbin", "/usr", "/var"];

/// The parts of a node's root.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Layout {
    /// The mount points of its file systems: `""` for the root, `/usr`, ...
    pub(crate) volumes: Vec<String>,
    /// Directories that are initially empty.
    pub(crate) hidden: Vec<PathBuf>,
}

impl Layout {
    /// The layout of nodes with this `image`. `private` are additional directories to hide.
    pub(crate) fn of(image: &Root, private: &[&Path]) -> Layout {
        if !image.is_machine() {
            return Layout { volumes: vec![String::new()], hidden: Vec::new() };
        }
        let mounts = mount_points();
        let mut volumes = vec![String::new()];
        volumes.extend(
            VOLUMES
                .iter()
                .filter(|path| mounts.iter().any(|mount| mount == *path))
                .map(|path| (*path).to_owned()),
        );

        let mut hidden: Vec<PathBuf> = PRIVATE.iter().map(PathBuf::from).collect();
        hidden.extend(private.iter().filter_map(|path| fs::canonicalize(path).ok()));
        if let Ok(entries) = fs::read_dir("/var/lib") {
            let names = entries
                .flatten()
                .filter(|entry| entry.file_name().to_string_lossy().starts_with("pallet"));
            hidden.extend(names.map(|entry| entry.path()));
        }
        hidden.sort();
        hidden.dedup();
        hidden.retain(|path| {
            fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir()) && !holds_system(path)
        });
        // a hidden directory also hides everything below it; sorting puts the outer one first
        let mut outermost: Vec<PathBuf> = Vec::new();
        for path in hidden {
            if !outermost.iter().any(|outer| path.starts_with(outer)) {
                outermost.push(path);
            }
        }
        Layout { volumes, hidden: outermost }
    }

    /// The index of the volume that contains a path, and the path in it.
    fn place<'path>(&self, path: &'path Path) -> (usize, &'path Path) {
        let on =
            |volume: &str| path.strip_prefix(if volume.is_empty() { "/" } else { volume }).ok();
        let places = self
            .volumes
            .iter()
            .enumerate()
            .filter_map(|(number, volume)| Some((number, on(volume)?)));
        places.min_by_key(|(_, inside)| inside.as_os_str().len()).unwrap_or((0, path))
    }
}

/// Creates the disk of a new node in `directory`. Returns `false` if that file system does not
/// support it, so that the disk must be in memory.
pub(crate) fn create(directory: &Path, image: &Root, layout: &Layout) -> Result<bool> {
    symlink(&image.directory, directory.join("lower")).context("cannot link to the image")?;
    for path in ["root", "disk"] {
        make(&directory.join(path), 0o755)?;
    }
    if !can_hold_layers(&directory.join("disk")) {
        return Ok(false);
    }
    for (number, volume) in layout.volumes.iter().enumerate() {
        let layer = directory.join("disk").join(number.to_string());
        make(&layer, 0o755)?;
        make(&layer.join("work"), 0o755)?;
        make_like(&layer.join("upper"), &image.directory.join(volume.trim_start_matches('/')))?;
    }
    for path in &layout.hidden {
        hide(directory, layout, path).with_context(|| format!("cannot hide {}", path.display()))?;
    }
    Ok(true)
}

/// Hides the machine's `path` with an empty directory.
fn hide(directory: &Path, layout: &Layout, path: &Path) -> Result<()> {
    let (number, inside) = layout.place(path);
    let upper = directory.join("disk").join(number.to_string()).join("upper");
    let base = Path::new("/")
        .join(layout.volumes.get(number).map_or("", |volume| volume.trim_start_matches('/')));
    let (mut made, mut from) = (upper, base);
    for part in inside.components() {
        made.push(part);
        from.push(part);
        if !made.exists() {
            make_like(&made, &from)?;
        }
    }
    rustix::fs::setxattr(&made, "trusted.overlay.opaque", b"y", XattrFlags::empty())?;
    Ok(())
}

/// Whether this directory can contain the writable layer of an overlay: its file system must
/// support the extended attributes of overlayfs.
fn can_hold_layers(directory: &Path) -> bool {
    // OVERLAYFS_SUPER_MAGIC
    let on_overlay = rustix::fs::statfs(directory).is_ok_and(|disk| disk.f_type == 0x794c_7630);
    !on_overlay
        && rustix::fs::setxattr(directory, "trusted.overlay.pallet", b"y", XattrFlags::empty())
            .is_ok()
}

fn make(path: &Path, mode: u32) -> Result<()> {
    fs::DirBuilder::new()
        .mode(mode)
        .create(path)
        .with_context(|| format!("cannot make {}", path.display()))
}

/// Creates a directory with the owner and mode of another.
fn make_like(path: &Path, like: &Path) -> Result<()> {
    let like = fs::metadata(like).with_context(|| format!("cannot read {}", like.display()))?;
    make(path, 0o700)?;
    std::os::unix::fs::chown(path, Some(like.uid()), Some(like.gid()))?;
    fs::set_permissions(path, like.permissions())?;
    Ok(())
}

fn holds_system(path: &Path) -> bool {
    SYSTEM.iter().any(|system| Path::new(system).starts_with(path))
}

/// The mount points of this machine.
fn mount_points() -> Vec<String> {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    mounts.lines().filter_map(|line| line.split(' ').nth(1)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_belongs_to_the_innermost_volume() {
        let layout = Layout {
            volumes: vec![String::new(), "/var".into(), "/var/lib".into()],
            hidden: Vec::new(),
        };
        assert_eq!(layout.place(Path::new("/root")), (0, Path::new("root")));
        assert_eq!(layout.place(Path::new("/var/tmp")), (1, Path::new("tmp")));
        assert_eq!(layout.place(Path::new("/var/lib/pallet")), (2, Path::new("pallet")));
        assert_eq!(layout.place(Path::new("/variable/x")), (0, Path::new("variable/x")));
    }

    #[test]
    fn what_is_private_is_hidden_and_the_system_is_not() {
        let machine =
            Root { id: crate::linux::image::MACHINE.into(), directory: "/".into(), os: None };
        let project = tempfile::tempdir_in("/var").unwrap_or_else(|_| tempfile::tempdir().unwrap());
        let hidden = Layout::of(
            &machine,
            &[project.path(), Path::new("/"), Path::new("/usr"), Path::new("/root")],
        )
        .hidden;
        assert!(
            hidden.contains(&PathBuf::from("/root")) && hidden.contains(&PathBuf::from("/tmp"))
        );
        assert!(hidden.iter().any(|path| project.path().starts_with(path)));
        assert!(!hidden.contains(&PathBuf::from("/usr")) && !hidden.contains(&PathBuf::from("/")));
        let image = Root { id: "image".into(), directory: "/".into(), os: None };
        assert_eq!(
            Layout::of(&image, &[project.path()]),
            Layout { volumes: vec![String::new()], hidden: Vec::new() }
        );
    }
}
