//! The argument of `install`: `SOURCE[@REQUIREMENT]`.

use std::env::consts::DLL_SUFFIX;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use pallet_core::distribution::lock::Origin;
use pallet_core::distribution::repository::Source;
use pallet_core::plugins::source::DESCRIPTION;
use semver::VersionReq;

/// A source, and the versions that match.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PluginArgument {
    /// The source; `None`: only a name, to be found in the configured registry.
    pub(crate) origin: Option<Origin>,
    /// The plugin's name, if only that was given.
    pub(crate) name: String,
    /// The version requirement, if one was given.
    pub(crate) requirement: Option<VersionReq>,
}

impl PluginArgument {
    /// Parses the argument. A path is relative to the current directory. It becomes relative to
    /// `base` if it is below it, otherwise absolute.
    pub(crate) fn read(word: &str, base: &Path) -> anyhow::Result<Self> {
        let (source, requirement) = match word.rsplit_once('@') {
            Some((source, requirement)) if !Path::new(word).exists() => {
                let requirement = VersionReq::parse(requirement).with_context(|| {
                    format!(
                        "{word}: {requirement:?} is not a version requirement; write SOURCE@1.2 \
                         or SOURCE@=1.2.3"
                    )
                })?;
                (source, Some(requirement))
            }
            _ => (word, None),
        };
        ensure!(
            !source.is_empty(),
            "{word:?} is not a source; write oci://HOST/PATH, a directory, an archive or a library"
        );
        let origin = origin(source, base)?;
        let name = if origin.is_none() { source.to_owned() } else { String::new() };
        Ok(PluginArgument { origin, name, requirement })
    }
}

fn origin(source: &str, base: &Path) -> anyhow::Result<Option<Origin>> {
    if source.starts_with("oci://") {
        return Ok(Some(Origin::Repository(source.parse()?)));
    }
    let named = ["layout:", "archive:", "file:"]
        .into_iter()
        .find_map(|start| source.strip_prefix(start).map(|rest| (start, rest)));
    let whole = Path::new(source).exists();
    let (start, rest) = named.unwrap_or(("", source));
    let (file, path) = match rest.rsplit_once('#') {
        Some((file, path)) if !whole => (file, path),
        _ => (rest, ""),
    };
    let place = Path::new(file);
    let directory = place.join("oci-layout").is_file();
    let is_library = file.ends_with(DLL_SUFFIX);
    Ok(match start {
        "layout:" => Some(layout(place, path, base)),
        "archive:" => Some(Origin::Archive { file: relative(place, base), path: path.to_owned() }),
        "file:" => Some(Origin::File(relative(place, base))),
        _ if directory => Some(layout(place, path, base)),
        _ if place.join(DESCRIPTION).is_file() => Some(Origin::File(relative(place, base))),
        _ if place.is_dir() => {
            bail!(
                "{file} is neither an OCI image layout nor a crate: it has no oci-layout and no \
                 {DESCRIPTION}"
            )
        }
        _ if place.is_file() && is_library => Some(Origin::File(relative(place, base))),
        _ if place.is_file() => {
            Some(Origin::Archive { file: relative(place, base), path: path.to_owned() })
        }
        _ if is_plugin_name(source) => None,
        _ => bail!(
            "{source} is neither an existing file or directory nor a source; write \
             oci://HOST/PATH, a directory, an archive or a library"
        ),
    })
}

fn layout(directory: &Path, path: &str, base: &Path) -> Origin {
    Origin::Repository(Source::Layout {
        directory: relative(directory, base),
        path: path.to_owned(),
    })
}

fn relative(path: &Path, base: &Path) -> PathBuf {
    let full = path
        .canonicalize()
        .or_else(|_| std::path::absolute(path))
        .unwrap_or_else(|_| path.to_owned());
    let base = base.canonicalize().unwrap_or_else(|_| base.to_owned());
    full.strip_prefix(base).map(Path::to_owned).unwrap_or(full)
}

fn is_plugin_name(word: &str) -> bool {
    word.bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_/".contains(&byte))
        && word
            .split_once('/')
            .is_none_or(|(kind, name)| matches!(kind, "crate" | "provider") && !name.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(word: &str) -> PluginArgument {
        PluginArgument::read(word, Path::new("/nowhere")).unwrap()
    }

    #[test]
    fn sources_with_and_without_requirement() {
        let argument = read("oci://ghcr.io/acme/crate/nginx@^1.2");
        assert_eq!(argument.origin.unwrap().to_string(), "oci://ghcr.io/acme/crate/nginx");
        assert_eq!(argument.requirement.unwrap().to_string(), "^1.2");
        assert_eq!(read("oci://localhost:5000/nginx").requirement, None);
        let argument = read("nginx@1.2");
        assert_eq!(
            (argument.origin, argument.name.as_str(), argument.requirement.unwrap().to_string()),
            (None, "nginx", "^1.2".into())
        );
        assert_eq!(read("crate/docker").name, "crate/docker");
    }

    #[test]
    fn files_are_what_they_are() {
        let directory = tempfile::tempdir().unwrap();
        let base = directory.path().canonicalize().unwrap();
        for file in ["mine@1.so", "plugins.tar.gz", "layout/oci-layout"] {
            std::fs::create_dir_all(base.join(file).parent().unwrap()).unwrap();
            std::fs::write(base.join(file), "").unwrap();
        }
        let read = |file: &str, base: &Path, from: &Path| {
            PluginArgument::read(from.join(file).to_str().unwrap(), base)
                .unwrap()
                .origin
                .unwrap()
                .to_string()
        };
        assert_eq!(read("mine@1.so", &base, &base), "file:mine@1.so");
        assert_eq!(read("plugins.tar.gz#crate/a", &base, &base), "archive:plugins.tar.gz#crate/a");
        assert_eq!(read("layout", &base, &base), "layout:layout");
        assert_eq!(
            read("layout#crate/a", Path::new("/elsewhere"), &base),
            format!("layout:{}/layout#crate/a", base.display())
        );
    }

    #[test]
    fn what_is_nothing_is_told_in_one_line() {
        for word in ["./missing.so", "", "@1", "nginx@latest", "oci://", "a b", "/"] {
            let message =
                format!("{:#}", PluginArgument::read(word, Path::new("/nowhere")).unwrap_err());
            assert!(!message.contains('\n') && message.len() > 20, "{word}: {message}");
        }
    }
}
