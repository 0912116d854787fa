//! Copies from nodes to this machine.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};

use sha2::{Digest, Sha256};
use tokio::task::JoinHandle;

use super::local::{Spot, own_directory, parent, place};
use super::names::{base_name, check_names, check_target};
use super::options::CopyOptions;
use super::remote::{Job, Jobs, Remote, program};
use super::unpack::{Unpacked, unpack};
use crate::engine::{Copied, EngineError};
use crate::local::{Beside, remove_dead, set_mode};
use crate::model::{Node, hex, natural};
use crate::transport::Input;

/// Prints one line that describes what is at `path`, then its content: a file followed by its
/// digest, or a directory as an archive.
const SEND: &str = r#"
if [ ! -e "$path" ]; then
  if [ -L "$path" ]; then fail "$path is a link that leads nowhere"; fi
  fail "there is no file or directory $path"
fi
[ -r "$path" ] || fail "$path cannot be read"
if [ -d "$path" ]; then
  [ -n "$recursive" ] || fail "$path is a directory; -r copies it"
  command -v tar >/dev/null 2>&1 || fail "tar is missing on the node; install it to copy directories"
  cd -- "$path" || exit 1
  printf 'directory\n'
  exec tar -cf - .
fi
[ -f "$path" ] || fail "$path is neither a file nor a directory"
size=$(wc -c <"$path") || exit 1
printf 'file %s %s\n' "$((size))" "$(stat -L -c %a -- "$path")"
head -c "$size" <"$path" || exit 1
found=$(head -c "$size" <"$path" | sha256sum)
printf '%s\n' "${found%% *}"
"#;

/// Maximum number of pieces that wait to be unpacked.
const WAITING: usize = 16;
/// Maximum length, in bytes, of the describing line and of the digest after a file.
const LINE: usize = 256;

struct Download {
    path: String,
    name: String,
    target: PathBuf,
    /// Whether the target is the node's own directory.
    own: bool,
    many: bool,
    recursive: bool,
}

/// The copies to make from each node.
pub(super) fn jobs(
    sources: &[(Vec<Node>, String)],
    target: &Path,
    options: &CopyOptions,
) -> Result<Vec<(Node, Jobs)>, EngineError> {
    let mut nodes: Vec<(Node, Vec<(&str, &str)>)> = Vec::new();
    for (from, path) in sources {
        check_target(path)?;
        let name = base_name(path).ok_or_else(|| {
            EngineError::Refused(format!("{path}: name a file or a directory in it"))
        })?;
        for node in from {
            match nodes.iter_mut().find(|(known, _)| known.id == node.id) {
                Some((_, paths)) => paths.push((path, name)),
                None => nodes.push((node.clone(), vec![(path, name)])),
            }
        }
    }
    nodes.sort_by_cached_key(|(node, _)| natural(&node.name));
    let by_node = options.by_node || nodes.len() > 1;
    let jobs = nodes.into_iter().map(|(node, paths)| {
        check_names(paths.iter().map(|(_, name)| *name))?;
        let many = paths.len() > 1;
        let target = if by_node { directory_of(target, &node.name)? } else { target.to_owned() };
        remove_dead(if target.is_dir() { &target } else { parent(&target) });
        let job = |(path, name): &(&str, &str)| Download {
            path: (*path).to_owned(),
            name: (*name).to_owned(),
            target: target.clone(),
            own: by_node,
            many,
            recursive: options.recursive,
        };
        let jobs: Vec<Arc<dyn Job>> =
            paths.iter().map(|path| Arc::new(job(path)) as Arc<dyn Job>).collect();
        Ok::<_, EngineError>((node, jobs))
    });
    jobs.collect()
}

/// Creates the directory of one node in `target`.
fn directory_of(target: &Path, node: &str) -> Result<PathBuf, EngineError> {
    if base_name(node) != Some(node) {
        return Err(EngineError::Refused(format!(
            "the node name {node:?} cannot be used as a directory name"
        )));
    }
    let directory = target.join(node);
    own_directory(target, node).map_err(|error| {
        EngineError::Refused(format!(
            "cannot create the directory {}: {error}",
            directory.display()
        ))
    })
}

#[async_trait::async_trait]
impl Job for Download {
    async fn copy(&self, remote: &mut Remote<'_>) -> Result<Copied, String> {
        let to = place(&self.target, &self.name, self.many, self.own)?;
        let recursive = if self.recursive { "yes" } else { "" };
        let program = program(&[("path", &self.path), ("recursive", recursive)], SEND);
        let mut arriving = Arriving::Line(Vec::new());
        let mut wrong: Option<String> = None;
        let ran = remote
            .run(&program, Input::none(), &mut |piece| {
                if wrong.is_none() {
                    wrong = arriving.take(piece, &to).err();
                }
            })
            .await;
        let from = self.path.clone();
        // an error on this side also ends the program on the node; this side's error is the cause
        match (wrong, ran) {
            (Some(error), _) | (None, Err(error)) => {
                arriving.give_up().await;
                Err(error)
            }
            (None, Ok(())) => {
                let (files, bytes) = arriving.finish(&to).await?;
                Ok(Copied { from, to: to.path.display().to_string(), files, bytes })
            }
        }
    }
}

