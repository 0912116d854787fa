//! Reads the known_hosts files. libssh2 reads them too, but supports neither patterns nor markers,
//! and reports no line numbers.

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

use super::super::TransportError;
use super::file_cache::FileCache;
use crate::model::pattern::list_matches;

/// A key of the host, with its line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct KnownKey {
    pub(super) marker: Marker,
    pub(super) key_type: String,
    pub(super) key: Vec<u8>,
    pub(super) file: PathBuf,
    pub(super) line: usize,
}

impl KnownKey {
    /// File and line, for messages.
    pub(super) fn place(&self) -> String {
        format!("{}:{}", self.file.display(), self.line)
    }
}

/// The marker of a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Marker {
    Known,
    Revoked,
    CertAuthority,
}

/// The name of a host in known_hosts files.
pub(super) fn name(host: &str, port: u16) -> String {
    let host = host.to_ascii_lowercase();
    if port == 22 { host } else { format!("[{host}]:{port}") }
}

/// The entries for `name` in the files. A missing file has none.
pub(super) fn entries(
    name: &str,
    files: &[PathBuf],
    read: &FileCache<KnownHosts>,
) -> Result<Vec<KnownKey>, TransportError> {
    let mut found = Vec::new();
    for file in files {
        if let Some(known) = read.get(file, KnownHosts::parse)? {
            found.extend(known.about(name).into_iter().filter_map(|line| {
                let key = STANDARD.decode(&line.key).ok()?;
                Some(KnownKey {
                    marker: line.marker,
                    key_type: line.key_type.clone(),
                    key,
                    file: file.clone(),
                    line: line.number,
                })
            }));
        }
    }
    Ok(found)
}

/// A file, indexed by the form of its host names: it may have as many lines as there are nodes.
#[derive(Debug, Default)]
pub(super) struct KnownHosts {
    lines: Vec<Line>,
    /// Line indices by plain name.
    plain: HashMap<String, Vec<usize>>,
    /// Lines with `*`, `?` or `!`.
    patterns: Vec<(String, usize)>,
    /// Lines with a hashed name.
    hashed: Vec<(Hidden, usize)>,
}

#[derive(Debug)]
struct Line {
    marker: Marker,
    key_type: String,
    /// Base64, as written.
    key: String,
    number: usize,
}

impl KnownHosts {
    fn parse(text: &str) -> Self {
        let mut known = KnownHosts::default();
        for (index, text) in text.lines().enumerate() {
            if let Some((hosts, line)) = parse_line(text, index + 1) {
                known.add(hosts, line);
            }
        }
        known
    }

    fn add(&mut self, hosts: &str, line: Line) {
        let at = self.lines.len();
        self.lines.push(line);
        if hosts.starts_with("|1|") {
            self.hashed.extend(Hidden::parse(hosts).map(|hidden| (hidden, at)));
        } else if hosts.contains(['*', '?', '!']) {
            self.patterns.push((hosts.to_owned(), at));
        } else {
            for host in hosts.split(',') {
                self.plain.entry(host.to_ascii_lowercase()).or_default().push(at);
            }
        }
    }

    /// The lines for `name`, in order.
    fn about(&self, name: &str) -> Vec<&Line> {
        let mut found = self.plain.get(&name.to_ascii_lowercase()).cloned().unwrap_or_default();
        found.extend(
            self.patterns
                .iter()
                .filter(|(patterns, _)| list_matches(patterns.split(','), name))
                .map(|(_, at)| *at),
        );
        found.extend(self.hashed.iter().filter(|(hidden, _)| hidden.is(name)).map(|(_, at)| *at));
        found.sort_unstable();
        found.dedup();
        found.into_iter().map(|at| &self.lines[at]).collect()
    }
}

/// Parses a line into its hosts and its key.
fn parse_line(text: &str, number: usize) -> Option<(&str, Line)> {
    let mut words = text.split_whitespace().peekable();
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
    Some((
        hosts,
        Line { marker, key_type: words.next()?.to_owned(), key: words.next()?.to_owned(), number },
    ))
}

/// A name that is hashed as `|1|salt|hash`: the HMAC-SHA1 of the name, with the salt as its key.
#[derive(Debug)]
struct Hidden {
    /// The inner and outer hash, up to the part that depends on the name.
    inner: Sha1,
    outer: Sha1,
    hash: Vec<u8>,
}

