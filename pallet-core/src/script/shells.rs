//! The shells that tests run scripts with: the system's `sh`, and if installed, bash as `sh`, and
//! busybox with all its applets.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A shell on this machine.
pub(crate) struct Shell {
    name: &'static str,
    kind: ShellKind,
}

enum ShellKind {
    /// This machine.
    Here,
    /// This machine, with bash as `sh`.
    Bash,
    /// This machine, with a directory of applets before all other commands.
    Applets(TempDir),
    /// A copy of this machine's root. Changes go to a layer that persists between runs.
    Copy(TempDir),
    /// A node, entered by a command.
    Node(Vec<String>),
}

/// All shells that are available.
pub(crate) fn shells() -> Vec<Shell> {
    let mut found = vec![Shell { name: "sh", kind: ShellKind::Here }];
    if Command::new("bash")
        .args(["--posix", "-c", ":"])
        .status()
        .is_ok_and(|status| status.success())
    {
        found.push(Shell { name: "bash", kind: ShellKind::Bash });
    }
    let applets = tempfile::tempdir().expect("a temporary directory");
    let installed = Command::new("busybox")
        .args(["--install", "-s"])
        .arg(applets.path())
        .status()
        .is_ok_and(|status| status.success());
    if installed {
        found.push(Shell { name: "busybox", kind: ShellKind::Applets(applets) });
    }
    found
}

const ENTER: &str = r#"
mkdir -p "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
mount --rbind /proc "$1/root/proc"
mount --rbind /dev "$1/root/dev"
cd "$1/root"
exec chroot . sh"#;

impl Shell {
    /// A shell in a node. The environment variable `PALLET_TEST_NODE` holds the command that enters
    /// it, such as `nsenter -a -t 1234`.
    pub(crate) fn node() -> Shell {
        let words =
            std::env::var("PALLET_TEST_NODE").expect("PALLET_TEST_NODE tells how to enter a node");
        Shell {
            name: "sh in a node",
            kind: ShellKind::Node(words.split_whitespace().map(str::to_owned).collect()),
        }
    }

    /// A shell in a node that this command enters.
    pub(crate) fn entered(words: Vec<String>) -> Shell {
        Shell { name: "sh in a node", kind: ShellKind::Node(words) }
    }

    /// A shell in a copy of this machine's root, where tests can change users, packages and
    /// services. Needs root.
    pub(crate) fn copy() -> Shell {
        Shell {
            name: "sh in a copy",
            kind: ShellKind::Copy(tempfile::tempdir().expect("a temporary directory")),
        }
    }

    /// Feeds `script` to the shell's standard input.
    pub(crate) fn run(&self, script: &str) -> Output {
        let mut command = match &self.kind {
            ShellKind::Here => Command::new("sh"),
            ShellKind::Bash => {
                let mut command = Command::new("bash");
                command.arg("--posix");
                command
            }
            ShellKind::Applets(applets) => {
                let mut command = Command::new(applets.path().join("sh"));
                command.env("PATH", applets.path());
                command
            }
            ShellKind::Node(words) => {
                let mut command = Command::new(&words[0]);
                command.args(&words[1..]).arg("sh");
                command
            }
            ShellKind::Copy(layer) => {
                let mut command = Command::new("unshare");
                command.args(["--mount", "sh", "-e", "-c", ENTER, "sh"]).arg(layer.path());
                command
            }
        };
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the shell starts");
        let mut stdin = child.stdin.take().expect("it is piped");
        let script = script.to_owned();
        let writer = std::thread::spawn(move || stdin.write_all(script.as_bytes()));
        let output = child.wait_with_output().expect("the shell ends");
        writer.join().expect("the writer ends").expect("the script is read");
        output
    }
}

impl std::fmt::Display for Shell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}
