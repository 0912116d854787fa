//! The known_hosts files: which keys are known of a host. libssh2 reads such files too, but knows neither patterns nor markers
//! nor lines; it is asked only whether a hashed name is the host's.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ssh2::{CheckResult, KnownHostFileKind, Session};

use super::super::TransportError;
use super::pattern::list_matches;

/// A line that is about the host.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) marker: Marker,
    pub(super) key_type: String,
    pub(super) key: Vec<u8>,
    /// File and line.
    pub(super) place: String,
}

/// What a line says of its key.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Marker {
    Known,
    Revoked,
    CertAuthority,
}

/// The name that files know a host by.
pub(super) fn name(host: &str, port: u16) -> String {
    let host = host.to_ascii_lowercase();
    if port == 22 { host } else { format!("[{host}]:{port}") }
}

/// The lines of the files that are about `name`. A file that does not exist has none.
pub(super) fn entries(name: &str, files: &[PathBuf]) -> Result<Vec<Entry>, TransportError> {
    let mut found = Vec::new();
    for file in files {
        let text = match fs::read(file) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(TransportError::Input { path: file.clone(), message: error.to_string() }),
        };
        let lines = text.lines().enumerate();
        found.extend(lines.filter_map(|(index, line)| entry(name, line, || format!("{}:{}", file.display(), index + 1))));
    }
    Ok(found)
}

fn entry(name: &str, line: &str, place: impl Fn() -> String) -> Option<Entry> {
    let mut words = line.split_whitespace().peekable();
    let marker = match words.peek().copied()? {
        word if word.starts_with('#') => return None,
        "@revoked" => Marker::Revoked,
        "@cert-authority" => Marker::CertAuthority,
        word if word.starts_with('@') => return None,
        _ => Marker::Known,
    };
    if marker != Marker::Known {
        words.next();
    }
    let hosts = words.next()?;
    let about = if hosts.starts_with("|1|") { is_hash_of(hosts, name) } else { list_matches(hosts.split(','), name) };
    if !about {
        return None;
    }
    let key_type = words.next()?.to_owned();
    let key = STANDARD.decode(words.next()?).ok()?;
    Some(Entry { marker, key_type, key, place: place() })
}

/// Whether `|1|salt|hash` hides `name`.
fn is_hash_of(hash: &str, name: &str) -> bool {
    // Any key will do: the answer differs in whether the host is found.
    let check = || -> Result<CheckResult, ssh2::Error> {
        let mut known = Session::new()?.known_hosts()?;
        known.read_str(&format!("{hash} ssh-rsa {}", "A".repeat(24)), KnownHostFileKind::OpenSSH)?;
        Ok(known.check(name, b"other"))
    };
    matches!(check(), Ok(CheckResult::Match | CheckResult::Mismatch))
}

/// Adds a key to a file, in one write, so that others who add at the same time do no harm.
pub(super) fn add(file: &Path, name: &str, key_type: &str, key: &[u8]) -> std::io::Result<()> {
    if let Some(directory) = file.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    let mut open = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(file)?;
    let unfinished = open.seek(SeekFrom::End(-1)).is_ok() && {
        let mut last = [0];
        open.read_exact(&mut last)?;
        last != *b"\n"
    };
    let line = format!("{}{name} {key_type} {}\n", if unfinished { "\n" } else { "" }, STANDARD.encode(key));
    open.write_all(line.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::{Marker, add, entries, name};

    #[test]
    fn names() {
        assert_eq!((name("Web", 22).as_str(), name("web", 2222).as_str()), ("web", "[web]:2222"));
    }

    #[test]
    fn finds_the_lines_that_are_about_a_host() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("known_hosts");
        let text = "# a comment\n\nweb,10.0.0.1 ssh-ed25519 AAAA\n*.example.com,!db.example.com ssh-rsa AAAB comment here\n\
                    @revoked * ssh-rsa AAAC\n[web]:2222 ssh-ed25519 AAAD\n@cert-authority *.example.com ssh-rsa AAAE\nweb broken\n@new web ssh-rsa AAAA\n";
        fs::write(&file, text).expect("written");
        let files = [dir.path().join("absent"), file];
        let found = |name: &str| {
            let entries = entries(name, &files).expect("readable");
            entries
                .into_iter()
                .map(|it| (it.marker, it.place.rsplit(':').next().map(str::to_owned).unwrap_or_default()))
                .collect::<Vec<_>>()
        };
        let line = |marker, line: &str| (marker, line.to_owned());
        assert_eq!(found("web"), [line(Marker::Known, "3"), line(Marker::Revoked, "5")]);
        assert_eq!(found("10.0.0.1"), [line(Marker::Known, "3"), line(Marker::Revoked, "5")]);
        assert_eq!(found("[web]:2222"), [line(Marker::Revoked, "5"), line(Marker::Known, "6")]);
        assert_eq!(found("a.example.com"), [line(Marker::Known, "4"), line(Marker::Revoked, "5"), line(Marker::CertAuthority, "7")]);
        assert_eq!(found("db.example.com"), [line(Marker::Revoked, "5"), line(Marker::CertAuthority, "7")]);
    }

    #[test]
    fn adds_and_finds_hashed_names() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("new/known_hosts");
        add(&file, "[web]:2222", "ssh-ed25519", b"\0\0\0\x0bssh-ed25519").expect("added");
        fs::write(&file, fs::read_to_string(&file).expect("there").trim_end()).expect("written");
        add(&file, "db", "ssh-ed25519", b"\0\0\0\x0bssh-ed25519").expect("added");
        assert_eq!(fs::read_to_string(&file).expect("there").lines().count(), 2);
        let hashed = Command::new("ssh-keygen").args(["-q", "-H", "-f"]).arg(&file).output().expect("ssh-keygen runs");
        assert!(hashed.status.success());
        let text = fs::read_to_string(&file).expect("there");
        assert!(text.lines().all(|line| line.starts_with("|1|")), "{text}");
        for (name, count) in [("[web]:2222", 1), ("db", 1), ("web", 0), ("[db]:2222", 0)] {
            assert_eq!(entries(name, std::slice::from_ref(&file)).expect("readable").len(), count, "{name}");
        }
    }
}
