//! Installation from a real registry, from directories and files, into empty homes; with all kinds
//! of errors.

mod failures;
mod identity;
mod local;
mod lock;
mod mirror;
mod store;
mod trust;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use pallet_core::distribution::artifact::{Build, Details, Publication, Publishing, Release};
use pallet_core::distribution::repository::{Access, Source, open};
use pallet_core::distribution::signature::{KeyAlgorithm, SigningKey};
use pallet_tests::{Output, Process, Project, workspace};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A plugin to publish: the fixture `greet` under another name and version.
#[derive(Debug, Clone)]
struct Plugin {
    name: &'static str,
    version: &'static str,
    requires: Vec<(&'static str, &'static str)>,
    capabilities: Option<Value>,
    /// The number of incompressible bytes that it includes.
    bulk: usize,
}

impl Plugin {
    fn new(name: &'static str, version: &'static str) -> Self {
        Plugin { name, version, requires: Vec::new(), capabilities: None, bulk: 0 }
    }

    fn requires(mut self, name: &'static str, version: &'static str) -> Self {
        self.requires.push((name, version));
        self
    }

    fn may(mut self, capabilities: Value) -> Self {
        self.capabilities = Some(capabilities);
        self
    }

    fn bulky(mut self, bytes: usize) -> Self {
        self.bulk = bytes;
        self
    }

    /// Its library, in a file of the name that cargo would give it.
    fn library(&self, directory: &Path) -> PathBuf {
        let mut bytes = stripped().to_vec();
        const SECTION: usize = 8192;
        let start = bytes.windows(8).position(|window| window == b"{\"abi\":\"").unwrap();
        let section = &mut bytes[start..start + SECTION];
        let mut summary: Value = serde_json::from_slice(section.trim_ascii_end()).unwrap();
        summary["name"] = self.name.into();
        summary["version"] = self.version.into();
        summary["requires"] = self
            .requires
            .iter()
            .map(|(name, version)| json!({"name": name, "version": version}))
            .collect();
        summary["capabilities"] = self.capabilities.clone().unwrap_or_default();
        section.copy_from_slice(format!("{:SECTION$}", summary.to_string()).as_bytes());
        let file = directory.join(format!("libpallet_crate_{}.so", self.name.replace('-', "_")));
        std::fs::write(&file, bytes).unwrap();
        file
    }

    fn release(&self) -> Release {
        let directory = tempfile::tempdir().unwrap();
        let build = Build::read(&self.library(directory.path())).unwrap();
        let mut files = BTreeMap::new();
        if self.bulk > 0 {
            files.insert("docs/bulk".to_owned(), noise(self.bulk));
        }
        let manifest = json!({"name": self.name, "version": self.version, "functions": []});
        Release::new(&[build], &manifest, &Details { files, ..Details::default() }).unwrap()
    }

    /// Publishes it under a prefix.
    fn publish(&self, prefix: &str, key: Option<&SigningKey>) -> Publication {
        let source: Source = prefix.parse().unwrap();
        let release = self.release();
        block_on(async {
            let repository = open(&source.of_plugin(release.kind(), self.name), &Access::default())
                .await
                .unwrap();
            Publishing::plan(&*repository, &release, key)
                .await
                .unwrap()
                .run(&*repository, &|_| ())
                .await
                .unwrap()
        })
    }
}

/// The fixture's library without debug information.
fn stripped() -> &'static [u8] {
    static LIBRARY: OnceLock<Vec<u8>> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("greet.so");
        std::fs::copy(workspace().fixture("crate_greet"), &file).unwrap();
        let mut strip = Command::new("strip");
        strip.arg("--strip-debug").arg(&file);
        Process::start(strip, Duration::from_secs(60)).wait().exits(0);
        std::fs::read(&file).unwrap()
    })
}

/// Bytes that cannot be compressed, and are the same every time.
fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..bytes).map(|_| next()).collect()
}

fn key() -> SigningKey {
    SigningKey::generate(KeyAlgorithm::EcdsaP256).unwrap()
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// An empty project that trusts these keys for everything.
fn project(keys: &[&SigningKey]) -> Project {
    let project = Project::empty();
    project.write("pallet.toml", trust(keys));
    project.write("pallet.star", "group_spec(\"web\", count = 0)\n");
    project
}

fn trust(keys: &[&SigningKey]) -> String {
    let keys: Vec<_> = keys.iter().map(|key| format!("'''{}'''", key.public().to_pem())).collect();
    format!("# a project\n[trust]\n\"*\" = [{}]\n", keys.join(", "))
}

/// Where a project keeps what it downloads.
fn data(project: &Project) -> PathBuf {
    project.home().join(".local/share/pallet")
}

/// The directories of plugins in the store.
fn stored(project: &Project) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(data(project).join("store/sha256")).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}

fn read(project: &Project, file: &str) -> String {
    std::fs::read_to_string(project.directory().join(file)).unwrap_or_default()
}

/// The locked plugins, as JSON from `list`.
#[track_caller]
fn locked(project: &Project) -> Vec<Value> {
    let output = project.run(&["list", "--output", "json"]).exits(0);
    serde_json::from_str(&output.stdout).unwrap()
}

/// `name version` of all locked plugins.
#[track_caller]
fn versions(project: &Project) -> Vec<String> {
    locked(project)
        .iter()
        .map(|plugin| {
            format!("{} {}", plugin["name"].as_str().unwrap(), plugin["version"].as_str().unwrap())
        })
        .collect()
}

/// Asserts that it failed with one line that contains all of `words`, and that nothing was
/// installed or written.
#[track_caller]
fn refuses(project: &Project, arguments: &[&str], words: &[&str]) -> Output {
    let before = ["pallet.toml", "pallet.lock"].map(|file| read(project, file));
    let count = stored(project).len();
    let output = project.run(arguments).exits(2);
    let lines: Vec<_> = output.stderr.lines().collect();
    assert!(
        lines.len() == 1 && lines[0].starts_with("error: "),
        "it should say one line\n\
        {output}"
    );
    for word in words {
        assert!(lines[0].contains(word), "it should say {word:?}\n{output}");
    }
    assert_eq!(
        ["pallet.toml", "pallet.lock"].map(|file| read(project, file)),
        before,
        "the project was changed"
    );
    assert_eq!(stored(project).len(), count, "the store was changed");
    output
}

/// A directory with an OCI layout, as a source.
fn layout() -> (TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let source = format!("layout:{}", directory.path().join("plugins").display());
    (directory, source)
}
