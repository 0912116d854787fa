//! The console of a node with systemd, while it boots: a terminal of the node, whose output goes to
//! the node's log.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use pallet_core::prelude::*;
use rustix::fs::OFlags;

use crate::linux::process::Process;

/// How much of the log an error shows, in bytes.
const SHOWN: usize = 400;

/// The console. What is written to it after this value was dropped is lost.
pub(crate) struct Console {
    /// The path of the terminal in the node.
    pub(crate) terminal: String,
    output: File,
    log: File,
}

impl Console {
    /// Opens a terminal in the node of this first process.
    pub(crate) fn open(process: Process, log: &Path) -> Result<Console> {
        let path = format!("/proc/{}/root/dev/pts/ptmx", process.pid);
        let flags = OFlags::NOCTTY | OFlags::NONBLOCK;
        let output = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(flags.bits().cast_signed())
            .open(&path)
            .context("cannot open a console in the node")?;
        rustix::pty::unlockpt(&output)?;
        let terminal = rustix::pty::ptsname(&output, Vec::new())?.to_string_lossy().into_owned();
        let log = OpenOptions::new().append(true).open(log).context("cannot open its log")?;
        Ok(Console { terminal, output, log })
    }

    /// Moves what the node wrote to its log.
    pub(crate) fn drain(&mut self) {
        let mut buffer = [0; 4096];
        // an error says that there is nothing now, or that nobody has opened it
        while let Ok(length @ 1..) = self.output.read(&mut buffer) {
            let _ = self.log.write_all(buffer.get(..length).unwrap_or_default());
        }
    }
}

/// The last lines of a log, in one line.
pub(crate) fn last_lines(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = printable(&String::from_utf8_lossy(&text));
    let (mut lines, mut length) = (Vec::new(), 0);
    for line in text.lines().rev().map(str::trim).filter(|line| !line.is_empty()) {
        length += line.len();
        if !lines.is_empty() && length > SHOWN {
            break;
        }
        lines.push(line);
    }
    lines.reverse();
    if lines.is_empty() { "it said nothing".to_owned() } else { lines.join("; ") }
}

/// The text without what moves the cursor. systemd writes the same line again while it waits.
fn printable(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\x1b' if rest.next_if_eq(&'[').is_some() => {
                while rest.next_if(|next| !next.is_ascii_alphabetic()).is_some() {}
                rest.next();
            }
            '\r' => kept.push('\n'),
            '\n' => kept.push('\n'),
            character if character.is_control() => {}
            character => kept.push(character),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_shows_the_last_lines() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        assert_eq!(last_lines(&log), "it said nothing");
        std::fs::write(&log, "one\r\n\x1b[0;1;31mtwo\x1b[0m\r\n\r\x1b[Kthree\x07\n").unwrap();
        assert_eq!(last_lines(&log), "one; two; three");
        let many: String = (0..100).map(|number| format!("line {number}\n")).collect();
        std::fs::write(&log, many).unwrap();
        let shown = last_lines(&log);
        assert!(shown.len() < 600 && shown.ends_with("line 98; line 99"), "{shown}");
    }
}
