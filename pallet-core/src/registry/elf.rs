//! Reads a library's file without loading it: whether this machine could load it, and what it says of itself.
//!
//! A truncated library ends a process that opens it with SIGBUS, so every segment is checked against the file's size first.

use std::fs::File;
use std::path::Path;

use object::elf;
use object::read::ReadRef;
use object::read::elf::{ElfFile64, FileHeader, ProgramHeader};
use object::{Endianness, Object, ObjectSection, ObjectSymbol, ReadCache};

use crate::abi::{ROOT_SYMBOL, SUMMARY_SECTION};
use crate::model::PluginSummary;

const MACHINE: (elf::Machine, &str) = if cfg!(target_arch = "x86_64") { (elf::EM_X86_64, "x86_64") } else { (elf::EM_AARCH64, "aarch64") };

/// The summary of the plugin at `path`, or why it cannot be one, in one line.
pub(super) fn summary(path: &Path) -> Result<PluginSummary, String> {
    let file = File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
    let size = file.metadata().map_err(|error| format!("cannot be read: {error}"))?.len();
    read(&ReadCache::new(file), size)
}

fn read<'data, R: ReadRef<'data>>(data: R, size: u64) -> Result<PluginSummary, String> {
    let ident = data.read_bytes_at(0, size.min(64)).unwrap_or_default();
    if !ident.starts_with(&elf::ELFMAG) {
        return Err("is not a library (no ELF file); install the plugin again".to_owned());
    }
    let truncated = || "is truncated; install the plugin again".to_owned();
    if ident.len() < 64 {
        return Err(truncated());
    }
    if elf::FileClass(ident[4]) != elf::ELFCLASS64 {
        return Err("is a 32-bit library; this pallet is a 64-bit program".to_owned());
    }
    let header = elf::FileHeader64::<Endianness>::parse(data).map_err(|error| format!("is not a library: {error}"))?;
    let endian = header.endian().map_err(|error| format!("is not a library: {error}"))?;
    let machine = header.e_machine.get(endian);
    if machine != MACHINE.0 {
        let name = match machine {
            elf::EM_AARCH64 => "aarch64".to_owned(),
            elf::EM_X86_64 => "x86_64".to_owned(),
            elf::EM_ARM => "arm".to_owned(),
            elf::EM_RISCV => "riscv".to_owned(),
            other => format!("machine {}", other.0),
        };
        return Err(format!("was built for {name}, this pallet runs on {}; install the build for {}", MACHINE.1, MACHINE.1));
    }
    if header.e_type.get(endian) != elf::ET_DYN {
        return Err("is an ELF file, but not a shared library".to_owned());
    }
    let segments = header.program_headers(endian, data).map_err(|_| truncated())?;
    let whole = |(offset, length): (u64, u64)| offset.checked_add(length).is_some_and(|end| end <= size);
    if segments.is_empty() || !segments.iter().all(|segment| whole(segment.file_range(endian))) {
        return Err(truncated());
    }
    let sections_end =
        header.e_shoff.get(endian).checked_add(u64::from(header.e_shnum.get(endian)) * u64::from(header.e_shentsize.get(endian)));
    if sections_end.is_none_or(|end| end > size) {
        return Err(truncated());
    }
    let library = ElfFile64::<Endianness, R>::parse(data).map_err(|_| truncated())?;
    let not_a_plugin = || "is a library, but not a plugin of pallet".to_owned();
    if !library.dynamic_symbols().any(|symbol| symbol.name() == Ok(ROOT_SYMBOL) && symbol.is_definition()) {
        return Err(not_a_plugin());
    }
    let section = library.section_by_name(SUMMARY_SECTION).ok_or_else(not_a_plugin)?;
    let bytes = section.data().map_err(|_| truncated())?;
    serde_json::from_slice(bytes.trim_ascii_end())
        .map_err(|error| format!("holds a summary that cannot be read: {error}; it may need a newer pallet"))
}
