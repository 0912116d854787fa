//! Packs and unpacks the layer of a plugin: its files as a gzipped tar. The bytes are the same on
//! every machine.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path};

use flate2::read::GzDecoder;
use flate2::{Compression, GzBuilder};
use sha2::Digest as _;
use tar::{Archive, Builder, EntryType, Header};

use super::{ArtifactError, Target};
use crate::plugins::{Digest, tree_digest_of};

/// The files of a plugin, by path.
pub(super) type Files = BTreeMap<String, Vec<u8>>;

/// Packs files, with a fixed order, owner, time and compression.
pub(super) fn pack(files: &Files) -> std::io::Result<Vec<u8>> {
    const UNKNOWN_SYSTEM: u8 = 255;
    let zipped = GzBuilder::new()
        .mtime(0)
        .operating_system(UNKNOWN_SYSTEM)
        .write(Vec::new(), Compression::best());
    let mut tar = Builder::new(zipped);
    for (path, content) in files {
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        tar.append_data(&mut header, path, content.as_slice())?;
    }
    tar.into_inner()?.finish()
}

/// The total size of files, in bytes.
pub(super) fn size(files: &Files) -> u64 {
    files.values().map(|content| content.len() as u64).sum()
}

/// The digest of a tree of files, as Go's `dirhash` computes it: `h1:` and base64.
pub(super) fn h1(files: &Files) -> String {
    tree_digest_of(files.iter().map(|(path, content)| (path.as_str(), Digest::of(content))))
}

/// Unpacks a layer into an empty directory, and verifies it against the index. Accepts only plain
/// files inside the directory, and no more bytes than declared. After an error the directory may
/// contain some of the files. Blocks.
pub fn unpack(layer: &Path, directory: &Path, target: &Target) -> Result<(), ArtifactError> {
    let corrupt = |message: String| ArtifactError::Corrupt {
        place: layer.display().to_string(),
        what: "the archive".to_owned(),
        message,
    };
    let file = File::open(layer).map_err(ArtifactError::reading(layer))?;
    // never decompress more than declared: headers and padding take at most this much per file
    let bound = target.size.saturating_add(MAX_FILES * 2048);
    let mut archive = Archive::new(GzDecoder::new(file).take(bound));
    let broken = |error: std::io::Error| corrupt(format!("it cannot be unpacked: {error}"));
    let mut digests = BTreeMap::new();
    let mut left = target.size;
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let path = entry.path().map_err(broken)?.into_owned();
        let name = plain_path(&path).ok_or_else(|| {
            corrupt(format!("it holds the path {}, which is outside of it", path.display()))
        })?;
        match entry.header().entry_type() {
            EntryType::Directory => continue,
            EntryType::Regular => {}
            _ => return Err(corrupt(format!("it holds {name}, which is not a regular file"))),
        }
        left = left.checked_sub(entry.size()).ok_or_else(|| {
            corrupt(format!("it holds more than the {} bytes that it declares", target.size))
        })?;
        if digests.len() as u64 == MAX_FILES {
            return Err(corrupt(format!("it holds more than {MAX_FILES} files")));
        }
        let digest = write(&mut entry, &directory.join(&name)).map_err(|error| match error {
            Failure::Read(error) => broken(error),
            Failure::Write(error) => ArtifactError::writing(&directory.join(&name))(error),
        })?;
        if digests.insert(name.clone(), digest).is_some() {
            return Err(corrupt(format!("it holds {name} twice")));
        }
    }
    // the rest is the end of the archive; the checksum after it detects damage
    std::io::copy(&mut archive.into_inner(), &mut std::io::sink()).map_err(broken)?;
    let found = tree_digest_of(digests.iter().map(|(path, digest)| (path.as_str(), *digest)));
    if found == target.h1 {
        Ok(())
    } else {
        Err(corrupt(format!("its files have the digest {found} instead of {}", target.h1)))
    }
}

/// Maximum number of files in a plugin.
const MAX_FILES: u64 = 10_000;

enum Failure {
    Read(std::io::Error),
    Write(std::io::Error),
}

fn write(content: &mut impl Read, file: &Path) -> Result<Digest, Failure> {
    if let Some(parent) = file.parent() {
        std::fs::create_dir_all(parent).map_err(Failure::Write)?;
    }
    let mut target = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o444)
        .open(file)
        .map_err(Failure::Write)?;
    let mut hasher = sha2::Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = content.read(&mut buffer).map_err(Failure::Read)?;
        if count == 0 {
            break;
        }
        hasher.update(&buffer[..count]);
        target.write_all(&buffer[..count]).map_err(Failure::Write)?;
    }
    target.sync_all().map_err(Failure::Write)?;
    Ok(Digest::from(<[u8; 32]>::from(hasher.finalize())))
}

