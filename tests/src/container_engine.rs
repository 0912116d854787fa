//! Real Docker and Podman engines, from the script in `bed/`. Each value is a separate engine.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::guard::Guard;
use crate::image::bed_script;
use crate::{Output, Process};

/// A running engine. It is removed with its containers when the value is dropped, or when the tests
/// end.
#[derive(Debug)]
pub struct ContainerEngine {
    name: String,
    directory: PathBuf,
    _guard: Guard,
}

impl ContainerEngine {
    /// Starts `docker` or `podman`.
    pub fn start(engine: &str) -> Self {
        static ENGINES: AtomicUsize = AtomicUsize::new(0);
        let name = format!(
            "pallet-bed-{}-e{}",
            std::process::id(),
            ENGINES.fetch_add(1, Ordering::Relaxed)
        );
        let mut hold = bed_script("docker.sh");
        let guard = Guard::start(hold.args(["hold", engine]).env("PALLET_BED", &name));
        let started =
            ContainerEngine { directory: Path::new("/run").join(&name), name, _guard: guard };
        // packages may have to be installed first
        let end = Instant::now() + Duration::from_secs(300);
        while !started.directory.join("ready").exists() {
            assert!(Instant::now() < end, "{engine} does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        started
    }

    /// The engine's address.
    pub fn host(&self) -> String {
        format!("unix://{}/socket", self.directory.display())
    }

    /// Runs Docker's client, which works with both engines.
    pub fn client(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new("docker");
        command.args(["-H", &self.host()]).args(arguments);
        Process::start(command, Duration::from_secs(60)).wait()
    }

    /// The command prefix that runs a command in the network of the engine's containers.
    pub fn prefix(&self) -> Vec<String> {
        vec!["nsenter".into(), format!("--net=/run/netns/{}", self.name), "--".into()]
    }
}
