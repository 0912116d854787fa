//! Secrets in files that are encrypted with sops.
//!
//! The program `sops` decrypts them. It knows all formats (YAML, JSON, dotenv, ini, binary) and all
//! services that keep keys (age, PGP, cloud KMS, Vault's transit), and verifies the file's MAC. No
//! library for Rust does all that: rops, the only one, has no dotenv, ini, PGP or key groups.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::SystemTime;

use anyhow::{Context, bail, ensure};
use serde_json::Value;

use super::command::run;
use super::found::{Found, open_file};
use super::source::Source;

/// A file that is encrypted with sops.
pub(super) struct SopsFile {
    pub(super) path: PathBuf,
    /// A key of it is wanted, so it is read as a table.
    pub(super) table: bool,
}

impl Source for SopsFile {
    fn shown(&self) -> String {
        format!("the sops file {}", self.path.display())
    }

    fn identity(&self) -> Option<String> {
        // a file that was edited is read again
        let file = std::fs::metadata(&self.path).ok()?;
        let edited = file.modified().ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        let (path, size) = (self.path.display(), file.len());
        Some(format!("sops {path} {} {size} {}", edited.as_nanos(), self.table))
    }

    fn look_up(&self) -> anyhow::Result<Found> {
        self.check()?;
        let mut program = Command::new("sops");
        program.arg("--decrypt").stdin(Stdio::null());
        if self.table {
            program.args(["--output-type", "json"]);
        }
        program.arg(&self.path);
        let shown = self.shown();
        let run = run(&mut program, Stdio::piped(), "sops").with_context(|| {
            format!("the program sops decrypts {shown}; install it from https://getsops.io")
        })?;
        ensure!(
            run.status.success(),
            "sops cannot decrypt {shown}: {}",
            told(&run.errors, &run.status.to_string())
        );
        let text = run.printed.with_context(|| format!("cannot read {shown}"))?;
        if !self.table {
            return Ok(Found::text(text));
        }
        match serde_json::from_str(&text) {
            Ok(Value::Object(table)) => Ok(Found::table(table)),
            // the error of the parser could hold a part of it
            _ => bail!("{shown} is not a table, so it has no keys; remove `key`"),
        }
    }

    fn check(&self) -> anyhow::Result<()> {
        open_file(&self.path).map(drop).with_context(|| format!("cannot read {}", self.shown()))
    }
}

/// What sops says is wrong, in one line. It never contains values.
fn told(errors: &str, otherwise: &str) -> String {
    let words: Vec<&str> = errors
        .lines()
        .map(|line| line.trim_matches([' ', '|', '-', '\t']))
        .filter(|line| !line.is_empty())
        .collect();
    let line = words.join("; ");
    match line.char_indices().nth(400) {
        _ if line.is_empty() => otherwise.to_owned(),
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::told;

    #[test]
    fn what_sops_says_is_one_line() {
        let errors =
            "Failed to get the data key\n\nGroup 0: FAILED\n  age1x: FAILED\n    - | no key\n";
        assert_eq!(
            told(errors, ""),
            "Failed to get the data key; Group 0: FAILED; age1x: FAILED; no key"
        );
        assert_eq!(told("", "exit status: 2"), "exit status: 2");
        assert_eq!(told(&"x".repeat(500), "").len(), 403);
    }
}
