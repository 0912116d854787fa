//! Publishing: from a package to an artifact in a real registry or a directory, which others can
//! read and verify.

mod access;
mod artifact;
mod others;
mod signature;
mod versions;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use pallet_core::distribution::artifact::Plugin;
use pallet_core::distribution::repository::{Access, Reference, Repository, Source, open};
use pallet_tests::{Output, Process, Project, workspace};
use serde_json::Value;

const X86: &str = "x86_64-unknown-linux-gnu";
const ARM: &str = "aarch64-unknown-linux-gnu";

/// A home with the package of the plugin that is published.
struct Author {
    project: Project,
}

impl Author {
    fn new() -> Self {
        // cargo itself instead of rustup, which would look into the home
        let cargo = PathBuf::from(std::env::var_os("CARGO").unwrap());
        let path =
            format!("{}:{}", cargo.parent().unwrap().display(), std::env::var("PATH").unwrap());
        let project = Project::empty().set("PATH", path);
        project.write("Cargo.toml", include_str!("publish/package.toml"));
        project.write("src/lib.rs", "");
        project.write("LICENSE-MIT", "Do as you like.\n");
        project.write("README.md", "# greet\n");
        project.write("docs/usage.md", "Say hello.\n");
        Author { project }
    }

    fn set(self, name: &str, value: impl AsRef<Path>) -> Self {
        Author { project: self.project.set(name, value) }
    }

    /// A file of the package.
    fn file(&self, name: &str) -> PathBuf {
        self.project.directory().join(name)
    }

    /// Runs `pallet-cli publish` on the package.
    fn publish(&self, arguments: &[&str]) -> Output {
        let arguments: Vec<&str> =
            ["publish"].into_iter().chain(arguments.iter().copied()).collect();
        self.project.run(&arguments)
    }

    /// The library of the plugin, in a file of this name, as a version.
    fn library(&self, name: &str, version: &str) -> String {
        self.changed_library(name, |bytes| set_version(bytes, version))
    }

    /// The library as if built for another machine. It cannot be loaded, and need not be.
    fn foreign_library(&self, name: &str, version: &str) -> String {
        self.changed_library(name, |bytes| {
            set_version(bytes, version);
            const AARCH64: u8 = 183;
            bytes[18] = AARCH64;
        })
    }

    fn changed_library(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) -> String {
        let file = self.file(name);
        std::fs::copy(workspace().fixture("crate_greet"), &file).unwrap();
        let mut strip = Command::new("strip");
        strip.arg("--strip-debug").arg(&file);
        Process::start(strip, Duration::from_secs(60)).wait().exits(0);
        let mut bytes = std::fs::read(&file).unwrap();
        change(&mut bytes);
        std::fs::write(&file, bytes).unwrap();
        file.to_str().unwrap().to_owned()
    }

    /// Creates a key; returns the file of the private key.
    fn key(&self, name: &str, more: &[&str]) -> String {
        let file = self.file(name).to_str().unwrap().to_owned();
        let arguments: Vec<&str> =
            ["generate-key", &file].into_iter().chain(more.iter().copied()).collect();
        self.project.run(&arguments).exits(0);
        file
    }
}

/// Changes the version in the library's section.
fn set_version(library: &mut [u8], version: &str) {
    let start = library.windows(8).position(|window| window == b"{\"abi\":\"").unwrap();
    let mut values = serde_json::Deserializer::from_slice(&library[start..]).into_iter::<Value>();
    let mut summary = values.next().unwrap().unwrap();
    let end = start + values.byte_offset();
    summary["version"] = version.into();
    let text = summary.to_string();
    let room = (end - start) + library[end..].iter().take_while(|byte| **byte == b' ').count();
    library[start..start + room].copy_from_slice(format!("{text:room$}").as_bytes());
}

/// The repository of a source, without credentials.
fn repository(source: &str) -> Box<dyn Repository> {
    let source: Source = source.parse().unwrap();
    block_on(open(&source, &Access::default())).unwrap()
}

fn plugin(source: &str, version: &str) -> Plugin {
    block_on(Plugin::read(
        repository(source).as_ref(),
        &Reference::Version(version.parse().unwrap()),
    ))
    .unwrap()
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// Asserts that it failed and said one line.
#[track_caller]
fn fails_in_one_line(output: Output) -> String {
    let output = output.exits(2);
    let lines: Vec<&str> = output
        .stderr
        .lines()
        .filter(|line| !line.starts_with("warning: nothing signs it"))
        .collect();
    assert!(
        lines.len() == 1 && lines[0].starts_with("error: "),
        "it should say one line\n\
        {output}"
    );
    lines[0].to_owned()
}
