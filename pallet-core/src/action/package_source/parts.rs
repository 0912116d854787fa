//! The files that define a source.

use super::super::text_block::TextBlock;
use super::super::workspace::NoWorkspace;
use super::super::{Action, ActionError, AnyAction, Change, Directory, File, RemoteFile};
use super::arguments::{ApkSource, AptSource, DnfSource, PacmanSource, ZypperSource};
use crate::model::PackageManager;
use crate::observe::{NodeState, Observation};

const PACMAN: &str = "/etc/pacman.conf";
const APK: &str = "/etc/apk/repositories";

/// A file, or some lines of one.
#[derive(Debug)]
pub(super) enum Part {
    Whole(Box<dyn AnyAction>),
    Lines(TextBlock),
}

impl Part {
    fn of(action: impl Action) -> Self {
        Part::Whole(Box::new(action))
    }

    pub(super) fn observe(&self, wanted: &mut Observation) {
        match self {
            Part::Whole(action) => action.observe(wanted),
            Part::Lines(block) => block.observe(wanted),
        }
    }

    pub(super) fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let (change, path) = match self {
            Part::Whole(action) => (action.plan(node)?, action.subject()),
            Part::Lines(block) => (block.plan(node)?, block.path.to_owned()),
        };
        // the source has several files
        Ok(change
            .map(|change| Change { summary: format!("{} at {path}", change.summary), ..change }))
    }
}

/// The removal of all files.
pub(super) fn absent(manager: PackageManager, name: &str) -> Vec<Part> {
    let gone = |path: String| Part::of(File::at(path).absent());
    match manager {
        PackageManager::Apt => vec![gone(sources(name)), gone(keyring(name))],
        PackageManager::Dnf | PackageManager::Yum => {
            vec![gone(format!("/etc/yum.repos.d/{name}.repo"))]
        }
        PackageManager::Zypper => {
            vec![gone(format!("/etc/zypp/repos.d/{name}.repo")), gone(rpm_key(name))]
        }
        // pacman fails if a line includes a missing file
        PackageManager::Pacman => {
            vec![lines(PACMAN, name, Vec::new()), gone(format!("/etc/pacman.d/{name}.conf"))]
        }
        PackageManager::Apk => vec![lines(APK, name, Vec::new())],
        PackageManager::Unknown => Vec::new(),
    }
}

fn sources(name: &str) -> String {
    format!("/etc/apt/sources.list.d/{name}.sources")
}

fn keyring(name: &str) -> String {
    format!("/etc/apt/keyrings/{name}.asc")
}

fn rpm_key(name: &str) -> String {
    format!("/etc/pki/rpm-gpg/{name}.asc")
}

fn lines(path: &'static str, name: &str, lines: Vec<String>) -> Part {
    Part::Lines(TextBlock { path, name: name.to_owned(), lines })
}

/// `release` is the code name of the node's own release, if known.
pub(super) fn apt(
    name: &str,
    source: &AptSource,
    key: Option<&str>,
    release: Option<&str>,
) -> Result<Vec<Part>, ActionError> {
    let Some(release) = source.release.as_deref().or(release) else {
        return Err(ActionError::node(format!(
            "the code name of this node's release is not known; \
            give the source {name} a release for apt"
        )));
    };
    let words = |list: &Option<Vec<String>>, default: &str| {
        list.as_ref().map_or(default.to_owned(), |list| list.join(" "))
    };
    let mut text = format!(
        "Types: {}\nURIs: {}\nSuites: {release}\n",
        words(&source.types, "deb"),
        source.url
    );
    if !release.ends_with('/') {
        text.push_str(&format!("Components: {}\n", words(&source.components, "main")));
    }
    if !source.architectures.is_empty() {
        text.push_str(&format!("Architectures: {}\n", source.architectures.join(" ")));
    }
    if source.allow_unsigned {
        text.push_str("Trusted: yes\n");
    }
    if let Some(path) = &source.signed_by {
        text.push_str(&format!("Signed-By: {path}\n"));
    }
    let mut parts = Vec::new();
    let path = keyring(name);
    let key = match (key, &source.key_url) {
        (Some(key), _) => Some(file_of(&path, key)?),
        (None, Some(url)) => Some(fetched(RemoteFile::url(&path, url).through("armored_key"))?),
        (None, None) => None,
    };
    if let Some(key) = key {
        text.push_str(&format!("Signed-By: {path}\n"));
        parts.push(Part::of(Directory::at("/etc/apt/keyrings")));
        parts.push(Part::of(key));
    }
    parts.push(Part::of(file_of(&sources(name), &text)?));
    Ok(parts)
}

