//! Images for nodes: disk files, and the nodes' own disks as overlays.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use pallet_core::prelude::*;

use crate::options::{ImageOptions, Options};

const GIB: u64 = 1 << 30;

/// A kernel that is booted instead of the disk's boot loader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(crate = "pallet_core::serde")]
pub(crate) struct Kernel {
    pub(crate) kernel: PathBuf,
    pub(crate) initrd: Option<PathBuf>,
    pub(crate) append: String,
}

/// A disk image.
#[derive(Debug, PartialEq)]
pub(crate) struct Disk {
    pub(crate) path: PathBuf,
    /// In QEMU's notation.
    pub(crate) format: &'static str,
    /// The virtual size, in bytes.
    pub(crate) size: u64,
}

/// The first bytes of files that are not directly usable as disks.
const OTHERS: [(&[u8], &str); 8] = [
    (b"\x1f\x8b", "compressed by gzip; unpack it"),
    (b"\xfd7zXZ", "compressed by xz; unpack it"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd; unpack it"),
    (b"BZh", "compressed by bzip2; unpack it"),
    (b"PK\x03\x04", "a zip archive; unpack it"),
    (b"KDMV", "in the format vmdk; convert it with `qemu-img convert -O qcow2`"),
    (b"vhdxfile", "in the format vhdx; convert it with `qemu-img convert -O qcow2`"),
    (b"conectix", "in the format vhd; convert it with `qemu-img convert -O qcow2`"),
];

impl Disk {
    /// Reads the beginning of a file.
    pub(crate) fn open(path: &Path) -> Result<Disk, PluginError> {
        let invalid =
            |why: String| PluginError::invalid_input(format!("image {} {why}", path.display()));
        let mut head = [0; 32];
        let mut read = || -> std::io::Result<u64> {
            let mut file = File::open(path)?;
            let length = file.metadata()?.len();
            file.read_exact(&mut head)?;
            Ok(length)
        };
        let length = match read() {
            Ok(length) => length,
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                return Err(invalid("is not a disk: it is too small".into()));
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(PluginError::not_found(format!(
                    "there is no image {}",
                    path.display()
                )));
            }
            Err(error) => return Err(invalid(format!("cannot be read: {error}"))),
        };
        if let Some((_, what)) = OTHERS.iter().find(|(magic, _)| head.starts_with(magic)) {
            return Err(invalid(format!("is {what}")));
        }
        let path = path.to_owned();
        if head.starts_with(b"QFI\xfb") {
            // bytes 24 to 31 of the header
            let size = head.iter().skip(24).fold(0, |size, byte| size << 8 | u64::from(*byte));
            return Ok(Disk { path, format: "qcow2", size });
        }
        if length < 1 << 20 {
            return Err(invalid("is not a disk: it is too small".into()));
        }
        Ok(Disk { path, format: "raw", size: length })
    }

    /// Creates the disk of a node, which stores its changes. It has the image's size, or this many
    /// GiB if that is more.
    pub(crate) fn overlay(&self, path: &Path, min_gib: Option<u64>) -> Result<()> {
        let mut create = Command::new("qemu-img");
        create
            .args(["create", "-q", "-f", "qcow2", "-F", self.format, "-b"])
            .arg(&self.path)
            .arg(path);
        if let Some(size) =
            min_gib.and_then(|gib| gib.checked_mul(GIB)).filter(|size| *size > self.size)
        {
            create.arg(size.to_string());
        }
        let output = create.output().map_err(|error| missing(Path::new("qemu-img"), &error))?;
        ensure!(
            output.status.success(),
            PluginError::failed(format!(
                "cannot create a disk over {}: {}",
                self.path.display(),
                complaint(&output.stderr)
            ))
        );
        Ok(())
    }
}

/// The error for a program that cannot be started.
pub(crate) fn missing(program: &Path, error: &std::io::Error) -> PluginError {
    let message = format!("cannot run {}: {error}", program.display());
    let package = match program.file_name().and_then(|name| name.to_str()) {
        Some("qemu-img") => "qemu-utils",
        Some(name) if name.ends_with("x86_64") => "qemu-system-x86",
        Some(name) if name.ends_with("aarch64") => "qemu-system-arm",
        _ => "qemu-system",
    };
    let error = PluginError::failed(message);
    error.with_help(format!(
        "install QEMU (on Debian: {package}), or name the program with the option `program`"
    ))
}

