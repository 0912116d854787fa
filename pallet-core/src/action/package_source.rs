//! Ensures that the package manager uses a source, or that it does not. No-op: the source's files
//! are as declared.

mod arguments;
mod key;
mod parts;

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::arguments::require_line;
pub use self::arguments::{ApkSource, AptSource, DnfSource, PacmanSource, ZypperSource};
use self::parts::Part;
use super::change::joined;
use super::{Action, ActionError, Certainty, Change, Claims, Existence, Workspace};
use crate::model::{Capabilities, PackageManager};
use crate::observe::{NodeState, Observation};
use crate::script::{Script, packages};

/// Ensures that the package manager uses a source (a repository), or that it does not. The source
/// is described for each package manager that the nodes may have.
///
/// Does nothing if its files are as declared. After a change, the next installation of a package
/// fetches the package lists first. Files that were changed by hand are reported and kept.
///
/// The files are `/etc/apt/sources.list.d/NAME.sources` with the key in
/// `/etc/apt/keyrings/NAME.asc`, `/etc/yum.repos.d/NAME.repo`, `/etc/zypp/repos.d/NAME.repo`,
/// `/etc/pacman.d/NAME.conf` with lines in `/etc/pacman.conf`, and lines in
/// `/etc/apk/repositories`.
///
/// Example: `package_source(request, "docker", apt = {"url": "https://download.docker.com/linux/debian", "components": ["stable"], "key_url": "https://download.docker.com/linux/debian/gpg"}, dnf = {"url": "https://download.docker.com/linux/rhel/$releasever/$basearch/stable", "gpgkey": "https://download.docker.com/linux/rhel/gpg"})`
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PackageSource {
    /// Name of the source and its files, and of the repository if the package manager names
    /// repositories.
    pub name: String,
    /// For apt: `url`; `release`, default: the code name of the node's release; `components`,
    /// default: `["main"]`; `types`, default: `["deb"]`; `architectures`; and one of `key_url`,
    /// `key` (the key itself, or the path of a file of the project), `signed_by` (the path of a key
    /// on the node) and `allow_unsigned`.
    #[serde(default)]
    pub apt: Option<AptSource>,
    /// For dnf and yum: one of `url`, `mirrorlist` and `metalink`; `gpgkey`, the URL of the key;
    /// `gpgcheck`, default: whether there is a `gpgkey`; `priority`; `enabled`, default: true.
    #[serde(default)]
    pub dnf: Option<DnfSource>,
    /// For zypper: one of `url` and `mirrorlist`; `gpgkey`, the URL of the key; `gpgcheck`,
    /// default: whether there is a `gpgkey`; `priority`; `enabled`, default: true; `autorefresh`,
    /// default: true.
    #[serde(default)]
    pub zypper: Option<ZypperSource>,
    /// For pacman: `server`; `siglevel`, default: that of `/etc/pacman.conf`.
    #[serde(default)]
    pub pacman: Option<PacmanSource>,
    /// For apk: `url`; `tag`, which limits the source to packages that request it.
    #[serde(default)]
    pub apk: Option<ApkSource>,
    /// Whether the package manager uses the source.
    #[serde(default)]
    pub action: Existence,
    /// The key for apt, as text.
    #[serde(skip)]
    key: Option<String>,
}

impl PackageSource {
    /// A source with this name.
    pub fn new(name: impl Into<String>) -> Self {
        PackageSource { name: name.into(), ..PackageSource::default() }
    }

    /// Sets the source for apt.
    pub fn apt(mut self, source: AptSource) -> Self {
        self.apt = Some(source);
        self
    }

    /// Sets the source for dnf and yum.
    pub fn dnf(mut self, source: DnfSource) -> Self {
        self.dnf = Some(source);
        self
    }

    /// Sets the source for zypper.
    pub fn zypper(mut self, source: ZypperSource) -> Self {
        self.zypper = Some(source);
        self
    }

    /// Sets the source for pacman.
    pub fn pacman(mut self, source: PacmanSource) -> Self {
        self.pacman = Some(source);
        self
    }

    /// Sets the source for apk.
    pub fn apk(mut self, source: ApkSource) -> Self {
        self.apk = Some(source);
        self
    }

    /// The source must not exist.
    pub fn absent(mut self) -> Self {
        self.action = Existence::Delete;
        self
    }

    /// All URLs that package managers get.
    fn urls(&self) -> impl Iterator<Item = &String> {
        let apt = self.apt.iter().flat_map(|apt| std::iter::once(&apt.url).chain(&apt.key_url));
        let dnf = self.dnf.iter().flat_map(|dnf| {
            [&dnf.url, &dnf.mirrorlist, &dnf.metalink, &dnf.gpgkey].into_iter().flatten()
        });
        let zypper = self.zypper.iter().flat_map(|zypper| {
            [&zypper.url, &zypper.mirrorlist, &zypper.gpgkey].into_iter().flatten()
        });
        let others = self
            .pacman
            .iter()
            .map(|pacman| &pacman.server)
            .chain(self.apk.iter().map(|apk| &apk.url));
        apt.chain(dnf).chain(zypper).chain(others)
    }

