//! The results of building this workspace with cargo: the executable and the plugins.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// Everything that cargo has built, once per run of the tests.
#[derive(Debug)]
pub struct Workspace {
    /// The built targets.
    pub artifacts: Vec<Artifact>,
}

/// One target of one package.
#[derive(Debug)]
pub struct Artifact {
    /// The directory of the package.
    pub package: PathBuf,
    /// The name of the target.
    pub name: String,
    /// `bin`, `cdylib`, `lib`, `example`.
    pub kind: String,
    /// Whether it is a dynamic library with a C interface.
    pub cdylib: bool,
    /// The executable or the library.
    pub file: PathBuf,
}

/// Builds the workspace the first time, with the cargo and the profile of the tests.
pub fn workspace() -> &'static Workspace {
    // a failure is cached too: otherwise every other test would build again, and fail again
    static WORKSPACE: OnceLock<Result<Workspace, String>> = OnceLock::new();
    WORKSPACE.get_or_init(Workspace::build).as_ref().unwrap_or_else(|error| panic!("{error}"))
}

/// The directory of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

impl Workspace {
    fn build() -> Result<Self, String> {
        let root = root();
        let mut cargo =
            Command::new(std::env::var_os("CARGO").expect("the tests are run by cargo"));
        cargo.args([
            "build",
            "--workspace",
            "--lib",
            "--bins",
            "--examples",
            "--message-format=json-render-diagnostics",
        ]);
        if !cfg!(debug_assertions) {
            cargo.arg("--release");
        }
        // cargo sets variables about the test's package, which would mislead another cargo
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "LD_LIBRARY_PATH"]
                .iter()
                .any(|start| name.starts_with(start))
            {
                cargo.env_remove(name);
            }
        }
        let output = cargo.current_dir(&root).stdin(Stdio::null()).output().expect("cargo runs");
        if !output.status.success() {
            return Err(format!(
                "cargo build failed:\n{}",
                String::from_utf8_lossy(&output.stderr)
            ));
        }
        let mut artifacts: Vec<_> = String::from_utf8(output.stdout)
            .unwrap()
            .lines()
            .filter_map(|line| Artifact::read(line, &root))
            .collect();
        // cargo lists them in the order in which they are built
        artifacts.sort_by(|one, other| one.package.cmp(&other.package));
        Ok(Workspace { artifacts })
    }

    /// The executable `pallet-cli`.
    pub fn cli(&self) -> &Path {
        &self.find("bin", "pallet-cli").file
    }

    /// An example program of pallet-core.
    pub fn example(&self, name: &str) -> &Path {
        &self.find("example", name).file
    }

    /// An example program of pallet-core that stores its data below this directory, where no other
    /// test looks for leftovers.
    pub fn example_in(&self, name: &str, directory: &Path) -> Command {
        let mut command = Command::new(self.example(name));
        command.env("TMPDIR", directory);
        command
    }

    /// Every plugin of the workspace, whatever its name.
    pub fn plugins(&self) -> impl Iterator<Item = &Artifact> {
        self.artifacts.iter().filter(|artifact| artifact.cdylib && artifact.kind != "example")
    }

    /// A plugin that was made for the tests: `crate_greet`.
    pub fn fixture(&self, name: &str) -> &Path {
        self.example(&format!("pallet_{name}"))
    }

    fn find(&self, kind: &str, name: &str) -> &Artifact {
        let found =
            self.artifacts.iter().find(|artifact| artifact.kind == kind && artifact.name == name);
        found.unwrap_or_else(|| {
            panic!("the workspace builds no {kind} {name}; it builds {:#?}", self.artifacts)
        })
    }
}

impl Artifact {
    /// Reads one line of cargo's messages; `None` for other messages and for packages from outside.
    fn read(line: &str, root: &Path) -> Option<Self> {
        let message: Value = serde_json::from_str(line).ok()?;
        if message["reason"] != "compiler-artifact" {
            return None;
        }
        let target = &message["target"];
        let package = Path::new(message["manifest_path"].as_str()?).parent()?.to_owned();
        if !package.starts_with(root) {
            return None;
        }
        let file = message["executable"].as_str().or_else(|| message["filenames"][0].as_str())?;
        Some(Artifact {
            package,
            name: target["name"].as_str()?.to_owned(),
            kind: target["kind"][0].as_str()?.to_owned(),
            cdylib: target["crate_types"].as_array()?.iter().any(|kind| kind == "cdylib"),
            file: PathBuf::from(file),
        })
    }
}
