//! Copies from this machine to nodes.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use super::archive::{Archive, archive};
use super::names::{check_names, check_target};
use super::remote::{Job, Jobs, Remote, program};
use crate::engine::declare::digest_of;
use crate::engine::random_token::random_token;
use crate::engine::{Copied, EngineError};
use crate::script::library_for;
use crate::transport::{Input, InputPart};

/// Resolves `target` to the final path. Follows no symlink that another user could have planted.
const WHERE: &str = r#"
set -e
umask 022
case $target in */) [ -d "$target" ] || fail "there is no directory $target" ;; esac
if [ -d "$target" ]; then target=${target%/}/$name
elif [ -n "$many" ]; then fail "several sources need a directory, and there is none at $target"
fi
if [ -L "$target" ] && [ -e "$target" ]; then
  look_up "$target"
  target=$physical
fi
parent=${target%/*}
[ -d "$parent/" ] || fail "there is no directory $parent"
[ -w "$parent/" ] || fail "cannot write in $parent/"
"#;

/// Writes a file from standard input. The mode comes from the source; owner and other attributes
/// come from the file that it replaces.
const FILE: &str = r#"
take_file() {
  require_place "$1"
  [ ! -d "$at" ] || [ -L "$at" ] || fail "$1 is a directory"
  [ ! -e "$at" ] || [ -f "$at" ] || [ -L "$at" ] || fail "$1 is not a regular file"
  if [ -z "${six-}" ]; then trap 'rm -f -- "$new" "$spare"' EXIT; fi
  umask 077
  set -C
  : >"$new" || fail "cannot write in ${1%/*}/"
  set +C
  cat >"$new" || exit 1
  [ "$(wc -c <"$new")" -eq "$size" ] || fail "$1: only a part of the content arrived"
  digest_of "$new"
  [ "$digest" = "$wanted_digest" ] || fail "$1: what arrived is not what was sent"
  there='' found_owner='' found_group='' owner='' group=''
  if [ -f "$at" ] && [ ! -L "$at" ]; then
    there=1
    found_attributes "$at"
  elif [ "$uid" = 0 ]; then
    owner=root group=
  fi
  mode=$wanted_mode
  dress "$1"
  put "$1"
  if [ -z "${six-}" ]; then trap - EXIT; fi
}
in_place take_file "$target"
printf '%s' "$target"
"#;

/// Unpacks a directory from an archive on standard input. If the directory exists, its files are
/// replaced one by one.
const DIRECTORY: &str = r#"
command -v tar >/dev/null 2>&1 || fail "tar is missing on the node; install it to copy directories"
[ ! -e "$target" ] || [ -d "$target" ] || fail "$target exists and is not a directory"
if [ -d "$target" ] && [ ! -L "$target" ]; then
  work_in "$target" d
  (umask 077 && mkdir -- "$seven/t")
  tar -xpf - -C "$seven/t" || exit 1
  merge_tree "$target" "$seven/t/d"
else
  # under its own name, since it is never put into what stands there
  work_in "$parent" "${target##*/}"
  (umask 077 && mkdir -- "$seven/t" "$seven/n")
  tar -xpf - -C "$seven/t" || exit 1
  mv -- "$seven/t/d" "$seven/n/${target##*/}"
  mv -- "$seven/n/${target##*/}" "${six:-$parent}/"
fi
leave
printf '%s' "$target"
"#;

/// The content of an upload.
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

/// The copies to make to each node.
pub(super) async fn jobs(
    sources: &[PathBuf],
    target: &str,
    recursive: bool,
) -> Result<Jobs, EngineError> {
    check_target(target)?;
    let (paths, to, many) = (sources.to_vec(), target.to_owned(), sources.len() > 1);
    let read = move || {
        let read = |source| Upload::read(source, &to, recursive, many);
        paths.into_iter().map(read).collect::<Result<Vec<_>, _>>()
    };
    let uploads = tokio::task::spawn_blocking(read)
        .await
        .map_err(|error| EngineError::Task(error.to_string()))?;
    let uploads = uploads.map_err(EngineError::Refused)?;
    check_names(uploads.iter().map(|upload| upload.name.as_str()))?;
    Ok(uploads.into_iter().map(|upload| Arc::new(upload) as Arc<dyn Job>).collect())
}

/// The program that resolves the target and writes there, with the library functions that it needs.
fn with_library(text: &str) -> String {
    let text = format!("{WHERE}{text}");
    // a random name that nobody else can create first
    format!("token={}\n{}{text}", random_token(), library_for(&text))
}

