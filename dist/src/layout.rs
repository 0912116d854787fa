//! Which file is where: in the tarball, and on Debian.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::archive::{Files, add, gz};
use crate::licences::Metadata;

/// The files, by their paths below a prefix such as `/usr`.
pub(crate) struct Tree {
    files: Vec<(String, u32, Vec<u8>)>,
}

impl Tree {
    /// The program in `built`, its plugins, and what comes with them.
    pub(crate) fn of(
        root: &Path,
        built: &Path,
        plugins: &[(String, PathBuf)],
        metadata: &Metadata,
    ) -> anyhow::Result<Self> {
        let mut tree = Tree { files: Vec::new() };
        let program = built.join("pallet-cli");
        tree.add("bin/pallet-cli", 0o755, read(&program)?);
        let mut packages = vec!["pallet-cli".to_owned()];
        for (package, file) in plugins {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            tree.add(&format!("lib/pallet/{name}"), 0o644, read(file)?);
            packages.push(package.clone());
        }
        let pages = tempfile::tempdir().context("cannot make a directory for temporary files")?;
        output(&program, &["man".as_ref(), pages.path().as_os_str()])?;
        let entries = std::fs::read_dir(pages.path()).context("cannot read the manual pages")?;
        for page in entries.flatten() {
            let name = page.file_name().to_string_lossy().into_owned();
            tree.add(&format!("share/man/man1/{name}"), 0o644, read(&page.path())?);
        }
        for (shell, path) in [
            ("bash", "share/bash-completion/completions/pallet-cli"),
            ("zsh", "share/zsh/site-functions/_pallet-cli"),
            ("fish", "share/fish/vendor_completions.d/pallet-cli.fish"),
        ] {
            tree.add(path, 0o644, output(&program, &["completions".as_ref(), shell.as_ref()])?);
        }
        for file in ["README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE"] {
            tree.document(file, read(&root.join(file))?);
        }
        tree.document("THIRD-PARTY", metadata.third_party(&packages)?.into_bytes());
        for package in &packages {
            tree.document(&format!("sbom/{package}.cdx.json"), metadata.sbom(package)?);
        }
        Ok(tree)
    }

    fn add(&mut self, path: &str, mode: u32, content: Vec<u8>) {
        self.files.push((path.to_owned(), mode, content));
    }

    fn document(&mut self, name: &str, content: Vec<u8>) {
        self.add(&format!("share/doc/pallet/{name}"), 0o644, content);
    }

    /// The files below a prefix.
    pub(crate) fn files(&self, prefix: &str) -> Files {
        let mut files = Files::new();
        for (path, mode, content) in &self.files {
            add(&mut files, &format!("{prefix}/{path}"), *mode, content.clone());
        }
        files
    }

    /// The files as Debian wants them.
    pub(crate) fn in_debian(&self, level: u32) -> anyhow::Result<Files> {
        let mut files = Files::new();
        for (path, mode, content) in &self.files {
            let (path, content) = match path.as_str() {
                page if page.starts_with("share/man/") => {
                    (format!("{page}.gz"), gz(content, level)?)
                }
                "share/doc/pallet/CHANGELOG.md" => {
                    ("share/doc/pallet/changelog.gz".to_owned(), gz(content, level)?)
                }
                path => {
                    let path =
                        path.replace("share/zsh/site-functions", "share/zsh/vendor-completions");
                    (path, content.clone())
                }
            };
            add(&mut files, &format!("usr/{path}"), *mode, content);
        }
        add(&mut files, "usr/share/doc/pallet/copyright", 0o644, COPYRIGHT.as_bytes().to_vec());
        Ok(files)
    }
}

const COPYRIGHT: &str = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: pallet
Source: https://github.com/pallet/pallet

Files: *
Copyright: the authors of Pallet
License: MIT or Apache-2.0
 The texts are in LICENSE-MIT and LICENSE-APACHE beside this file. THIRD-PARTY has the licences of
 the packages that are linked into the programs.
";

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// What the program prints.
fn output(program: &Path, arguments: &[&std::ffi::OsStr]) -> anyhow::Result<Vec<u8>> {
    let program = program.canonicalize().unwrap_or_else(|_| program.to_owned());
    let told = Command::new(&program).args(arguments).output();
    let told = told.with_context(|| format!("cannot run {}", program.display()))?;
    if !told.status.success() {
        let why = String::from_utf8_lossy(&told.stderr);
        bail!("{} {arguments:?} failed: {}", program.display(), why.trim());
    }
    Ok(told.stdout)
}
