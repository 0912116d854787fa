//! Creates a package from the templates in `templates/`.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::ValueEnum;

/// The kind of a new package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PackageKind {
    /// Configuration crate: functions that configure nodes
    Crate,
    /// Provider: creates, finds and destroys nodes
    Provider,
}

/// The license of a new package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum License {
    /// MIT or Apache-2.0
    Both,
    /// MIT
    Mit,
    /// Apache-2.0
    Apache,
    /// No license
    None,
}

/// A new package.
#[derive(Debug)]
pub(crate) struct Template {
    pub(crate) kind: PackageKind,
    /// The plugin's name: lower case letters, digits and `-`.
    pub(crate) name: String,
    pub(crate) license: License,
    pub(crate) language: Language,
}

/// What a new package is written in.
#[derive(Debug, Clone)]
pub(crate) enum Language {
    /// Rust, against this pallet-core.
    Rust(CoreSource),
    /// Starlark; only crates.
    Starlark,
}

/// Where a package has pallet-core from. It is not the one of a registry: until that is ours, its
/// name could be anybody's.
#[derive(Debug, Clone)]
pub(crate) enum CoreSource {
    /// A checkout of Pallet, or its directory pallet-core.
    Checkout(PathBuf),
    /// A git repository, and what to check out: `tag` or `rev`, with its value.
    Git { url: String, kind: &'static str, name: String },
}

impl CoreSource {
    /// The value of the dependency in Cargo.toml.
    fn dependency(&self) -> anyhow::Result<String> {
        let mut table = toml_edit::InlineTable::new();
        match self {
            CoreSource::Checkout(path) => {
                let path = checkout(path)?;
                let text = path.to_str();
                let text = text.with_context(|| {
                    format!("{} is not UTF-8, as Cargo.toml is; use another path", path.display())
                })?;
                table.insert("path", text.into());
            }
            CoreSource::Git { url, kind, name } => {
                if !url.contains("://") {
                    bail!(
                        "{url:?} is not a URL that cargo knows; write it as https://HOST/PATH or \
                         ssh://git@HOST/PATH"
                    );
                }
                table.insert("git", url.as_str().into());
                table.insert(*kind, name.as_str().into());
            }
        }
        Ok(table.to_string().trim().to_owned())
    }
}

/// The checkout of Pallet that one of these paths is in.
pub(crate) fn checkout_around<'a>(paths: impl IntoIterator<Item = &'a Path>) -> Option<PathBuf> {
    let mut around = paths.into_iter().flat_map(Path::ancestors);
    around.find(|directory| checkout(directory).is_ok()).map(Path::to_owned)
}

/// The files of a kind, with their text.
fn files(kind: PackageKind, language: &Language) -> &'static [(&'static str, &'static str)] {
    match (kind, language) {
        (_, Language::Starlark) => &[
            ("crate.toml", include_str!("../../templates/starlark/crate.toml.in")),
            ("crate.star", include_str!("../../templates/starlark/crate.star.in")),
            ("templates/motd.j2", include_str!("../../templates/starlark/motd.j2.in")),
            ("tests/greeting.star", include_str!("../../templates/crate/greeting.star.in")),
            ("README.md", include_str!("../../templates/starlark/README.md.in")),
        ],
        (PackageKind::Crate, Language::Rust(_)) => &[
            ("Cargo.toml", include_str!("../../templates/crate/Cargo.toml.in")),
            ("src/lib.rs", include_str!("../../templates/crate/lib.rs.in")),
            ("tests/greeting.star", include_str!("../../templates/crate/greeting.star.in")),
            ("README.md", include_str!("../../templates/crate/README.md.in")),
            (".gitignore", include_str!("../../templates/gitignore.in")),
        ],
        (PackageKind::Provider, Language::Rust(_)) => &[
            ("Cargo.toml", include_str!("../../templates/provider/Cargo.toml.in")),
            ("src/lib.rs", include_str!("../../templates/provider/lib.rs.in")),
            ("README.md", include_str!("../../templates/provider/README.md.in")),
            (".gitignore", include_str!("../../templates/gitignore.in")),
        ],
    }
}

impl License {
    /// The SPDX identifier, and the license files with their text.
    fn files(self) -> (Option<&'static str>, Vec<(&'static str, String)>) {
        let mit = || {
            let text = include_str!("../../templates/LICENSE-MIT").lines();
            let owner = |line: &'static str| {
                if line.starts_with("Copyright") {
                    "Copyright (c) the authors of {{name}}"
                } else {
                    line
                }
            };
            text.map(|line| owner(line).to_owned() + "\n").collect::<String>()
        };
        let apache = || include_str!("../../templates/LICENSE-APACHE").to_owned();
        match self {
            License::Both => (
                Some("MIT OR Apache-2.0"),
                vec![("LICENSE-MIT", mit()), ("LICENSE-APACHE", apache())],
            ),
            License::Mit => (Some("MIT"), vec![("LICENSE", mit())]),
            License::Apache => (Some("Apache-2.0"), vec![("LICENSE", apache())]),
            License::None => (None, Vec::new()),
        }
    }
}

