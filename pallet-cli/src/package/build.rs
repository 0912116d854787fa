//! Builds a plugin's package with cargo.

use std::env::consts::DLL_SUFFIX;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use pallet_core::plugins::source::DESCRIPTION;
use serde_json::Value;

/// Builds the library of the package in a directory, for this machine or another target, and
/// returns its path. A crate in Starlark needs no build: its file is its description. Cargo's
/// messages go to stderr as they come.
pub(crate) fn build(
    directory: &Path,
    release: bool,
    target: Option<&str>,
) -> anyhow::Result<PathBuf> {
    let source = directory.join(DESCRIPTION);
    if source.is_file() {
        return source.canonicalize().with_context(|| format!("cannot find {}", source.display()));
    }
    manifest_path(directory)?;
    let mut cargo = Command::new("cargo");
    cargo
        .args(["build", "--lib", "--message-format=json-render-diagnostics"])
        .args(release.then_some("--release"));
    cargo.args(target.map(|target| ["--target", target]).into_iter().flatten());
    let output =
        cargo.current_dir(directory).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.context("cannot run cargo; install Rust, or use a prebuilt library")?;
    if !output.status.success() {
        bail!("cargo could not build {}", directory.display());
    }
    let root =
        directory.canonicalize().with_context(|| format!("cannot find {}", directory.display()))?;
    let built = String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| library(line, &root))
        .next_back();
    built.with_context(|| {
        format!(
            "{} builds no plugin; its Cargo.toml needs `crate-type = [\"cdylib\"]`",
            directory.display()
        )
    })
}

/// The manifest of the package in a directory.
pub(super) fn manifest_path(directory: &Path) -> anyhow::Result<PathBuf> {
    let manifest = directory.join("Cargo.toml");
    if !manifest.is_file() {
        bail!(
            "there is no Cargo.toml and no {DESCRIPTION} in {}; name the directory of a plugin's \
             package, or write one with `pallet-cli new crate`",
            directory.display()
        );
    }
    manifest.canonicalize().with_context(|| format!("cannot find {}", manifest.display()))
}

/// The path of the dynamic library in a cargo message, if it belongs to the package in `root`.
fn library(message: &str, root: &Path) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(message).ok()?;
    let is_ours =
        Path::new(message["manifest_path"].as_str()?).parent()?.canonicalize().ok()? == root;
    let is_plugin =
        message["target"]["crate_types"].as_array()?.iter().any(|kind| kind == "cdylib");
    let artifact = message["reason"] == "compiler-artifact" && is_ours && is_plugin;
    artifact
        .then(|| {
            message["filenames"]
                .as_array()?
                .iter()
                .filter_map(Value::as_str)
                .find(|name| name.ends_with(DLL_SUFFIX))
                .map(PathBuf::from)
        })
        .flatten()
}
