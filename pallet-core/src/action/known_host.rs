//! Ensures the public keys by which ssh knows a host, or that it knows none. No-op: the file has
//! each of the keys for the host, and no other key of the same types.

mod lines;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::lines::{How, edited};
use super::authorized_key::Keys;
use super::authorized_key::keys::KeyLine;
use super::edit::{Edit, Missing, require_line};
use super::file_support::{require_absolute, require_name};
use super::line_in_file::LineAction;
use super::ssh_file::SshFile;
use super::{Action, ActionError, Change, Claims, Workspace};
use crate::model::Capabilities;
use crate::observe::{Attributes, NodeState, Observation};
use crate::script::Script;

/// Ensures that ssh on the node knows the public keys of a host, or that it does not. Does nothing
/// if the file has each of the keys for the host, and no other key of the same types.
///
/// The file is `/etc/ssh/ssh_known_hosts`, which ssh reads for all users. With `user`, it is
/// `.ssh/known_hosts` in the user's home directory, which Pallet creates with its directory.
///
/// Another key of the host that has the type of a declared one is replaced: ssh would accept both.
/// Keys of other types stay unless `exclusive` is set. Hashed entries are recognised. Lines with a
/// pattern such as `*.example.com`, and those of `@cert-authority` and `@revoked`, are left as they
/// are.
///
/// Take the keys from the host itself, such as from its `/etc/ssh/ssh_host_ed25519_key.pub`, or
/// from who runs it. What `ssh-keyscan` prints comes from whoever answers.
///
/// Example: `known_host(request, "git.example.com", key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl")`
///
/// Example: `known_host(request, "git.example.com", key = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMq", "ssh-rsa AAAAB3NzaC1yc2E="], port = 2222, user = "app")`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KnownHost {
    /// Name or address of the host, as users of ssh write it.
    pub name: String,
    /// Public key, such as the line of `/etc/ssh/ssh_host_ed25519_key.pub` on the host, or a list
    /// of such keys. With `action = "absent"`, omit it to remove all keys of the host.
    #[serde(default = "none")]
    #[schemars(schema_with = "Keys::schema")]
    pub key: Keys,
    /// `present` or `absent`.
    #[serde(default)]
    pub action: LineAction,
    /// Port of the host's sshd. Each port has keys of its own. Default: 22.
    #[serde(default)]
    pub port: Option<u16>,
    /// Login name of a user: manage the file of that user.
    #[serde(default)]
    pub user: Option<String>,
    /// Absolute path of another file to manage. Its directory is left unchanged.
    #[serde(default)]
    pub path: Option<String>,
    /// Remove all other keys of the host. Pass all keys of the host as one list.
    #[serde(default)]
    pub exclusive: bool,
}

fn none() -> Keys {
    Keys::Several(Vec::new())
}

const SYSTEM: &str = "/etc/ssh/ssh_known_hosts";

impl KnownHost {
    /// One or more keys of a host.
    pub fn new(name: impl Into<String>, key: impl Into<Keys>) -> Self {
        KnownHost {
            name: name.into(),
            key: key.into(),
            action: LineAction::Present,
            port: None,
            user: None,
            path: None,
            exclusive: false,
        }
    }

    /// No key of a host.
    pub fn unknown(name: impl Into<String>) -> Self {
        KnownHost { key: none(), ..KnownHost::new(name, none()).absent() }
    }

    /// On this port.
    pub fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// In the file of this user.
    pub fn user(mut self, name: impl Into<String>) -> Self {
        self.user = Some(name.into());
        self
    }

    /// In the file at `path`.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// As the only keys of the host.
    pub fn exclusive(mut self) -> Self {
        self.exclusive = true;
        self
    }

    /// The keys must not be in the file.
    pub fn absent(mut self) -> Self {
        self.action = LineAction::Absent;
        self
    }

    fn how(&self) -> How {
        match self.action {
            LineAction::Absent => How::Absent,
            LineAction::Present if self.exclusive => How::Only,
            LineAction::Present => How::Present,
        }
    }

    /// The host as it stands in the file.
    fn host(&self) -> String {
        let name = self.name.to_ascii_lowercase();
        match self.port {
            None | Some(22) => name,
            Some(port) => format!("[{name}]:{port}"),
        }
    }

    fn keys(&self) -> Vec<&str> {
        self.key.lines().iter().map(|key| key.trim()).collect()
    }

    fn missing(&self) -> Missing {
        if self.action == LineAction::Present { Missing::Create } else { Missing::Leave }
    }