impl Hidden {
    fn parse(text: &str) -> Option<Self> {
        let (salt, hash) = text.strip_prefix("|1|")?.split_once('|')?;
        let (salt, hash) = (STANDARD.decode(salt).ok()?, STANDARD.decode(hash).ok()?);
        let mut key = [0; 64];
        key.get_mut(..salt.len())?.copy_from_slice(&salt);
        let padded = |pad: u8| Sha1::new().chain_update(key.map(|byte| byte ^ pad));
        Some(Hidden { inner: padded(0x36), outer: padded(0x5c), hash })
    }

    fn is(&self, name: &str) -> bool {
        let inner = self.inner.clone().chain_update(name).finalize();
        self.outer.clone().chain_update(inner).finalize().as_slice() == self.hash
    }
}

/// Appends a key to a file, in one write, so that concurrent writers do no harm.
pub(super) fn add(file: &Path, name: &str, key_type: &str, key: &[u8]) -> std::io::Result<()> {
    if let Some(directory) = file.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    let mut open =
        OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(file)?;
    let unfinished = open.seek(SeekFrom::End(-1)).is_ok() && {
        let mut last = [0];
        open.read_exact(&mut last)?;
        last != *b"\n"
    };
    let line = format!(
        "{}{name} {key_type} {}\n",
        if unfinished { "\n" } else { "" },
        STANDARD.encode(key)
    );
    open.write_all(line.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::{FileCache, Marker, add, entries, name};

    #[test]
    fn names() {
        assert_eq!((name("Web", 22).as_str(), name("web", 2222).as_str()), ("web", "[web]:2222"));
    }

    #[test]
    fn finds_the_lines_that_are_about_a_host() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("known_hosts");
        let text = "# a comment\n\nweb,10.0.0.1 ssh-ed25519 AAAA\n\
            *.example.com,!db.example.com ssh-rsa AAAB comment here\n\
            @revoked * ssh-rsa AAAC\n[web]:2222 ssh-ed25519 AAAD\n\
            @cert-authority *.example.com ssh-rsa AAAE\nweb broken\n@new web ssh-rsa AAAA\n";
        fs::write(&file, text).expect("written");
        let files = [dir.path().join("absent"), file];
        let found = |name: &str| {
            let entries = entries(name, &files, &FileCache::default()).expect("readable");
            entries.into_iter().map(|it| (it.marker, it.line)).collect::<Vec<_>>()
        };
        assert_eq!(found("web"), [(Marker::Known, 3), (Marker::Revoked, 5)]);
        assert_eq!(found("10.0.0.1"), [(Marker::Known, 3), (Marker::Revoked, 5)]);
        assert_eq!(found("[web]:2222"), [(Marker::Revoked, 5), (Marker::Known, 6)]);
        assert_eq!(
            found("a.example.com"),
            [(Marker::Known, 4), (Marker::Revoked, 5), (Marker::CertAuthority, 7)]
        );
        assert_eq!(found("db.example.com"), [(Marker::Revoked, 5), (Marker::CertAuthority, 7)]);
    }

    #[test]
    fn adds_and_finds_hashed_names() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("new/known_hosts");
        add(&file, "[web]:2222", "ssh-ed25519", b"\0\0\0\x0bssh-ed25519").expect("added");
        fs::write(&file, fs::read_to_string(&file).expect("there").trim_end()).expect("written");
        add(&file, "db", "ssh-ed25519", b"\0\0\0\x0bssh-ed25519").expect("added");
        assert_eq!(fs::read_to_string(&file).expect("there").lines().count(), 2);
        let hashed = Command::new("ssh-keygen")
            .args(["-q", "-H", "-f"])
            .arg(&file)
            .output()
            .expect("ssh-keygen runs");
        assert!(hashed.status.success());
        let text = fs::read_to_string(&file).expect("there");
        assert!(text.lines().all(|line| line.starts_with("|1|")), "{text}");
        for (name, count) in [("[web]:2222", 1), ("db", 1), ("web", 0), ("[db]:2222", 0)] {
            let found = entries(name, std::slice::from_ref(&file), &FileCache::default())
                .expect("readable");
            assert_eq!(found.len(), count, "{name}");
        }
    }
}
