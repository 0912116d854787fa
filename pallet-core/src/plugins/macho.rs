//! Reads a library of macOS without loading it, as `elf` does for those of Linux.

use object::macho::{CPU_TYPE_ARM64, CPU_TYPE_X86_64, MH_DYLIB, MH_MAGIC_64};
use object::read::ReadRef;
use object::read::macho::{MachHeader, MachOFile64};
use object::{Endianness, Object, ObjectSection, ObjectSegment, ObjectSymbol};

use crate::abi::{ROOT_SYMBOL, SUMMARY_SECTION};
use crate::model::PluginSummary;

/// What is known of a library.
#[derive(Debug)]
pub(super) struct MachLibrary {
    pub(super) summary: PluginSummary,
    /// The processor, as Rust names it.
    pub(super) machine: &'static str,
}

/// Whether a file with this beginning is for macOS, for one 64-bit processor.
pub(super) fn is_macho(beginning: &[u8]) -> bool {
    beginning.starts_with(&MH_MAGIC_64.to_le_bytes())
}

/// Reads a library. `wanted`: only one that this machine can load. The error is one line.
pub(super) fn read<'data, R: ReadRef<'data>>(
    data: R,
    size: u64,
    wanted: bool,
) -> Result<MachLibrary, String> {
    let truncated = || "is truncated; install the plugin again".to_owned();
    let library = MachOFile64::<Endianness, R>::parse(data).map_err(|_| truncated())?;
    let header = library.macho_header();
    let machine = match header.cputype(Endianness::Little) {
        CPU_TYPE_X86_64 => "x86_64",
        CPU_TYPE_ARM64 => "aarch64",
        other => {
            return Err(format!("was built for processor {}, which pallet does not know", other.0));
        }
    };
    if wanted && !cfg!(target_os = "macos") {
        return Err(format!(
            "was built for macOS, but this pallet runs on {}; install the build for it",
            std::env::consts::OS
        ));
    }
    if wanted && machine != std::env::consts::ARCH {
        let ours = std::env::consts::ARCH;
        return Err(format!(
            "was built for {machine}, but this pallet runs on {ours}; install the build for {ours}"
        ));
    }
    if header.filetype(Endianness::Little) != MH_DYLIB {
        return Err("is a file for macOS, but not a shared library".to_owned());
    }
    let whole =
        |(offset, length): (u64, u64)| offset.checked_add(length).is_some_and(|end| end <= size);
    if library.segments().any(|segment| !whole(segment.file_range())) {
        return Err(truncated());
    }
    let not_a_plugin = || "is a library, but not a pallet plugin".to_owned();
    let mut symbols = library.symbols();
    // names have an underscore more than in the source
    let is_root = |name: &str| name.strip_prefix('_') == Some(ROOT_SYMBOL);
    if !symbols.any(|symbol| symbol.name().is_ok_and(is_root) && symbol.is_definition()) {
        return Err(not_a_plugin());
    }
    // `.pallet` is `__pallet` here
    let section = library.section_by_name(SUMMARY_SECTION).ok_or_else(not_a_plugin)?;
    let bytes = section.data().map_err(|_| truncated())?;
    let summary = serde_json::from_slice(bytes.trim_ascii_end()).map_err(|error| {
        format!("contains an unreadable summary: {error}; it may need a newer pallet")
    })?;
    Ok(MachLibrary { summary, machine })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUMMARY: &str = r#"{"abi":"1.2.0","kind":"crate","name":"nginx","version":"1.0.0"}"#;

    /// A file with one segment, its section and its symbol, as the linker of macOS writes them.
    fn library(cpu: u32, file_type: u32, symbol: &str, section: &str) -> Vec<u8> {
        let strings = format!("\0{symbol}\0");
        let (commands, data) = (72 + 80 + 24, SUMMARY.len() as u32);
        let start = 32 + commands;
        let (symbols, text) = (start + data, start + data + 16);
        let mut out = Vec::new();
        let numbers = |values: &[u32]| {
            values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>()
        };
        let name = |name: &str| {
            let mut bytes = name.as_bytes().to_vec();
            bytes.resize(16, 0);
            bytes
        };
        // header
        out.extend(numbers(&[MH_MAGIC_64, cpu, 0, file_type, 2, commands, 0, 0]));
        // LC_SEGMENT_64 with one section
        out.extend(numbers(&[0x19, 72 + 80]));
        out.extend(name("__DATA"));
        out.extend(numbers(&[0, 0, data, 0, start, 0, data, 0, 3, 3, 1, 0]));
        out.extend(name(section));
        out.extend(name("__DATA"));
        out.extend(numbers(&[0, 0, data, 0, start, 0, 0, 0, 0, 0, 0, 0]));
        // LC_SYMTAB
        out.extend(numbers(&[0x2, 24, symbols, 1, text, strings.len() as u32]));
        out.extend(SUMMARY.as_bytes());
        // a symbol that is defined in section 1 and exported
        out.extend(numbers(&[1]));
        out.extend([0x0f, 1, 0, 0]);
        out.extend(numbers(&[0, 0]));
        out.extend(strings.as_bytes());
        out
    }

    fn told(bytes: &[u8], wanted: bool) -> Result<MachLibrary, String> {
        assert!(is_macho(bytes));
        read(bytes, bytes.len() as u64, wanted)
    }

    #[test]
    fn a_plugin_for_macos_is_known_without_loading_it() {
        let root = format!("_{ROOT_SYMBOL}");
        let (x86, arm) = (CPU_TYPE_X86_64.0, CPU_TYPE_ARM64.0);
        let plugin = library(arm, 6, &root, "__pallet");
        let found = told(&plugin, false).unwrap();
        assert_eq!((found.summary.name.as_str(), found.machine), ("nginx", "aarch64"));
        assert_eq!(told(&library(x86, 6, &root, "__pallet"), false).unwrap().machine, "x86_64");
        if cfg!(target_os = "linux") {
            let error = told(&plugin, true).unwrap_err();
            assert_eq!(
                error,
                "was built for macOS, but this pallet runs on linux; install the build for it"
            );
        }
        let error = |bytes: &[u8]| told(bytes, false).unwrap_err();
        assert!(error(&library(arm, 2, &root, "__pallet")).contains("not a shared library"));
        assert!(error(&library(arm, 6, "_other", "__pallet")).contains("not a pallet plugin"));
        assert!(error(&library(arm, 6, &root, "__other")).contains("not a pallet plugin"));
        assert!(error(&library(7, 6, &root, "__pallet")).contains("processor 7"));
        // whatever is cut off, it is an error and no panic
        for end in 4..plugin.len() {
            assert!(told(&plugin[..end], false).is_err(), "{end}");
        }
    }
}