/// The last line that a QEMU program printed, without its own name.
pub(crate) fn complaint(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let mut lines = text.lines().map(str::trim);
    let said = lines
        .rfind(|line| !line.is_empty() && !line.contains("warning:"))
        .unwrap_or("it ended without a message");
    let said = said
        .strip_prefix("qemu-")
        .and_then(|rest| rest.split_once(": "))
        .map_or(said, |(_, rest)| rest);
    said.chars().filter(|c| !c.is_control()).collect()
}

/// The images of a service, for the host to choose from.
pub(crate) fn all(options: &Options, directory: &Path, arch: &str) -> Vec<Image> {
    let image = |(name, image): (&String, &ImageOptions)| {
        // an unreadable image fails, with the reason, when a node is created from it
        let disk = Disk::open(&directory.join(&image.path)).ok();
        Image {
            id: name.clone(),
            name: name.clone(),
            os: image.os.as_deref().map(|os| Os::named(os, arch)),
            login_user: image.login_user.clone(),
            min_disk: disk.map(|disk| disk.size.div_ceil(GIB)),
        }
    };
    options.images.iter().map(image).collect()
}

impl ImageOptions {
    /// The kernel to boot instead of the disk's boot loader.
    pub(crate) fn kernel(&self, directory: &Path) -> Result<Option<Kernel>, PluginError> {
        let Some(kernel) = &self.kernel else { return Ok(None) };
        let kernel = Kernel {
            kernel: directory.join(kernel),
            initrd: self.initrd.as_ref().map(|initrd| directory.join(initrd)),
            append: self
                .append
                .clone()
                .unwrap_or_else(|| "root=/dev/vda rw console=ttyS0".to_owned()),
        };
        for file in [Some(&kernel.kernel), kernel.initrd.as_ref()].into_iter().flatten() {
            if !fs::metadata(file).is_ok_and(|meta| meta.is_file()) {
                return Err(PluginError::not_found(format!("there is no file {}", file.display())));
            }
        }
        Ok(Some(kernel))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_told_from_what_is_none() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("disk");
        let open = |content: &[u8]| {
            fs::write(&path, content).unwrap();
            Disk::open(&path)
                .map(|disk| (disk.format, disk.size))
                .map_err(|error| error.to_string())
        };
        let missing = Disk::open(&path).unwrap_err();
        assert_eq!(
            (missing.kind, missing.message),
            (ErrorKind::NotFound, format!("there is no image {}", path.display()))
        );
        let mut qcow2 = b"QFI\xfb\0\0\0\x03".to_vec();
        qcow2.extend([0; 16]);
        qcow2.extend((5 * GIB).to_be_bytes());
        assert_eq!(open(&qcow2), Ok(("qcow2", 5 * GIB)));
        assert_eq!(open(&vec![0; 1 << 20]), Ok(("raw", 1 << 20)));
        assert!(open(b"").unwrap_err().ends_with("is not a disk: it is too small"));
        assert!(open(&[0; 4096]).unwrap_err().ends_with("is not a disk: it is too small"));
        let mut xz = b"\xfd7zXZ\0".to_vec();
        xz.resize(2 << 20, 0);
        assert_eq!(
            open(&xz),
            Err(format!("image {} is compressed by xz; unpack it", path.display()))
        );
        assert!(Disk::open(directory.path()).unwrap_err().message.contains("cannot be read"));
    }

    #[test]
    fn what_qemu_says_becomes_one_line() {
        let said = b"qemu-system-x86_64: warning: host doesn't support it\n\
            qemu-system-x86_64: -m 9T: cannot set up memory: no\n\n";
        assert_eq!(complaint(said), "-m 9T: cannot set up memory: no");
        assert_eq!(complaint(b"Could not open\x1b '/x'\n"), "Could not open '/x'");
        assert_eq!(complaint(b""), "it ended without a message");
    }

    #[test]
    fn a_system_is_what_is_claimed() {
        let os = Os::named("debian 12", "x86_64");
        assert_eq!(
            (os.id.as_str(), os.version.as_str(), os.family, os.arch.as_str()),
            ("debian", "12", OsFamily::Debian, "x86_64")
        );
        assert_eq!(Os::named("alpine", "").service_manager, ServiceManager::Openrc);
    }

    #[test]
    fn a_program_that_is_missing_names_its_package() {
        let error = missing(Path::new("qemu-system-x86_64"), &std::io::ErrorKind::NotFound.into())
            .to_string();
        assert!(
            error.starts_with("cannot run qemu-system-x86_64: ")
                && error.contains("on Debian: qemu-system-x86)"),
            "{error}"
        );
    }
}
