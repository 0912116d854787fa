//! What a program or a library needs of the system.

use std::path::Path;

use anyhow::{Context as _, bail};
use object::Endianness;
use object::elf::{self, FileHeader64};
use object::read::elf::{Dyn, FileHeader};

/// A program or a library.
#[derive(Debug)]
pub(crate) struct Binary {
    /// The file's name.
    pub(crate) name: String,
    /// The Rust target.
    pub(crate) target: String,
    /// The libraries that it loads.
    pub(crate) needed: Vec<String>,
    /// The newest version of glibc that it needs.
    pub(crate) glibc: Option<String>,
    machine: elf::Machine,
}

impl Binary {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let data =
            std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(path, &data).with_context(|| format!("{} is no program", path.display()))
    }

    fn parse(path: &Path, data: &[u8]) -> anyhow::Result<Self> {
        let header = FileHeader64::<Endianness>::parse(data)?;
        let endian = header.endian()?;
        let sections = header.sections(endian, data)?;
        let mut needed = Vec::new();
        if let Some((entries, link)) = sections.dynamic(endian, data)? {
            let strings = sections.strings(endian, data, link)?;
            for entry in entries.iter().filter(|entry| entry.tag(endian) == elf::DT_NEEDED) {
                let name = entry.string(endian, strings)?;
                needed.push(String::from_utf8_lossy(name).into_owned());
            }
        }
        let mut versions = Vec::new();
        if let Some((mut libraries, link)) = sections.gnu_verneed(endian, data)? {
            let strings = sections.strings(endian, data, link)?;
            while let Some((_, mut of_library)) = libraries.next()? {
                while let Some(version) = of_library.next()? {
                    let name = String::from_utf8_lossy(version.name(endian, strings)?);
                    versions.extend(name.strip_prefix("GLIBC_").map(str::to_owned));
                }
            }
        }
        let machine = header.e_machine.get(endian);
        let architecture = match machine {
            elf::EM_X86_64 => "x86_64",
            elf::EM_AARCH64 => "aarch64",
            other => bail!("it is for machine {}", other.0),
        };
        Ok(Binary {
            name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            target: format!("{architecture}-unknown-linux-gnu"),
            needed,
            glibc: versions.into_iter().max_by_key(|version| numbers(version)),
            machine,
        })
    }

    /// The architecture as Debian and Go name it.
    pub(crate) fn debian(&self) -> anyhow::Result<&'static str> {
        Ok(if self.machine == elf::EM_X86_64 { "amd64" } else { "arm64" })
    }
}

/// The numbers of a dotted version, for comparison.
pub(crate) fn numbers(version: &str) -> Vec<u32> {
    version.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}
