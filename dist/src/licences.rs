//! The packages that are in what is released: their licences, and lists of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use pallet_core::distribution::artifact::sbom;
use serde_json::Value;

/// What cargo knows of the workspace and its dependencies.
pub(crate) struct Metadata {
    metadata: Value,
    checksums: BTreeMap<(String, String), String>,
}

impl Metadata {
    /// Asks cargo.
    pub(crate) fn read(root: &Path) -> anyhow::Result<Self> {
        let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
        let mut cargo = Command::new("cargo");
        cargo.args(["metadata", "--format-version", "1", "--locked", "--filter-platform", &target]);
        cargo.args(["--features", "pallet-cli/full"]).current_dir(root);
        let told = cargo.output().context("cannot run cargo metadata")?;
        if !told.status.success() {
            bail!("cargo metadata failed: {}", String::from_utf8_lossy(&told.stderr).trim());
        }
        let metadata = serde_json::from_slice(&told.stdout).context("cargo metadata is no JSON")?;
        let lock = std::fs::read_to_string(root.join("Cargo.lock")).context("no Cargo.lock")?;
        let lock: toml::Table = lock.parse().context("Cargo.lock cannot be read")?;
        let packages = lock.get("package").and_then(toml::Value::as_array);
        let checksums = packages.into_iter().flatten().filter_map(|package| {
            let text = |key: &str| package.get(key)?.as_str().map(str::to_owned);
            Some(((text("name")?, text("version")?), text("checksum")?))
        });
        Ok(Metadata { metadata, checksums: checksums.collect() })
    }

    fn packages(&self) -> impl Iterator<Item = &Value> {
        self.metadata["packages"].as_array().into_iter().flatten()
    }

    fn package(&self, name: &str) -> anyhow::Result<&Value> {
        let found = self.packages().find(|package| package["name"] == name);
        found.with_context(|| format!("the workspace has no package {name}"))
    }

    /// The version of a package.
    pub(crate) fn version(&self, name: &str) -> anyhow::Result<String> {
        Ok(self.package(name)?["version"].as_str().unwrap_or_default().to_owned())
    }

    /// The plugins: each package, and the name of its library.
    pub(crate) fn plugins(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for package in self.packages().filter(|package| package["source"].is_null()) {
            let targets = package["targets"].as_array().into_iter().flatten();
            for target in targets.filter(|target| target["kind"][0] == "cdylib") {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                found.push((text(&package["name"]), text(&target["name"]).replace('-', "_")));
            }
        }
        found.sort();
        found
    }

    /// The packages of the plugins.
    pub(crate) fn plugin_packages(&self) -> Vec<String> {
        self.plugins().into_iter().map(|(package, _)| package).collect()
    }

    /// The SBOM of a package: CycloneDX in JSON.
    pub(crate) fn sbom(&self, package: &str) -> anyhow::Result<Vec<u8>> {
        let manifest = self.package(package)?["manifest_path"].as_str().unwrap_or_default();
        sbom(&self.metadata, manifest, &self.checksums)
            .with_context(|| format!("{package} has no SBOM"))
    }

    /// The dependencies of packages with their licences, and the text of each licence once.
    pub(crate) fn third_party(&self, packages: &[String]) -> anyhow::Result<String> {
        let mut out = String::from(
            "Pallet contains these packages, each under its licence. The texts follow.\n\n",
        );
        let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for id in self.shipped(packages)? {
            let Some(package) = self.packages().find(|package| package["id"] == *id) else {
                continue;
            };
            if package["source"].is_null() {
                continue;
            }
            let text = |key: &str| package[key].as_str().unwrap_or("?");
            let name = format!("{} {}", text("name"), text("version"));
            let _ = writeln!(out, "{name}: {} <{}>", text("license"), text("repository"));
            let directory = Path::new(text("manifest_path")).parent().map(PathBuf::from);
            for licence in directory.map(|directory| licence_files(&directory)).unwrap_or_default()
            {
                texts.entry(licence).or_default().push(name.clone());
            }
        }
        for (text, packages) in texts {
            let _ = write!(
                out,
                "\n{}\n{}\n\n{}\n",
                "-".repeat(78),
                packages.join(", "),
                text.trim_end()
            );
        }
        Ok(out)
    }

    /// The IDs of packages and of everything that is linked into them, in the order of names.
    fn shipped(&self, packages: &[String]) -> anyhow::Result<Vec<&str>> {
        let nodes: BTreeMap<&str, &Value> = self.metadata["resolve"]["nodes"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|node| Some((node["id"].as_str()?, node)))
            .collect();
        let mut open = Vec::new();
        for name in packages {
            open.extend(self.package(name)?["id"].as_str());
        }
        let mut found = BTreeSet::new();
        while let Some(id) = open.pop() {
            if !found.insert(id) {
                continue;
            }
            let dependencies = nodes.get(id).and_then(|node| node["deps"].as_array());
            for dependency in dependencies.into_iter().flatten() {
                let mut kinds = dependency["dep_kinds"].as_array().into_iter().flatten();
                // those of tests and builds are not in what is released
                if kinds.any(|kind| kind["kind"].is_null()) {
                    open.extend(dependency["pkg"].as_str());
                }
            }
        }
        Ok(found.into_iter().collect())
    }
}

/// The texts of the licences in a package.
fn licence_files(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let mut files: Vec<_> = entries.map(|entry| entry.path()).collect();
    files.sort();
    let is_licence = |file: &PathBuf| {
        let name = file.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
        ["LICENSE", "LICENCE", "COPYING", "NOTICE"].iter().any(|start| name.starts_with(start))
    };
    files
        .iter()
        .filter(|file| is_licence(file))
        .filter_map(|file| std::fs::read_to_string(file).ok())
        .collect()
}