/// The state of a download.
enum Arriving {
    /// The start of the line that describes what follows.
    Line(Vec<u8>),
    File(Box<ArrivingFile>),
    Directory(ArrivingDirectory),
}

struct ArrivingFile {
    beside: Beside,
    file: File,
    hash: Sha256,
    size: u64,
    left: u64,
    mode: u32,
    /// The digest that follows the content.
    digest: Vec<u8>,
}

struct ArrivingDirectory {
    pieces: Option<SyncSender<Vec<u8>>>,
    unpacking: JoinHandle<io::Result<Unpacked>>,
}

impl Arriving {
    fn take(&mut self, piece: &[u8], to: &Spot) -> Result<(), String> {
        match self {
            Arriving::Line(line) => {
                line.extend_from_slice(piece);
                let Some(end) = line.iter().take(LINE).position(|byte| *byte == b'\n') else {
                    line.truncate(LINE);
                    return if line.len() < LINE {
                        Ok(())
                    } else {
                        Err(odd(&String::from_utf8_lossy(line)))
                    };
                };
                let rest = line.split_off(end + 1);
                *self = Arriving::begin(&String::from_utf8_lossy(&line[..end]), to)?;
                if rest.is_empty() { Ok(()) } else { self.take(&rest, to) }
            }
            Arriving::File(file) => file.take(piece).map_err(|error| unwritable(&to.path, &error)),
            Arriving::Directory(directory) => {
                // the unpacking task reports itself why it stopped reading
                if let Some(pieces) = &directory.pieces
                    && pieces.send(piece.to_vec()).is_err()
                {
                    directory.pieces = None;
                }
                Ok(())
            }
        }
    }

    fn begin(line: &str, to: &Spot) -> Result<Self, String> {
        let words: Vec<_> = line.split(' ').collect();
        let unwritable = |error: io::Error| unwritable(&to.path, &error);
        match words.as_slice() {
            ["directory"] => {
                to.check(true)?;
                let beside = Beside::directory(&to.parent).map_err(unwritable)?;
                let (pieces, arriving) = sync_channel(WAITING);
                let unpacking = tokio::task::spawn_blocking(move || unpack(arriving, beside));
                Ok(Arriving::Directory(ArrivingDirectory { pieces: Some(pieces), unpacking }))
            }
            ["file", size, mode] => {
                to.check(false)?;
                let (Ok(size), Ok(mode)) = (size.parse(), u32::from_str_radix(mode, 8)) else {
                    return Err(odd(line));
                };
                let (beside, file) = Beside::file(&to.parent).map_err(unwritable)?;
                let (hash, digest) = (Sha256::new(), Vec::new());
                Ok(Arriving::File(Box::new(ArrivingFile {
                    beside,
                    file,
                    hash,
                    size,
                    left: size,
                    mode: mode & 0o777,
                    digest,
                })))
            }
            _ => Err(odd(line)),
        }
    }

    async fn give_up(self) {
        if let Arriving::Directory(ArrivingDirectory { pieces, unpacking }) = self {
            drop(pieces);
            // dropping the result removes what was unpacked so far
            let _ = unpacking.await;
        }
    }

    /// Moves the download into its place. Returns the number of files and bytes.
    async fn finish(self, to: &Spot) -> Result<(u64, u64), String> {
        match self {
            Arriving::Line(line) => Err(odd(&String::from_utf8_lossy(&line))),
            Arriving::File(file) => file.finish(to),
            Arriving::Directory(ArrivingDirectory { pieces, unpacking }) => {
                drop(pieces);
                let unpacked = unpacking.await.map_err(|error| error.to_string())?;
                let unpacked: Unpacked = unpacked.map_err(|error| unwritable(&to.path, &error))?;
                to.put(&unpacked).map_err(|error| unwritable(&to.path, &error))?;
                Ok((unpacked.files, unpacked.bytes))
            }
        }
    }
}

impl ArrivingFile {
    fn take(&mut self, piece: &[u8]) -> io::Result<()> {
        let own = usize::try_from(self.left).unwrap_or(usize::MAX).min(piece.len());
        let (content, digest) = piece.split_at(own);
        self.hash.update(content);
        self.file.write_all(content)?;
        self.left -= own as u64;
        self.digest.extend_from_slice(&digest[..digest.len().min(LINE - self.digest.len())]);
        Ok(())
    }

    fn finish(self, to: &Spot) -> Result<(u64, u64), String> {
        let said = String::from_utf8_lossy(&self.digest).trim().to_owned();
        if self.left > 0 || said != hex(&self.hash.finalize()) {
            return Err(
                "what arrived differs from the file there; it may have changed meanwhile: \
                try again"
                    .to_owned(),
            );
        }
        set_mode(&self.file, self.mode).map_err(|error| unwritable(&to.path, &error))?;
        self.beside.persist(&to.name).map_err(|error| unwritable(&to.path, &error))?;
        Ok((1, self.size))
    }
}

fn unwritable(path: &Path, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::StorageFull => format!("no space left for {}", path.display()),
        _ => format!("cannot write {}: {error}", path.display()),
    }
}

fn odd(line: &str) -> String {
    format!("unexpected answer from the node: {line:?}")
}
