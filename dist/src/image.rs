//! A container image: an OCI image layout in a tar archive, made without a container engine.

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::archive::{Entry, Files, gz, tar};
use crate::sums::digest;

/// Directories whose content an engine mounts, or that only the machine that made them needs.
const EMPTY: [&str; 8] =
    ["dev", "proc", "sys", "run", "tmp", "var/cache", "var/lib/apt/lists", "var/log"];

/// What is of the machine that made the root file system.
const OWN: [&str; 4] =
    ["etc/hostname", "etc/machine-id", "etc/resolv.conf", "var/lib/dbus/machine-id"];

/// The files of a root file system, without those that only its own machine needs. All belong to
/// root in the image.
pub(crate) fn files_of(root: &Path) -> anyhow::Result<Files> {
    let mut files = Files::new();
    let mut open = vec![String::new()];
    while let Some(directory) = open.pop() {
        let path = root.join(&directory);
        let entries =
            std::fs::read_dir(&path).with_context(|| format!("cannot read {}", path.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("cannot read {}", path.display()))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let inside = if directory.is_empty() { name } else { format!("{directory}/{name}") };
            let failed = || format!("cannot read {}", entry.path().display());
            let data = entry.path().symlink_metadata().with_context(failed)?;
            if OWN.contains(&inside.as_str()) {
                continue;
            }
            // what belongs to somebody else may not become a way to root's rights
            let kept = if (data.uid(), data.gid()) == (0, 0) { 0o7777 } else { 0o1777 };
            let mode = data.permissions().mode() & kept;
            let known = if data.is_dir() {
                if !EMPTY.contains(&inside.as_str()) {
                    open.push(inside.clone());
                }
                Entry::Directory { mode }
            } else if data.is_symlink() {
                let to = std::fs::read_link(entry.path()).with_context(failed)?;
                Entry::Link { to: to.to_string_lossy().into_owned() }
            } else if data.is_file() {
                Entry::File { mode, content: std::fs::read(entry.path()).with_context(failed)? }
            } else {
                continue;
            };
            files.insert(inside, known);
        }
    }
    Ok(files)
}

/// The archive of an image with these layers.
pub(crate) fn oci(
    layers: &[Files],
    version: &str,
    architecture: &str,
    time: u64,
    level: u32,
) -> anyhow::Result<Vec<u8>> {
    let mut blobs: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut blob = |kind: &str, content: Vec<u8>| -> Value {
        let digest = digest(&content);
        let media = format!("application/vnd.oci.image.{kind}");
        let named = format!("sha256:{digest}");
        let about = json!({"mediaType": media, "digest": named, "size": content.len()});
        blobs.insert(digest, content);
        about
    };
    let (mut unpacked, mut packed) = (Vec::new(), Vec::new());
    for layer in layers {
        let archive = tar(layer, "", time)?;
        unpacked.push(format!("sha256:{}", digest(&archive)));
        packed.push(blob("layer.v1.tar+gzip", gz(&archive, level)?));
    }
    let config = json!({
        "architecture": architecture, "os": "linux",
        "config": {
            "Entrypoint": ["/usr/bin/pallet-cli"],
            "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
            "Labels": {
                "org.opencontainers.image.title": "pallet",
                "org.opencontainers.image.version": version,
                "org.opencontainers.image.source": "https://github.com/pallet/pallet",
                "org.opencontainers.image.licenses": "MIT OR Apache-2.0",
            },
        },
        "rootfs": {"type": "layers", "diff_ids": unpacked},
    });
    let config = blob("config.v1+json", config.to_string().into_bytes());
    let manifest = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": config, "layers": packed,
    });
    let mut manifest = blob("manifest.v1+json", manifest.to_string().into_bytes());
    manifest["annotations"] =
        json!({"org.opencontainers.image.ref.name": format!("pallet:{version}")});
    let index = json!({"schemaVersion": 2, "manifests": [manifest]});
    let mut files = Files::new();
    let mut add =
        |path: &str, content: Vec<u8>| crate::archive::add(&mut files, path, 0o644, content);
    for (digest, content) in blobs {
        add(&format!("blobs/sha256/{digest}"), content);
    }
    add("index.json", index.to_string().into_bytes());
    add("oci-layout", b"{\"imageLayoutVersion\":\"1.0.0\"}".to_vec());
    tar(&files, "", time)
}
