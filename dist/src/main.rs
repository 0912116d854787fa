//! `cargo xtask dist`: makes what is released.

mod archive;
mod binary;
mod compile;
mod deb;
mod image;
mod layout;
mod licences;
mod sums;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Parser, Subcommand};

/// Tasks of this repository
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", max_term_width = 100)]
struct Tasks {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    Dist(Dist),
}

/// Make a tarball and a package for Debian, with checksums
#[derive(Debug, clap::Args)]
pub(crate) struct Dist {
    /// Directory to write to
    #[arg(long, value_name = "DIR", default_value = "target/dist")]
    out: PathBuf,
    /// Package what was built into this directory, instead of building it
    #[arg(long, value_name = "DIR", conflicts_with = "debian")]
    built: Option<PathBuf>,
    /// Build in a root of this release of Debian, which is made with mmdebstrap, as root
    #[arg(long, value_name = "RELEASE")]
    debian: Option<String>,
    /// Newest version of glibc that the programs may need; Debian 11 has 2.31
    #[arg(long, value_name = "VERSION", default_value = "2.31")]
    glibc: String,
    /// How well to compress
    #[arg(
        long, value_name = "1-9", default_value_t = 9,
        value_parser = clap::value_parser!(u32).range(1..=9)
    )]
    compression: u32,
    /// Sign the checksums with this private key of `pallet-cli generate-key`
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Also make a container image from this root file system of Debian
    #[arg(long, value_name = "DIR")]
    image: Option<PathBuf>,
}

fn main() -> ExitCode {
    let Task::Dist(dist) = Tasks::parse().task;
    match dist.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

impl Dist {
    fn run(&self) -> anyhow::Result<()> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("there is no parent")?;
        let time = compile::time(root)?;
        let built = match &self.built {
            Some(built) => built.clone(),
            None => compile::build(root, self.debian.as_deref(), time)?,
        };
        let metadata = licences::Metadata::read(root)?;
        let program = binary::Binary::read(&built.join("pallet-cli"))?;
        let plugins = compile::plugins(&metadata, &built)?;
        let mut binaries = vec![program];
        for (_, file) in &plugins {
            binaries.push(binary::Binary::read(file)?);
        }
        refuse_new_glibc(&binaries, &self.glibc)?;
        let tree = layout::Tree::of(root, &built, &plugins, &metadata)?;

        std::fs::create_dir_all(&self.out)
            .with_context(|| format!("cannot create {}", self.out.display()))?;
        let version = metadata.version("pallet-cli")?;
        let target = &binaries[0].target;
        let mut written = Vec::new();
        let level = self.compression;
        let name = format!("pallet-{version}-{target}");
        self.write(
            &mut written,
            format!("{name}.tar.gz"),
            archive::tar_gz(&tree.files(&name), time, level)?,
        )?;
        let package =
            deb::Package { version: &version, binaries: &binaries, tree: &tree, time, level };
        let architecture = binaries[0].debian()?;
        let deb = format!("pallet_{version}_{architecture}.deb");
        self.write(&mut written, deb, package.write()?)?;
        if let Some(base) = &self.image {
            let layers = [image::files_of(base)?, tree.in_debian(level)?];
            let image = image::oci(&layers, &version, architecture, time, level)?;
            let name = format!("pallet-{version}-{architecture}.oci.tar");
            self.write(&mut written, name, image)?;
        }
        let sums = sums::sums(&written);
        self.write(&mut written, "SHA256SUMS".to_owned(), sums.clone())?;
        if let Some(key) = &self.key {
            let (signature, public) = sums::sign(key, &sums)?;
            self.write(&mut written, "SHA256SUMS.sig".to_owned(), signature)?;
            self.write(&mut written, "SHA256SUMS.pub".to_owned(), public.into_bytes())?;
        }
        for (name, content) in &written {
            say(&format!("{} ({} bytes)", self.out.join(name).display(), content.len()));
        }
        if self.key.is_none() {
            say("not signed: there is no --key");
        }
        Ok(())
    }

    fn write(
        &self,
        written: &mut Vec<(String, Vec<u8>)>,
        name: String,
        content: Vec<u8>,
    ) -> anyhow::Result<()> {
        let file = self.out.join(&name);
        std::fs::write(&file, &content)
            .with_context(|| format!("cannot write {}", file.display()))?;
        written.push((name, content));
        Ok(())
    }
}

/// What needs a newer glibc than the oldest supported system has does not start there.
fn refuse_new_glibc(binaries: &[binary::Binary], newest: &str) -> anyhow::Result<()> {
    let too_new = binaries.iter().filter(|binary| {
        let needed = binary.glibc.as_deref();
        needed.is_some_and(|needed| binary::numbers(needed) > binary::numbers(newest))
    });
    let lines: Vec<_> = too_new
        .map(|binary| format!("{} needs {}", binary.name, binary.glibc.as_deref().unwrap_or("?")))
        .collect();
    if lines.is_empty() {
        return Ok(());
    }
    bail!(
        "these need a glibc that is newer than {newest}: {}; build on an older system, such as \
         with `--debian bullseye`, or allow a newer one with --glibc",
        lines.join(", ")
    )
}

/// Prints a line.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