    /// The files of the source for this package manager; `release` is the code name of the node's
    /// release, for apt. `None` if the declaration has no source for it.
    fn parts(
        &self,
        manager: PackageManager,
        release: Option<&str>,
    ) -> Result<Option<Vec<Part>>, ActionError> {
        let name = &self.name;
        if self.action == Existence::Delete {
            return Ok(Some(parts::absent(manager, name)));
        }
        Ok(match manager {
            PackageManager::Apt => self
                .apt
                .as_ref()
                .map(|apt| parts::apt(name, apt, self.key.as_deref(), release))
                .transpose()?,
            PackageManager::Dnf | PackageManager::Yum => {
                self.dnf.as_ref().map(|dnf| parts::dnf(name, dnf)).transpose()?
            }
            PackageManager::Zypper => {
                self.zypper.as_ref().map(|zypper| parts::zypper(name, zypper)).transpose()?
            }
            PackageManager::Pacman => {
                self.pacman.as_ref().map(|pacman| parts::pacman(name, pacman)).transpose()?
            }
            PackageManager::Apk => self.apk.as_ref().map(|apk| parts::apk(name, apk)),
            PackageManager::Unknown => None,
        })
    }
}

impl Action for PackageSource {
    const NAME: &'static str = "package_source";

    fn subject(&self) -> String {
        self.name.clone()
    }

    fn prepare(&mut self, workspace: &dyn Workspace) -> Result<(), ActionError> {
        let wrong = |message: String| Err(ActionError::arguments(Self::NAME, message));
        let plain =
            self.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        if !plain || !self.name.starts_with(|first: char| first.is_ascii_alphanumeric()) {
            return wrong(format!(
                "{:?} is not a name; write letters, digits, `-`, `_` and `.`",
                self.name
            ));
        }
        if self.action == Existence::Create
            && self.apt.is_none()
            && self.dnf.is_none()
            && self.zypper.is_none()
            && self.pacman.is_none()
            && self.apk.is_none()
        {
            return wrong(
                "nothing is said of the source; give apt, dnf, zypper, pacman or apk".to_owned(),
            );
        }
        if let Some(apt) = &self.apt {
            apt.check()?;
            self.key = match &apt.key {
                None => None,
                Some(text) if text.contains("-----BEGIN PGP PUBLIC KEY BLOCK-----") => {
                    Some(text.clone())
                }
                Some(file) => {
                    require_line("the path of the key", file)?;
                    Some(key::text(file, workspace.read(Path::new(file))?)?)
                }
            };
        }
        self.dnf.iter().try_for_each(DnfSource::check)?;
        self.zypper.iter().try_for_each(ZypperSource::check)?;
        self.pacman.iter().try_for_each(PacmanSource::check)?;
        self.apk.iter().try_for_each(ApkSource::check)?;
        // a URL that cannot be fetched is refused early
        for manager in [PackageManager::Apt, PackageManager::Zypper] {
            self.parts(manager, Some("release"))?;
        }
        Ok(())
    }

    fn claims(&self, claims: &mut Claims) {
        let own = [
            ("apt", serde_json::to_string(&self.apt)),
            ("dnf", serde_json::to_string(&self.dnf)),
            ("zypper", serde_json::to_string(&self.zypper)),
            ("pacman", serde_json::to_string(&self.pacman)),
            ("apk", serde_json::to_string(&self.apk)),
        ];
        for (manager, own) in own {
            let own = if self.action == Existence::Delete {
                "none".to_owned()
            } else {
                own.unwrap_or_default()
            };
            if own != "null" {
                claims.value(format!("the package source {}", self.name), manager, own);
            }
        }
    }

    fn needs(&self, needed: &mut Capabilities) {
        needed.package(&self.name);
        self.urls().for_each(|url| needed.url(url));
        self.apt.iter().filter_map(|apt| apt.key.as_ref()).for_each(|file| needed.local_file(file));
        self.apt.iter().filter_map(|apt| apt.signed_by.as_ref()).for_each(|path| needed.path(path));
    }

    fn observe(&self, wanted: &mut Observation) {
        use PackageManager::{Apk, Apt, Dnf, Pacman, Zypper};
        for manager in [Apt, Dnf, Zypper, Pacman, Apk] {
            // the release is only known from the answer, so ask for a file that will certainly
            // differ
            let parts = self.parts(manager, Some("?")).ok().flatten().unwrap_or_default();
            parts.iter().for_each(|part| part.observe(wanted));
        }
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let manager = packages::manager(&node.os)?;
        let Some(parts) = self.parts(manager, packages::codename(&node.os))? else {
            let (os, name) =
                (&node.os, if manager == PackageManager::Yum { "dnf" } else { manager.as_str() });
            return Err(ActionError::node(format!(
                "nothing is said of the source {} for {name}, \
                which this node ({os}) needs; give {name}",
                self.name
            )));
        };
        let changes = parts.iter().map(|part| part.plan(node)).collect::<Result<Vec<_>, _>>()?;
        let Some(mut change) = joined(changes) else { return Ok(None) };
        if change.certainty != Certainty::Drifted {
            change.script = Script::new()
                .raw(change.script.as_str())
                .raw("[ -z \"$change\" ] || package_sources_changed");
            node.set_package_lists_age(None);
            node.forget_coming_packages();
        }
        Ok(Some(change))
    }
}

#[cfg(test)]
mod tests;