impl Upload {
    fn read(source: PathBuf, target: &str, recursive: bool, many: bool) -> Result<Self, String> {
        let unreadable =
            |error: std::io::Error| format!("cannot read {}: {error}", source.display());
        let data = std::fs::metadata(&source).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                format!("there is no file or directory {}", source.display())
            }
            _ => unreadable(error),
        })?;
        let own = source.file_name().map(ToOwned::to_owned);
        // `.` and `..` take the real name of their directory
        let own = own.or_else(|| source.canonicalize().ok()?.file_name().map(ToOwned::to_owned));
        let name = own.and_then(|name| name.into_string().ok());
        let name = name.ok_or_else(|| {
            format!(
                "the name of {} is not UTF-8; copy the directory that contains it",
                source.display()
            )
        })?;
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

    /// The program for the node, and its input.
    fn program(&self) -> (String, Input) {
        let many = if self.many { "yes" } else { "" };
        let place = [("target", self.target.as_str()), ("name", &self.name), ("many", many)];
        match &self.sent {
            Sent::File { size, digest, mode } => {
                let (number, mode) = (size.to_string(), format!("{mode:04o}"));
                let values =
                    [("size", number.as_str()), ("wanted_digest", digest), ("wanted_mode", &mode)];
                let values: Vec<_> = place.into_iter().chain(values).collect();
                (
                    program(&values, &with_library(FILE)),
                    Input(vec![InputPart::Beginning(self.source.clone(), *size)]),
                )
            }
            Sent::Directory(archive) => {
                (program(&place, &with_library(DIRECTORY)), Input(archive.parts.clone()))
            }
        }
    }
}

#[async_trait::async_trait]
impl Job for Upload {
    async fn copy(&self, remote: &mut Remote<'_>) -> Result<Copied, String> {
        let (program, input) = self.program();
        let mut to = Vec::new();
        remote.run(&program, input, &mut |piece| to.extend_from_slice(piece)).await?;
        let to = String::from_utf8_lossy(&to).into_owned();
        let (files, bytes) = match &self.sent {
            Sent::File { size, .. } => (1, *size),
            Sent::Directory(archive) => (archive.files, archive.bytes),
        };
        Ok(Copied { from: self.source.display().to_string(), to, files, bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::os::unix::fs::{MetadataExt, chown, lchown, symlink};
    use std::path::Path;
    use std::process::{Command, Stdio};

    /// Sends `source` the way a node would receive it: returns the final path, or the error.
    fn send(source: &Path, target: &str) -> Result<String, String> {
        let upload = Upload::read(source.to_owned(), target, true, false)?;
        let (program, parts) = upload.program();
        let mut command = Command::new("sh");
        let child = command
            .args(["-c", &program])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = child.spawn().expect("it starts");
        let mut stdin = child.stdin.take().expect("it is piped");
        for part in parts.0 {
            // the program may already have ended
            let _ = match part {
                InputPart::Bytes(bytes) => stdin.write_all(&bytes),
                InputPart::Beginning(path, size) => {
                    std::io::copy(&mut std::fs::File::open(path).unwrap().take(size), &mut stdin)
                        .map(drop)
                }
                other => panic!("{other:?}"),
            };
        }
        drop(stdin);
        let output = child.wait_with_output().expect("it ends");
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }

    #[test]
    #[ignore = "needs root"]
    fn fault_21_no_link_of_another_user_is_followed() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        let text = |name: &str| at(name).to_str().unwrap().to_owned();
        for directory in ["yard", "vault/deep", "from/sub/deep"] {
            std::fs::create_dir_all(at(directory)).unwrap();
        }
        chown(at("yard"), Some(1), Some(1)).unwrap();
        std::fs::write(at("from/sub/deep/file"), "new").unwrap();
        std::fs::write(at("from/sub/file"), "new").unwrap();
        let from = at("from/sub");

        assert_eq!(send(&from, &text("yard/")), Ok(text("yard/sub")));
        assert_eq!(send(&from, &text("yard/")), Ok(text("yard/sub")));
        assert_eq!(std::fs::read_to_string(at("yard/sub/deep/file")).unwrap(), "new");
        // a replaced file keeps its owner
        chown(at("yard/sub/file"), Some(4321), Some(4322)).unwrap();
        assert_eq!(send(&from.join("file"), &text("yard/sub/file")), Ok(text("yard/sub/file")));
        assert_eq!(std::fs::metadata(at("yard/sub/file")).unwrap().uid(), 4321);

        // the user plants a symlink in the place of a directory, and of a file
        std::fs::remove_dir_all(at("yard/sub/deep")).unwrap();
        let link = |to: &str, name: &str| {
            symlink(at(to), at(name)).unwrap();
            lchown(at(name), Some(1), Some(1)).unwrap();
        };
        link("vault", "yard/sub/deep");
        std::fs::write(at("vault/file"), "old").unwrap();
        link("vault/file", "yard/leaf");
        for (source, target) in [
            (from.clone(), "yard/"),
            (from.join("file"), "yard/sub/deep/"),
            (from.join("file"), "yard/leaf"),
        ] {
            let said = send(
                &source,
                &format!(
                    "{}{}",
                    text(target.trim_end_matches('/')),
                    if target.ends_with('/') { "/" } else { "" }
                ),
            );
            let said = said.expect_err("it is refused");
            assert!(
                said.contains("of another user (uid 1), which is not followed"),
                "{target}: {said}"
            );
        }
        assert_eq!(std::fs::read_to_string(at("vault/file")).unwrap(), "old");
        assert_eq!(std::fs::read_dir(at("vault")).unwrap().count(), 2);
        // a symlink that belongs to root is followed
        symlink(at("vault/file"), at("mine")).unwrap();
        assert_eq!(send(&from.join("file"), &text("mine")), Ok(text("vault/file")));
        for directory in ["yard", "yard/sub", "vault"] {
            let names = std::fs::read_dir(at(directory))
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap());
            assert_eq!(
                names.filter(|name| name.starts_with(".pallet")).collect::<Vec<_>>(),
                Vec::<String>::new()
            );
        }
    }
}