impl Template {
    /// Writes the package into a directory that must not exist, and returns the paths of its files.
    pub(crate) fn write(&self, directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
        check_new(&self.name, directory)?;
        let core = match &self.language {
            Language::Rust(core) => core.dependency()?,
            Language::Starlark => String::new(),
        };
        let (license, texts) = self.license.files();
        let fill = |text: &str| self.fill(text, license, &core);
        let texts = texts.iter().map(|(file, text)| (*file, text.as_str()));
        let mut written = Vec::new();
        for (file, text) in files(self.kind, &self.language).iter().copied().chain(texts) {
            let path = directory.join(file);
            let failed = || format!("cannot write {}", path.display());
            std::fs::create_dir_all(path.parent().unwrap_or(directory)).with_context(failed)?;
            let mut made =
                OpenOptions::new().write(true).create_new(true).open(&path).with_context(failed)?;
            made.write_all(fill(text).as_bytes()).with_context(failed)?;
            written.push(path);
        }
        Ok(written)
    }

    fn fill(&self, text: &str, license: Option<&str>, core: &str) -> String {
        let about = match self.kind {
            PackageKind::Crate => "Greets users who log in to a node",
            PackageKind::Provider => "Existing nodes, by their addresses",
        };
        let text = match license {
            Some(license) => text.replace("{{license}}", license),
            None => text.replace("license = \"{{license}}\"\n", ""),
        };
        let text = text
            .replace("{{name}}", &self.name)
            .replace("{{module}}", &self.name.replace('-', "_"));
        let text = text.replace("{{Type}}", &type_name(&self.name)).replace("{{about}}", about);
        let text = text.replace("{{core}}", core);
        format!("{}\n", text.trim_end())
    }
}

/// Refuses a name that no plugin can have, and a directory that exists.
pub(crate) fn check_new(name: &str, directory: &Path) -> anyhow::Result<()> {
    check_name(name)?;
    if directory.exists() {
        bail!(
            "{} already exists; choose another name or directory; nothing was written",
            directory.display()
        );
    }
    Ok(())
}

fn check_name(name: &str) -> anyhow::Result<()> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let good = name.len() <= 50
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(plain);
    if !good || name.ends_with('-') || name.contains("--") {
        bail!(
            "{name:?} cannot name a plugin; use up to 50 characters of a-z, 0-9 and -, starting \
             with a letter"
        );
    }
    // reserved words and names in Starlark or Rust
    if ["load", "request", "self", "super", "test", "type", "crate", "provider", "pallet"]
        .contains(&name)
    {
        bail!("{name:?} is reserved; choose another name");
    }
    Ok(())
}

/// `web-shop` as `WebShop`.
fn type_name(name: &str) -> String {
    let word = |word: &str| {
        let mut characters = word.chars();
        characters
            .next()
            .map(|first| first.to_ascii_uppercase())
            .into_iter()
            .chain(characters)
            .collect::<String>()
    };
    name.split('-').map(word).collect()
}

/// The pallet-core directory of a checkout; `path` is the repository's root or the package itself.
fn checkout(path: &Path) -> anyhow::Result<PathBuf> {
    let found = [path.to_owned(), path.join("pallet-core")].into_iter().find(|directory| {
        let manifest = std::fs::read_to_string(directory.join("Cargo.toml")).unwrap_or_default();
        manifest.lines().any(|line| line.trim() == "name = \"pallet-core\"")
    });
    let found = found.with_context(|| {
        format!(
            "there is no pallet-core in {}; set the directory of a checkout of Pallet",
            path.display()
        )
    })?;
    found.canonicalize().with_context(|| format!("cannot find {}", found.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_plugins() {
        for good in ["nginx", "web-shop", "a1"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", "Nginx", "1a", "-a", "a-", "a--b", "a_b", "a b", "../a", "test"] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
        assert_eq!(type_name("web-shop2"), "WebShop2");
    }

    #[test]
    fn nothing_of_the_template_is_left_open() {
        let kinds = [
            (PackageKind::Crate, true),
            (PackageKind::Provider, true),
            (PackageKind::Crate, false),
        ];
        for (kind, rust) in kinds {
            for license in [License::Both, License::Mit, License::Apache, License::None] {
                let directory = tempfile::tempdir().unwrap();
                let core = CoreSource::Git {
                    url: "https://example.org/pallet".to_owned(),
                    kind: "tag",
                    name: "v1".to_owned(),
                };
                let language = if rust { Language::Rust(core) } else { Language::Starlark };
                let template = Template { kind, name: "web-shop".into(), license, language };
                let written = template.write(&directory.path().join("web-shop")).unwrap();
                for path in &written {
                    let text = std::fs::read_to_string(path).unwrap();
                    assert!(
                        !text.contains("{{name")
                            && !text.contains("{{Type")
                            && !text.contains("{{lic")
                            && !text.contains("{{core"),
                        "{}",
                        path.display()
                    );
                }
                assert_eq!(
                    written.iter().any(|path| path.ends_with("LICENSE-MIT")),
                    license == License::Both
                );
                let again =
                    template.write(&directory.path().join("web-shop")).unwrap_err().to_string();
                assert!(again.contains("already exists"), "{again}");
            }
        }
    }
}