    /// The edit of a file that is not in a user's home directory.
    fn edit(&self) -> Edit<'_> {
        let path = self.path.as_deref().unwrap_or(SYSTEM);
        Edit::of(path, self.missing(), Attributes::default())
    }

    fn file_of<'a>(&'a self, user: &'a str) -> SshFile<'a> {
        let (path, missing) = (self.path.as_deref(), self.missing());
        SshFile { user, name: "known_hosts", path, missing, mode: None }
    }

    fn script(&self, edit: &Edit<'_>) -> Script {
        let host = self.host();
        let words: Vec<&str> = [self.how().word(), &host].into_iter().chain(self.keys()).collect();
        edit.call("ensure_known_host", &words)
    }

    fn plan_lines(
        &self,
        edit: &Edit<'_>,
        node: &mut NodeState,
    ) -> Result<Option<Change>, ActionError> {
        edit.plan(node, self.script(edit), |text| self.edited(text))
    }

    fn edited(&self, text: &str) -> String {
        edited(text, self.how(), &self.host(), &self.keys())
    }

    fn check_keys(&self) -> Result<(), ActionError> {
        let wrong = |why: String| Err(ActionError::arguments(Self::NAME, why));
        let mut seen = BTreeSet::new();
        for key in self.key.lines() {
            require_line(Self::NAME, "the key", key)?;
            let base64 = |blob: &str| {
                blob.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte))
            };
            match KeyLine::read(key) {
                Some(line) if line.options.is_empty() && base64(line.blob) => {
                    if !seen.insert((line.kind, line.blob)) {
                        return wrong(format!(
                            "a key of {} stands twice in the list; give it once",
                            self.name
                        ));
                    }
                }
                _ => {
                    return wrong(format!(
                        "the key of {} is not a type such as ssh-ed25519 and a key in base64, and \
                         nothing before them",
                        self.name
                    ));
                }
            }
        }
        match self.action {
            LineAction::Present if seen.is_empty() => {
                wrong(format!("there is no key for {}; give at least one", self.name))
            }
            _ => Ok(()),
        }
    }
}

impl Action for KnownHost {
    const NAME: &'static str = "known_host";

    fn subject(&self) -> String {
        match (&self.user, &self.path) {
            (Some(user), None) => format!("{} for {user}", self.host()),
            (_, Some(path)) => format!("{} in {path}", self.host()),
            (None, None) => self.host(),
        }
    }

    fn prepare(&mut self, _workspace: &dyn Workspace) -> Result<(), ActionError> {
        let wrong = |why: String| Err(ActionError::arguments(Self::NAME, why));
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:%".contains(&byte);
        if self.name.is_empty() || self.name.starts_with('-') || !self.name.bytes().all(plain) {
            return wrong(format!(
                "{:?} is not the name or the address of a host; a port has a parameter of its own",
                self.name
            ));
        }
        if self.port == Some(0) {
            return wrong("there is no port 0".to_owned());
        }
        self.path.iter().try_for_each(|path| require_absolute(Self::NAME, path))?;
        self.user.iter().try_for_each(|user| require_name(Self::NAME, "user", user))?;
        if self.exclusive && self.action == LineAction::Absent {
            return wrong("exclusive is for keys that are present; omit it".to_owned());
        }
        self.check_keys()
    }

    fn claims(&self, claims: &mut Claims) {
        let file = match (&self.path, &self.user) {
            (Some(path), _) => path.clone(),
            (None, Some(user)) => format!("the known_hosts of {user}"),
            (None, None) => SYSTEM.to_owned(),
        };
        let (host, present) = (self.host(), self.action == LineAction::Present);
        let set = format!("the keys of {host} in {file}");
        let mut kinds: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for key in self.key.lines().iter().filter_map(|key| KeyLine::read(key)) {
            claims.identified(
                format!("whether {host} has the key {} in {file}", key.name()),
                format!("{set}\n{}", key.blob),
                present.to_string(),
            );
            kinds.entry(key.kind).or_default().insert(key.blob);
            if present {
                claims.member(&set, key.blob);
            }
        }
        let all: BTreeSet<String> =
            kinds.values().flatten().map(|blob| (*blob).to_owned()).collect();
        if present {
            // a key replaces others of its type
            for (kind, blobs) in kinds {
                let blobs: Vec<&str> = blobs.into_iter().collect();
                claims.value(format!("the {kind} key of {host} in {file}"), "", blobs.join(" "));
            }
        }
        if self.exclusive || all.is_empty() {
            claims.only(set, all);
        }
        if self.path.is_some() || self.user.is_none() {
            let this = self.clone();
            claims.part(&file, move |text| this.edited(text) == text);
            if present {
                claims.path(&file, "a file");
            }
        }
        self.user.iter().filter(|_| present).for_each(|user| claims.user(user));
    }

    fn needs(&self, needed: &mut Capabilities) {
        match (&self.path, &self.user) {
            (None, None) => needed.path(SYSTEM),
            (path, user) => {
                user.iter().for_each(|user| needed.user(user));
                path.iter().for_each(|path| needed.path(path));
            }
        }
    }

    fn observe(&self, wanted: &mut Observation) {
        match &self.user {
            Some(user) => self.file_of(user).observe(wanted),
            None => {
                let edit = self.edit();
                edit.observe(wanted);
                edit.observe_edit(wanted, &self.script(&edit));
            }
        }
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        match &self.user {
            Some(user) => self
                .file_of(user)
                .plan(node, "edit the known hosts", |edit, node| self.plan_lines(edit, node)),
            None => self.plan_lines(&self.edit(), node),
        }
    }
}

#[cfg(test)]
mod tests;
