//! Nodes with real sshd, from the scripts in `bed/`. Each value is a separate bed: tests run in
//! parallel and begin with fresh nodes.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::guard::Guard;
use crate::timing::measure;
use crate::{Output, Process};

/// Nodes in a network namespace of their own. They are removed when the value is dropped, or when
/// the tests end.
#[derive(Debug)]
pub struct Bed {
    name: String,
    directory: PathBuf,
    _guard: Guard,
}

/// The nodes of a bed.
#[derive(Debug, Clone, Copy)]
pub struct BedOptions {
    /// How many.
    pub count: usize,
    /// Their first process.
    pub init: Init,
    /// The number of the first node.
    pub from: usize,
    /// Whether their host key differs from that in known_hosts.
    pub other_host_key: bool,
}

/// The first process of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Init {
    /// Only sshd: starts quickly, and there is no service manager.
    Sshd,
    /// systemd.
    Systemd,
}

impl Bed {
    /// Nodes 1 to `count`, with sshd alone.
    pub fn of(count: usize) -> Self {
        Bed::with(count, Init::Sshd)
    }

    /// Nodes 1 to `count`.
    pub fn with(count: usize, init: Init) -> Self {
        measure();
        static BEDS: AtomicUsize = AtomicUsize::new(0);
        let name =
            format!("pallet-bed-{}-{}", std::process::id(), BEDS.fetch_add(1, Ordering::Relaxed));
        let guard = Guard::start(script(&name).arg("hold"));
        let output = script(&name).arg("dir").output().unwrap();
        let directory = PathBuf::from(String::from_utf8(output.stdout).unwrap().trim());
        let bed = Bed { name, directory, _guard: guard };
        bed.add(BedOptions { count, init, from: 1, other_host_key: false });
        bed
    }

    /// Adds nodes.
    pub fn add(&self, options: BedOptions) {
        let mut arguments = vec![
            "up".to_owned(),
            options.count.to_string(),
            "--from".to_owned(),
            options.from.to_string(),
        ];
        arguments.extend(
            ["--init", if options.init == Init::Systemd { "systemd" } else { "sshd" }]
                .map(str::to_owned),
        );
        if options.other_host_key {
            arguments.extend(["--host-key", "other"].map(str::to_owned));
        }
        // the first use builds the image
        self.run(
            &arguments.iter().map(String::as_str).collect::<Vec<_>>(),
            Duration::from_secs(600),
        )
        .exits(0);
    }

    /// The address of a node.
    pub fn address(&self, node: usize) -> String {
        format!("10.77.1.{node}")
    }

    /// The private key that logs in to every node as every user.
    pub fn key(&self) -> PathBuf {
        self.directory.join("id_ed25519")
    }

    /// A known_hosts file with the host keys that the nodes should have.
    pub fn known_hosts(&self) -> PathBuf {
        self.directory.join("known_hosts")
    }

    /// The files that a node has changed, as this machine sees them.
    pub fn disk(&self, node: usize) -> PathBuf {
        self.directory.join(format!("node{node}/upper"))
    }

    /// Power loss: all processes of the node die at once, its disk stays.
    pub fn kill(&self, node: usize) {
        self.run(&["kill", &node.to_string()], SHORT).exits(0);
    }

    /// Starts a killed node on its disk.
    pub fn start(&self, node: usize) {
        self.run(&["start", &node.to_string()], SHORT).exits(0);
    }

    /// Freezes a node: its connections stay open and nothing answers.
    pub fn freeze(&self, node: usize) {
        self.run(&["freeze", &node.to_string()], SHORT).exits(0);
    }

    /// Continues a frozen node.
    pub fn thaw(&self, node: usize) {
        self.run(&["thaw", &node.to_string()], SHORT).exits(0);
    }

    /// Runs a shell command on a node as root, over OpenSSH.
    pub fn ssh(&self, node: usize, command: &str) -> Output {
        self.run(&["ssh", &node.to_string(), command], SHORT)
    }

    /// The command prefix that runs a command in the network of the nodes.
    pub fn prefix(&self) -> Vec<String> {
        vec!["nsenter".into(), format!("--net={}", self.network().display()), "--".into()]
    }

    /// The network namespace of the nodes.
    pub fn network(&self) -> PathBuf {
        Path::new("/run/netns").join(&self.name)
    }

    fn run(&self, arguments: &[&str], timeout: Duration) -> Output {
        let mut command = script(&self.name);
        command.args(arguments);
        Process::start(command, timeout).wait()
    }
}

const SHORT: Duration = Duration::from_secs(90);

fn script(name: &str) -> Command {
    let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("bed/bed.sh"));
    command
        .env("PALLET_BED", name)
        .env("PALLET_BED_OWNER", std::process::id().to_string())
        .stdin(Stdio::null());
    command
}
