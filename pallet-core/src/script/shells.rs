//! The shells that tests run scripts with: the system's `sh`, and busybox with all its applets where there is one.

use std::io::Write;
use std::process::{Command, Output, Stdio};

/// A shell on this machine.
pub(crate) struct Shell {
    name: &'static str,
    applets: Option<tempfile::TempDir>,
}

/// All shells that are to be found here.
pub(crate) fn shells() -> Vec<Shell> {
    let mut found = vec![Shell { name: "sh", applets: None }];
    let applets = tempfile::tempdir().expect("a temporary directory");
    let installed = Command::new("busybox").args(["--install", "-s"]).arg(applets.path()).status().is_ok_and(|status| status.success());
    if installed {
        found.push(Shell { name: "busybox", applets: Some(applets) });
    }
    found
}

impl Shell {
    /// Feeds `script` to the shell's standard input.
    pub(crate) fn run(&self, script: &str) -> Output {
        let mut command = match &self.applets {
            None => Command::new("sh"),
            Some(applets) => {
                let mut command = Command::new(applets.path().join("sh"));
                command.env("PATH", applets.path());
                command
            }
        };
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the shell starts");
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