/// Joins the components of a relative path with `/`; `None` if the path leads outside.
fn plain_path(path: &Path) -> Option<String> {
    let mut words = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(word) => {
                words.push(word.to_str().filter(|word| !word.contains(['\n', '\\']))?)
            }
            Component::CurDir => {}
            _ => return None,
        }
    }
    (!words.is_empty()).then(|| words.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::artifact::{Descriptor, Platform, media};
    use crate::plugins::tree_digest;

    fn files() -> Files {
        let texts = [
            ("plugin.json", "{}"),
            ("docs/README.md", "# a\n"),
            ("libpallet_crate_a.so", "\u{7f}ELF"),
        ];
        texts.into_iter().map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())).collect()
    }

    fn target(files: &Files) -> Target {
        Target {
            manifest: Descriptor::of(media::MANIFEST, b""),
            platform: Platform { os: "linux".to_owned(), architecture: "amd64".to_owned() },
            glibc: None,
            h1: h1(files),
            size: size(files),
        }
    }

    fn unpacked(layer: &[u8], target: &Target) -> Result<BTreeMap<String, Vec<u8>>, String> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("layer");
        std::fs::write(&file, layer).unwrap();
        let into = directory.path().join("into/here");
        std::fs::create_dir_all(&into).unwrap();
        unpack(&file, &into, target).map_err(|error| error.to_string())?;
        assert_eq!(tree_digest(&into).unwrap(), target.h1);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 2);
        Ok(files()
            .keys()
            .map(|path| (path.clone(), std::fs::read(into.join(path)).unwrap()))
            .collect())
    }

    #[test]
    fn files_are_packed_alike_and_unpacked_again() {
        let layer = pack(&files()).unwrap();
        assert_eq!(layer, pack(&files()).unwrap());
        assert_eq!(unpacked(&layer, &target(&files())).unwrap(), files());
        // check the bytes themselves: another compressor or another header would change the digest
        // of everything that is published
        assert_eq!(&layer[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255]);
    }

    #[test]
    fn the_digest_of_a_tree_is_that_of_go() {
        let files: Files =
            [("a".to_owned(), b"1".to_vec()), ("b/c".to_owned(), b"22".to_vec())].into();
        // printf '%s a\n%s b/c\n' "$(printf 1 | sha256sum | cut -d' ' -f1)" "$(printf 22 | ...)" |
        // openssl dgst -sha256 -binary | base64
        assert_eq!(h1(&files), "h1:/cqKKqtkEfAsa5Y5NijuRGyOZRUPPaTC7SLjVSbv/Nk=");
    }

    #[test]
    fn what_is_not_as_declared_is_refused() {
        let layer = pack(&files()).unwrap();
        let good = target(&files());
        let error = unpacked(&layer, &Target { size: good.size - 1, ..good.clone() }).unwrap_err();
        assert!(error.contains("more than the"), "{error}");
        let error =
            unpacked(&layer, &Target { h1: "h1:other".to_owned(), ..good.clone() }).unwrap_err();
        assert!(error.contains("instead of h1:other"), "{error}");
        for cut in [0, 1, 20, layer.len() / 2, layer.len() - 1] {
            let error = unpacked(&layer[..cut], &good).unwrap_err();
            assert!(!error.contains('\n'), "{error}");
        }
        assert!(unpacked(b"no archive at all", &good).is_err());
    }

    /// A tar with one entry of these properties, which `Builder` would refuse to write.
    fn hostile(path: &str, kind: EntryType, link: Option<&str>) -> Vec<u8> {
        let mut header = Header::new_gnu();
        header.as_gnu_mut().unwrap().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_entry_type(kind);
        header.set_size(0);
        header.set_mode(0o644);
        if let Some(link) = link {
            header.set_link_name(link).unwrap();
        }
        header.set_cksum();
        let mut tar = Builder::new(GzBuilder::new().write(Vec::new(), Compression::fast()));
        tar.append(&header, std::io::empty()).unwrap();
        tar.into_inner().unwrap().finish().unwrap()
    }

    #[test]
    fn nothing_is_written_outside_the_directory() {
        let good = target(&files());
        for path in ["../out", "a/../../out", "/tmp/pallet-out", ".."] {
            let error = unpacked(&hostile(path, EntryType::Regular, None), &good).unwrap_err();
            assert!(error.contains("is outside of it"), "{error}");
        }
        for kind in [
            EntryType::Symlink,
            EntryType::Link,
            EntryType::Char,
            EntryType::Block,
            EntryType::Fifo,
        ] {
            let error = unpacked(&hostile("a", kind, Some("/etc/passwd")), &good).unwrap_err();
            assert!(error.contains("not a regular file"), "{error}");
        }
    }
}
