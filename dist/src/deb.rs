//! The package for Debian.

use std::collections::BTreeSet;

use anyhow::bail;

use crate::archive::{Entry, Files, add, ar, gz, tar};
use crate::binary::{Binary, numbers};
use crate::layout::Tree;

/// The package.
pub(crate) struct Package<'a> {
    pub(crate) version: &'a str,
    pub(crate) binaries: &'a [Binary],
    pub(crate) tree: &'a Tree,
    pub(crate) time: u64,
    pub(crate) level: u32,
}

impl Package<'_> {
    /// The bytes of the package. It has no scripts and no configuration files, so nothing stays
    /// after it is removed.
    pub(crate) fn write(&self) -> anyhow::Result<Vec<u8>> {
        let files = self.tree.in_debian(self.level)?;
        let mut control = Files::new();
        add(&mut control, "control", 0o644, self.control(&files)?.into_bytes());
        let archive = |files: &Files| gz(&tar(files, "./", self.time)?, self.level);
        Ok(ar(
            &[
                ("debian-binary", b"2.0\n".to_vec()),
                ("control.tar.gz", archive(&control)?),
                ("data.tar.gz", archive(&files)?),
            ],
            self.time,
        ))
    }

    fn control(&self, files: &Files) -> anyhow::Result<String> {
        let size = |entry: &Entry| match entry {
            Entry::File { content, .. } => content.len().div_ceil(1024),
            _ => 1,
        };
        let kilobytes: usize = files.values().map(size).sum();
        Ok(format!(
            "Package: pallet\n\
             Version: {}\n\
             Architecture: {}\n\
             Maintainer: The authors of Pallet <noreply@pallet.invalid>\n\
             Installed-Size: {kilobytes}\n\
             Depends: {}\n\
             Recommends: openssh-client\n\
             Section: admin\n\
             Priority: optional\n\
             Homepage: https://github.com/pallet/pallet\n\
             Description: create nodes and keep them configured, over ssh\n \
             Pallet creates nodes and configures them. Nodes need nothing but sshd and a\n \
             POSIX shell. Its providers and crates are plugins in /usr/lib/pallet.\n",
            self.version,
            self.binaries[0].debian()?,
            self.depends()?
        ))
    }

    /// The packages of the libraries that the programs load.
    fn depends(&self) -> anyhow::Result<String> {
        let glibc = self.binaries.iter().filter_map(|binary| binary.glibc.as_deref());
        let glibc = glibc.max_by_key(|version| numbers(version)).unwrap_or("2.31");
        let mut packages = BTreeSet::new();
        for binary in self.binaries {
            for library in &binary.needed {
                packages.insert(match library.as_str() {
                    "libc.so.6"
                    | "libm.so.6"
                    | "libdl.so.2"
                    | "libpthread.so.0"
                    | "librt.so.1"
                    | "ld-linux-x86-64.so.2"
                    | "ld-linux-aarch64.so.1" => {
                        format!("libc6 (>= {glibc})")
                    }
                    "libgcc_s.so.1" => "libgcc-s1".to_owned(),
                    "libz.so.1" => "zlib1g".to_owned(),
                    other => bail!("{} needs {other}, whose package is unknown", binary.name),
                });
            }
        }
        Ok(packages.into_iter().collect::<Vec<_>>().join(", "))
    }
}
