//! The binary interface does not change by accident.

use std::fmt::Write;
use std::fs;

use pallet_core::model::ABI_VERSION;
use pallet_tests::root;
use sha2::{Digest, Sha256};

use super::sources::sources;

/// The shared parts of plugins and the host: the types of the boundary, and the operations and data
/// that cross it.
fn digest() -> String {
    let mut interface = sources("pallet-core/src/abi");
    interface.extend(sources("pallet-core/src/plugin").into_iter().filter(|source| {
        ["operation.rs", "service.rs"].iter().any(|file| source.path.ends_with(file))
    }));
    // the host's own side of the boundary is not part of it
    interface.retain(|source| !source.path.ends_with("host.rs"));
    interface.sort_by(|a, b| a.path.cmp(&b.path));
    let mut hash = Sha256::new();
    for source in interface {
        hash.update(source.path.file_name().unwrap().as_encoded_bytes());
        for (_, line) in source.lines().filter(|(_, line)| !line.is_empty()) {
            hash.update(line);
            hash.update("\n");
        }
    }
    hash.finalize().iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

#[test]
fn the_interface_is_the_recorded_one() {
    let path = root().join("tests/abi.lock");
    let now = format!("{ABI_VERSION} {}\n", digest());
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, &now).unwrap();
    }
    let recorded = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        recorded == now,
        "the binary interface (pallet-core/src/abi, src/plugin/operation.rs, \
         src/plugin/service.rs) is not the one that tests/abi.lock records.\n\
         Plugins that exist were built against that one. If they still load and work (only new \
         operations, only new fields with defaults),\n\
         raise the minor version of pallet-core, or its major version if they do not; then record \
         it: UPDATE_EXPECT=1 cargo test -p pallet-tests tidy::abi\n\
         recorded: {recorded}now:      {now}"
    );
}
