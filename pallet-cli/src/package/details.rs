//! What is published with a plugin's library: licenses, documentation, and its dependencies as
//! cargo knows them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, anyhow, bail};
use pallet_core::distribution::artifact::{Details, sbom};
use pallet_core::plugins::source::{DESCRIPTION, Description};
use serde_json::Value;

use super::build::manifest_path;

/// What is published with the libraries for these targets: metadata from Cargo.toml, licenses,
/// documentation, and dependencies.
pub(crate) fn details(directory: &Path, targets: &[&str]) -> anyhow::Result<Details> {
    let description = directory.join(DESCRIPTION);
    if description.is_file() {
        let read = Description::read(&description);
        let read = read.map_err(|error| anyhow!("{}: {error}", description.display()))?;
        return Ok(Details {
            licenses: read.license,
            source: read.repository,
            description: read.about,
            files: files(directory)?,
            ..Details::default()
        });
    }
    let manifest = manifest_path(directory)?;
    let mut details = Details { files: files(directory)?, ..Details::default() };
    for target in targets {
        let metadata = metadata(&manifest, target)?;
        let checksums = checksums(&metadata)?;
        let list = sbom(&metadata, &manifest.to_string_lossy(), &checksums);
        let list = list.with_context(|| {
            format!(
                "{} is not a package; set the directory of a plugin's package",
                directory.display()
            )
        })?;
        details.sboms.insert((*target).to_owned(), list);
        let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
        let package = packages.iter().find(|package| {
            package["manifest_path"].as_str().is_some_and(|path| Path::new(path) == manifest)
        });
        let text = |key: &str| {
            package.and_then(|package| package[key].as_str()).unwrap_or_default().trim().to_owned()
        };
        details.licenses = text("license");
        details.source = text("repository");
        details.description = text("description");
    }
    Ok(details)
}

fn metadata(manifest: &Path, target: &str) -> anyhow::Result<Value> {
    let mut cargo = Command::new("cargo");
    cargo
        .args(["metadata", "--format-version", "1", "--filter-platform", target, "--manifest-path"])
        .arg(manifest);
    let output = cargo
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .context("cannot run cargo metadata")?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        let line =
            errors.lines().find(|line| line.starts_with("error")).unwrap_or("error: no message");
        bail!(
            "cargo metadata failed for {}: {}",
            manifest.display(),
            line.trim_start_matches("error: ")
        );
    }
    serde_json::from_slice(&output.stdout).context("cannot read the output of cargo metadata")
}

/// The checksums of packages in Cargo.lock, by name and version.
fn checksums(metadata: &Value) -> anyhow::Result<BTreeMap<(String, String), String>> {
    let lock =
        Path::new(metadata["workspace_root"].as_str().unwrap_or_default()).join("Cargo.lock");
    let text = std::fs::read_to_string(&lock)
        .with_context(|| format!("cannot read {}", lock.display()))?;
    let table: toml::Table =
        text.parse().with_context(|| format!("cannot read {}", lock.display()))?;
    let packages =
        table.get("package").and_then(toml::Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let text = |package: &toml::Value, key: &str| {
        package.get(key).and_then(toml::Value::as_str).map(str::to_owned)
    };
    Ok(packages
        .iter()
        .filter_map(|package| {
            Some(((text(package, "name")?, text(package, "version")?), text(package, "checksum")?))
        })
        .collect())
}

/// Licenses keep their paths. README.md and CHANGELOG.md go to `docs/`, like other documentation.
fn files(directory: &Path) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for path in plain_files(directory)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let upper = name.to_uppercase();
        let is_license = ["LICENSE", "LICENCE", "COPYING", "NOTICE"]
            .iter()
            .any(|start| upper.starts_with(start));
        let is_document = matches!(upper.as_str(), "README.MD" | "CHANGELOG.MD");
        if is_license || is_document {
            let name = if is_document { format!("docs/{name}") } else { name };
            files.insert(name, read(&path)?);
        }
    }
    let docs = directory.join("docs");
    if docs.is_dir() {
        for path in plain_files(&docs)? {
            if path.extension().is_some_and(|end| end == "md") {
                files.insert(
                    format!("docs/{}", path.file_name().unwrap_or_default().to_string_lossy()),
                    read(&path)?,
                );
            }
        }
    }
    Ok(files)
}

fn plain_files(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(directory)
        .with_context(|| format!("cannot read {}", directory.display()))?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut paths: Vec<PathBuf> = paths
        .collect::<Result<_, _>>()
        .with_context(|| format!("cannot read {}", directory.display()))?;
    paths.retain(|path| path.is_file());
    paths.sort();
    Ok(paths)
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}
