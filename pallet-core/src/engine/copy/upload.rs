//! From this machine to nodes.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use super::archive::{Archive, archive};
use super::{Copied, CopyOptions, CopyOutcome, Job, There, check_names, program};
use crate::engine::workspace::digest_of;
use crate::engine::{Engine, EngineError};
use crate::model::Node;
use crate::transport::{Input, InputPart};

/// Finds out where the copy goes: `target` becomes its path, `parent` the directory that it stands in.
const WHERE: &str = r#"
case $target in */) [ -d "$target" ] || fail "there is no directory $target" ;; esac
if [ -d "$target" ]; then target=${target%/}/$name
elif [ -n "$many" ]; then fail "several sources need a directory, and there is none at $target"
fi
if [ -L "$target" ] && [ -e "$target" ]; then
  resolved=$(readlink -f -- "$target" && printf x) || fail "the link $target cannot be followed"
  target=${resolved%??}
fi
parent=${target%/*}
[ -d "$parent/" ] || fail "there is no directory $parent"
[ -w "$parent/" ] || fail "cannot write in $parent/"
"#;

/// Takes a file from its input.
const FILE: &str = r#"
[ ! -d "$target" ] || fail "$target is a directory"
[ ! -e "$target" ] || [ -f "$target" ] || fail "$target is no regular file"
part=$(mktemp -- "$parent/.pallet.XXXXXXXX") || fail "cannot write in $parent/"
trap 'rm -f -- "$part"' EXIT
cat >"$part" || exit 1
[ "$(wc -c <"$part")" -eq "$size" ] || fail "$target: only a part of the content arrived"
found=$(sha256sum <"$part")
[ "${found%% *}" = "$digest" ] || fail "$target: what arrived is not what was sent"
if [ -e "$target" ] && [ "$(id -u)" = 0 ]; then chown "$(stat -c %u:%g -- "$target")" "$part" || exit 1; fi
chmod "$mode" "$part" && mv -f -- "$part" "$target" || exit 1
printf '%s' "$target"
"#;

/// Takes a directory from an archive in its input. Where one stands already, its files are replaced one by one.
const DIRECTORY: &str = r#"
command -v tar >/dev/null 2>&1 || fail "there is no tar there, which directories are copied with: install it"
[ ! -e "$target" ] || [ -d "$target" ] || fail "$target is there, and no directory"
part=$(mktemp -d -- "$parent/.pallet.XXXXXXXX") || fail "cannot write in $parent/"
trap 'rm -rf -- "$part"' EXIT
tar -xpf - -C "$part" || exit 1
if [ -d "$target" ]; then
  cd -- "$part/d" || exit 1
  clash=$(find . ! -type d -exec sh -c 'for f; do if [ -d "$0/$f" ] && [ ! -L "$0/$f" ]; then printf "%s\n" "$0/${f#./}"; fi; done' "$target" {} + | head -n 1)
  [ -z "$clash" ] || fail "$clash is a directory"
  find . -type d -exec sh -c 'for d; do if [ ! -d "$0/$d" ]; then mkdir -- "$0/$d" && chmod "$(stat -c %a -- "$d")" "$0/$d" || exit 1; fi; done' "$target" {} + || exit 1
  find . ! -type d -exec sh -c 'for f; do [ ! -L "$0/$f" ] || rm -f -- "$0/$f"; mv -f -- "$f" "$0/$f" || exit 1; done' "$target" {} + || exit 1
  [ -z "$(find . ! -type d | head -n 1)" ] || fail "some files could not be put into $target"
else
  mv -- "$part/d" "$target" || exit 1
fi
printf '%s' "$target"
"#;

/// What is sent.
enum Sent {
    File { size: u64, digest: String, mode: u32 },
    Directory(Archive),
}

struct Upload {
    source: PathBuf,
    name: String,
    target: String,
    many: bool,
    sent: Sent,
}

impl Engine {
    /// Copies files and directories to a path on each of these nodes: into it where that is a directory there. Modes are kept; new files belong to
    /// whoever writes them, those that are replaced to whom they belonged.
    ///
    /// It is an error if a source cannot be read; what goes wrong on a node stands in its own result.
    pub async fn upload(
        &self,
        nodes: Vec<Node>,
        sources: &[PathBuf],
        target: &str,
        options: &CopyOptions,
    ) -> Result<CopyOutcome, EngineError> {
        check_target(target)?;
        let (paths, recursive, to) = (sources.to_vec(), options.recursive, target.to_owned());
        let many = sources.len() > 1;
        let read = move || paths.into_iter().map(|source| Upload::read(source, &to, recursive, many)).collect::<Result<Vec<_>, _>>();
        let uploads = tokio::task::spawn_blocking(read).await.map_err(|error| EngineError::Task(error.to_string()))?;
        let uploads = uploads.map_err(EngineError::Refused)?;
        check_names(uploads.iter().map(|upload| upload.name.as_str()))?;
        let jobs: Vec<Arc<dyn Job>> = uploads.into_iter().map(|upload| Arc::new(upload) as Arc<dyn Job>).collect();
        self.do_jobs(nodes.into_iter().map(|node| (node, jobs.clone())).collect(), options).await
    }
}

pub(super) fn check_target(path: &str) -> Result<(), EngineError> {
    match (path.starts_with('/'), path.contains('\0')) {
        (true, false) => Ok(()),
        (false, _) => Err(EngineError::Refused(format!("{path:?}: a path on a node is absolute"))),
        (_, true) => Err(EngineError::Refused(format!("{path:?} holds a NUL character"))),
    }
}

impl Upload {
    fn read(source: PathBuf, target: &str, recursive: bool, many: bool) -> Result<Self, String> {
        let unreadable = |error: std::io::Error| format!("cannot read {}: {error}", source.display());
        let data = std::fs::metadata(&source).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => format!("there is no file or directory {}", source.display()),
            _ => unreadable(error),
        })?;
        let own = source.file_name().map(ToOwned::to_owned);
        // `.` and `..` are called what they are
        let own = own.or_else(|| source.canonicalize().ok()?.file_name().map(ToOwned::to_owned));
        let name = own.and_then(|name| name.into_string().ok());
        let name = name.ok_or_else(|| format!("{} has no name that is UTF-8; copy the directory that it is in", source.display()))?;
        let sent = if data.is_dir() {
            if !recursive {
                return Err(format!("{} is a directory; -r copies it", source.display()));
            }
            Sent::Directory(archive(&source)?)
        } else if data.is_file() {
            let (digest, size) = digest_of(&source).map_err(unreadable)?;
            Sent::File { size, digest, mode: data.permissions().mode() & 0o777 }
        } else {
            return Err(format!("{} is neither a file nor a directory", source.display()));
        };
        Ok(Upload { source, name, target: target.to_owned(), many, sent })
    }
}

#[async_trait::async_trait]
impl Job for Upload {
    async fn copy(&self, there: &mut There<'_>) -> Result<Copied, String> {
        let many = if self.many { "yes" } else { "" };
        let place = [("target", self.target.as_str()), ("name", &self.name), ("many", many)];
        let (program, input, files, bytes) = match &self.sent {
            Sent::File { size, digest, mode } => {
                let (number, mode) = (size.to_string(), format!("{mode:04o}"));
                let values = [("size", number.as_str()), ("digest", digest), ("mode", &mode)];
                let values: Vec<_> = place.into_iter().chain(values).collect();
                let input = Input(vec![InputPart::Beginning(self.source.clone(), *size)]);
                (program(&values, &format!("{WHERE}{FILE}")), input, 1, *size)
            }
            Sent::Directory(archive) => {
                let input = Input(archive.parts.clone());
                (program(&place, &format!("{WHERE}{DIRECTORY}")), input, archive.files, archive.bytes)
            }
        };
        let mut to = Vec::new();
        there.run(&program, input, &mut |piece| to.extend_from_slice(piece)).await?;
        let to = String::from_utf8_lossy(&to).into_owned();
        Ok(Copied { from: self.source.display().to_string(), to, files, bytes })
    }
}
