//! Reads a library without loading it: whether this machine can load it, and the plugin's summary
//! in it.
//!
//! A process that opens a truncated library dies with SIGBUS, so this first checks every segment
//! against the file's size.

use std::fs::File;
use std::path::Path;

use object::elf;
use object::read::ReadRef;
use object::read::elf::{ElfFile64, FileHeader, ProgramHeader};
use object::{Endianness, Object, ObjectSection, ObjectSymbol, ReadCache};

use super::macho::{self, MachLibrary};
use crate::abi::{ROOT_SYMBOL, SUMMARY_SECTION};
use crate::model::PluginSummary;

/// A library's summary and requirements.
pub struct Library {
    /// The plugin's summary.
    pub summary: PluginSummary,
    /// The Rust target that it was built for.
    pub target: String,
    /// The processor, as Go names it.
    pub architecture: &'static str,
    /// The oldest glibc that it runs with.
    pub glibc: Option<String>,
}

const MACHINE: (elf::Machine, &str) = if cfg!(target_arch = "x86_64") {
    (elf::EM_X86_64, "x86_64")
} else {
    (elf::EM_AARCH64, "aarch64")
};

/// The summary of the plugin at `path`. The error is one line that says why this machine cannot
/// load it.
pub fn summary(path: &Path) -> Result<PluginSummary, String> {
    open(path, Some(MACHINE.0)).map(|library| library.summary)
}

/// All that is known about the plugin at `path`, for any machine. The error is one line that says
/// why it is not a plugin.
pub fn library(path: &Path) -> Result<Library, String> {
    open(path, None)
}

fn open(path: &Path, wanted: Option<elf::Machine>) -> Result<Library, String> {
    let file = File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
    let size = file.metadata().map_err(|error| format!("cannot be read: {error}"))?.len();
    read(&ReadCache::new(file), size, wanted)
}

fn read<'data, R: ReadRef<'data>>(
    data: R,
    size: u64,
    wanted: Option<elf::Machine>,
) -> Result<Library, String> {
    let ident = data.read_bytes_at(0, size.min(64)).unwrap_or_default();
    if macho::is_macho(ident) {
        let MachLibrary { summary, machine } = macho::read(data, size, wanted.is_some())?;
        let architecture = if machine == "aarch64" { "arm64" } else { "amd64" };
        let target = format!("{machine}-apple-darwin");
        return Ok(Library { summary, target, architecture, glibc: None });
    }
    if !ident.starts_with(&elf::ELFMAG) {
        return Err(
            "is not a library (neither ELF nor Mach-O); install the plugin again".to_owned()
        );
    }
    if wanted.is_some() && cfg!(target_os = "macos") {
        let message =
            "was built for Linux, but this pallet runs on macOS; install the build for it";
        return Err(message.to_owned());
    }
    let truncated = || "is truncated; install the plugin again".to_owned();
    if ident.len() < 64 {
        return Err(truncated());
    }
    if elf::FileClass(ident[4]) != elf::ELFCLASS64 {
        return Err("is a 32-bit library; this pallet is a 64-bit program".to_owned());
    }
    let header = elf::FileHeader64::<Endianness>::parse(data)
        .map_err(|error| format!("is not a library: {error}"))?;
    let endian = header.endian().map_err(|error| format!("is not a library: {error}"))?;
    let machine = header.e_machine.get(endian);
    if wanted.is_some_and(|wanted| wanted != machine) {
        let name = machine_names(machine)
            .map_or(format!("machine {}", machine.0), |(rust, _)| rust.to_owned());
        return Err(format!(
            "was built for {name}, but this pallet runs on {}; install the build for {}",
            MACHINE.1, MACHINE.1
        ));
    }
    if header.e_type.get(endian) != elf::ET_DYN {
        return Err("is an ELF file, but not a shared library".to_owned());
    }
    let segments = header.program_headers(endian, data).map_err(|_| truncated())?;
    let whole =
        |(offset, length): (u64, u64)| offset.checked_add(length).is_some_and(|end| end <= size);
    if segments.is_empty() || !segments.iter().all(|segment| whole(segment.file_range(endian))) {
        return Err(truncated());
    }
    let sections_end = header.e_shoff.get(endian).checked_add(
        u64::from(header.e_shnum.get(endian)) * u64::from(header.e_shentsize.get(endian)),
    );
    if sections_end.is_none_or(|end| end > size) {
        return Err(truncated());
    }
    let library = ElfFile64::<Endianness, R>::parse(data).map_err(|_| truncated())?;
    let not_a_plugin = || "is a library, but not a pallet plugin".to_owned();
    if !library
        .dynamic_symbols()
        .any(|symbol| symbol.name() == Ok(ROOT_SYMBOL) && symbol.is_definition())
    {
        return Err(not_a_plugin());
    }
    let section = library.section_by_name(SUMMARY_SECTION).ok_or_else(not_a_plugin)?;
    let bytes = section.data().map_err(|_| truncated())?;
    let summary = serde_json::from_slice(bytes.trim_ascii_end()).map_err(|error| {
        format!("contains an unreadable summary: {error}; it may need a newer pallet")
    })?;
    let (rust, architecture) = machine_names(machine).ok_or_else(|| {
        format!("was built for machine {}, which pallet does not know", machine.0)
    })?;
    let versions = needed_versions(&library, endian, data).map_err(|_| truncated())?;
    let glibc = versions
        .iter()
        .filter_map(|version| version.strip_prefix("GLIBC_"))
        .max_by_key(|version| numbers(version))
        .map(str::to_owned);
    // musl's symbols have no versions
    let target = format!("{rust}-unknown-linux-{}", if glibc.is_some() { "gnu" } else { "musl" });
    Ok(Library { summary, target, architecture, glibc })
}

/// The Rust name and the Go name of a machine.
fn machine_names(machine: elf::Machine) -> Option<(&'static str, &'static str)> {
    Some(match machine {
        elf::EM_AARCH64 => ("aarch64", "arm64"),
        elf::EM_X86_64 => ("x86_64", "amd64"),
        elf::EM_ARM => ("arm", "arm"),
        elf::EM_RISCV => ("riscv64gc", "riscv64"),
        elf::EM_S390 => ("s390x", "s390x"),
        _ => return None,
    })
}

/// The symbol versions that a library requires, such as `GLIBC_2.34`.
fn needed_versions<'data, R: ReadRef<'data>>(
    library: &ElfFile64<'data, Endianness, R>,
    endian: Endianness,
    data: R,
) -> object::read::Result<Vec<String>> {
    let sections = library.elf_section_table();
    let mut versions = Vec::new();
    let Some((mut needed, link)) = sections.gnu_verneed(endian, data)? else { return Ok(versions) };
    let strings = sections.strings(endian, data, link)?;
    while let Some((_, mut of_library)) = needed.next()? {
        while let Some(version) = of_library.next()? {
            versions.push(String::from_utf8_lossy(version.name(endian, strings)?).into_owned());
        }
    }
    Ok(versions)
}

/// The numbers of a dotted version, for comparison.
fn numbers(version: &str) -> Vec<u32> {
    version.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}