fn fetched(mut file: RemoteFile) -> Result<RemoteFile, ActionError> {
    Action::prepare(&mut file, &NoWorkspace)?;
    Ok(file)
}

/// The content of a repository file of dnf or zypper.
struct Repository<'a> {
    name: &'a str,
    urls: [(&'a str, &'a Option<String>); 3],
    gpgkey: &'a Option<String>,
    gpgcheck: Option<bool>,
    priority: Option<u32>,
    enabled: Option<bool>,
    also: String,
}

impl Repository<'_> {
    fn text(&self) -> String {
        let name = self.name;
        let mut text =
            format!("[{name}]\nname={name}\nenabled={}\n", u8::from(self.enabled.unwrap_or(true)));
        for (key, url) in self.urls {
            url.iter().for_each(|url| text.push_str(&format!("{key}={url}\n")));
        }
        text.push_str(&format!(
            "gpgcheck={}\n",
            u8::from(self.gpgcheck.unwrap_or(self.gpgkey.is_some()))
        ));
        self.gpgkey.iter().for_each(|key| text.push_str(&format!("gpgkey={key}\n")));
        self.priority.iter().for_each(|priority| text.push_str(&format!("priority={priority}\n")));
        text + &self.also
    }
}

pub(super) fn dnf(name: &str, source: &DnfSource) -> Result<Vec<Part>, ActionError> {
    let DnfSource { url, mirrorlist, metalink, gpgkey, gpgcheck, priority, enabled } = source;
    let urls = [("baseurl", url), ("mirrorlist", mirrorlist), ("metalink", metalink)];
    let repository = Repository {
        name,
        urls,
        gpgkey,
        gpgcheck: *gpgcheck,
        priority: *priority,
        enabled: *enabled,
        also: String::new(),
    };
    let directory = Part::of(Directory::at("/etc/yum.repos.d"));
    Ok(vec![
        directory,
        Part::of(file_of(&format!("/etc/yum.repos.d/{name}.repo"), &repository.text())?),
    ])
}

pub(super) fn zypper(name: &str, source: &ZypperSource) -> Result<Vec<Part>, ActionError> {
    let ZypperSource { url, mirrorlist, gpgkey, gpgcheck, priority, enabled, autorefresh } = source;
    let urls = [("baseurl", url), ("mirrorlist", mirrorlist), ("metalink", &None)];
    let also = format!("autorefresh={}\n", u8::from(autorefresh.unwrap_or(true)));
    let repository = Repository {
        name,
        urls,
        gpgkey,
        gpgcheck: *gpgcheck,
        priority: *priority,
        enabled: *enabled,
        also,
    };
    let mut parts = Vec::new();
    if let Some(url) = gpgkey.as_ref().filter(|url| !url.starts_with("file:")) {
        // zypper asks before it trusts a key, so import it into rpm; a key that rpm refuses is not
        // kept
        parts.push(Part::of(Directory::at("/etc/pki/rpm-gpg")));
        parts.push(Part::of(fetched(RemoteFile::url(rpm_key(name), url).verify("rpm --import"))?));
    }
    parts.push(Part::of(Directory::at("/etc/zypp/repos.d")));
    parts.push(Part::of(file_of(&format!("/etc/zypp/repos.d/{name}.repo"), &repository.text())?));
    Ok(parts)
}

pub(super) fn pacman(name: &str, source: &PacmanSource) -> Result<Vec<Part>, ActionError> {
    let level =
        source.siglevel.as_ref().map(|level| format!("SigLevel = {level}\n")).unwrap_or_default();
    let path = format!("/etc/pacman.d/{name}.conf");
    let text = format!("[{name}]\n{level}Server = {}\n", source.server);
    let include = vec![format!("Include = {path}")];
    Ok(vec![
        Part::of(Directory::at("/etc/pacman.d")),
        Part::of(file_of(&path, &text)?),
        lines(PACMAN, name, include),
    ])
}

pub(super) fn apk(name: &str, source: &ApkSource) -> Vec<Part> {
    let tag = source.tag.as_ref().map(|tag| format!("@{tag} ")).unwrap_or_default();
    vec![lines(APK, name, vec![format!("{tag}{}", source.url)])]
}

/// A file with this content, and nothing else declared.
fn file_of(path: &str, content: &str) -> Result<RemoteFile, ActionError> {
    let mut file = RemoteFile::content(path, content);
    Action::prepare(&mut file, &NoWorkspace)?;
    Ok(file)
}
