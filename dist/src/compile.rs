//! Builds what is released.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::licences::Metadata;

/// The time of the commit, or of `SOURCE_DATE_EPOCH`: everything that is made has it.
pub(crate) fn time(root: &Path) -> anyhow::Result<u64> {
    if let Ok(time) = std::env::var("SOURCE_DATE_EPOCH") {
        return time.parse().context("SOURCE_DATE_EPOCH is not a number of seconds");
    }
    let mut git = Command::new("git");
    git.args(["log", "-1", "--format=%ct"]).current_dir(root);
    let told = git.output().context("cannot run git; set SOURCE_DATE_EPOCH")?;
    let text = String::from_utf8_lossy(&told.stdout);
    text.trim().parse().context("git does not tell the time of the commit; set SOURCE_DATE_EPOCH")
}

/// The plugins of the workspace: the directory of each package, and its library.
pub(crate) fn plugins(metadata: &Metadata, built: &Path) -> anyhow::Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for (package, library) in metadata.plugins() {
        let file = built.join(format!("lib{library}.so"));
        if !file.is_file() {
            bail!("there is no {}; build all packages of the workspace", file.display());
        }
        found.push((package, file));
    }
    Ok(found)
}

/// Builds everything, and returns the directory of the results. Paths of this machine are replaced
/// in them, so that another machine makes the same bytes.
pub(crate) fn build(root: &Path, debian: Option<&str>, time: u64) -> anyhow::Result<PathBuf> {
    let metadata = Metadata::read(root)?;
    let plugins: Vec<_> =
        metadata.plugin_packages().into_iter().flat_map(|name| ["-p".to_owned(), name]).collect();
    let program = ["-p", "pallet-cli", "--features", "full"].map(str::to_owned).to_vec();
    let target = "target/dist-build";
    // where the repository is as the builder sees it
    let place = if debian.is_some() { Path::new("/pallet") } else { root };
    // plugins apart, because pallet-core has more features in the program
    for packages in [program, plugins] {
        let mut arguments = vec!["build".to_owned(), "--release".to_owned(), "--locked".to_owned()];
        arguments.extend(packages);
        let mut cargo = match debian {
            Some(release) => in_debian(root, release)?,
            None => Command::new("bash"),
        };
        // replaces paths of this machine
        cargo.arg(place.join("dist/reproducible.sh")).arg("cargo");
        cargo.args(&arguments).current_dir(root).env("CARGO_TARGET_DIR", place.join(target));
        cargo.env("SOURCE_DATE_EPOCH", time.to_string());
        // what builds is the code of many others
        cargo.env_remove("PALLET_KEY_PASSPHRASE");
        if !cargo.status().context("cannot run cargo")?.success() {
            bail!("cargo {} failed", arguments.join(" "));
        }
    }
    Ok(root.join(target).join("release"))
}

/// bash in a root of Debian with a compiler, where this repository and the toolchain are visible.
fn in_debian(root: &Path, release: &str) -> anyhow::Result<Command> {
    let script = root.join("dist/in-debian.sh");
    let mut command = Command::new("bash");
    command.arg(script).arg(release).arg("bash");
    Ok(command)
}
