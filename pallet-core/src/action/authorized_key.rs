//! Ensures that keys may, or may not, log in as a user over ssh. No-op: the user's file has exactly
//! these keys and options, whatever their comments.

pub(super) mod keys;
mod wanted;

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::wanted::Keys;

use self::keys::{How, KeyLine, edited};
use super::edit::{Edit, Missing, require_line};
use super::file_support::{require_absolute, require_name};
use super::line_in_file::LineAction;
use super::ssh_file::SshFile;
use super::{Action, ActionError, Change, Claims, Workspace};
use crate::model::Capabilities;
use crate::observe::{NodeState, Observation};

/// Ensures that public keys are allowed to log in as a user over SSH, or that they are not. Does
/// nothing if the file already has each key with the same options; comments may differ. The file is
/// `.ssh/authorized_keys` in the user's home directory. Pallet creates the file and its directory
/// with the permissions that sshd requires.
///
/// Each key has one line: sshd uses the first line of a key, so other lines of the same key, with
/// other options or none, are removed.
///
/// Example: `authorized_key(request, "app", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl ann@example.com")`
///
/// Example: `authorized_key(request, "app", ["ssh-rsa AAAAB3NzaC1yc2E= ann", "no-pty ssh-rsa AAAAB3NzaC1yc2F= bob"], exclusive = True)`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthorizedKey {
    /// Login name.
    pub user: String,
    /// Public key, as one line of a file such as `id_ed25519.pub`, or a list of such lines, each of
    /// which may start with its own options.
    #[schemars(schema_with = "Keys::schema")]
    pub key: Keys,
    /// `present` or `absent`.
    #[serde(default)]
    pub action: LineAction,
    /// Options to put before the key, such as `no-pty,from="10.0.0.0/8"`.
    #[serde(default)]
    pub options: Option<String>,
    /// Remove all other keys of the user. Pass all keys of the user as one list.
    #[serde(default)]
    pub exclusive: bool,
    /// Absolute path of another file to manage. Its directory is left unchanged.
    #[serde(default)]
    pub path: Option<String>,
}

impl AuthorizedKey {
    /// One or more keys of a user.
    pub fn new(user: impl Into<String>, key: impl Into<Keys>) -> Self {
        AuthorizedKey {
            user: user.into(),
            key: key.into(),
            action: LineAction::Present,
            options: None,
            exclusive: false,
            path: None,
        }
    }

    /// With these options.
    pub fn options(mut self, options: impl Into<String>) -> Self {
        self.options = Some(options.into());
        self
    }

    /// As the only keys of the user.
    pub fn exclusive(mut self) -> Self {
        self.exclusive = true;
        self
    }

    /// In the file at `path`.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// The keys must not be in the file.
    pub fn absent(mut self) -> Self {
        self.action = LineAction::Absent;
        self
    }

    /// The lines wanted in the file.
    fn lines(&self) -> Vec<String> {
        let line = |key: &String| match &self.options {
            Some(options) => format!("{options} {}", key.trim()),
            None => key.trim().to_owned(),
        };
        self.key.lines().iter().map(line).collect()
    }

    /// Refuses lines that sshd would not read as exactly one key.
    fn check_keys(&self) -> Result<(), ActionError> {
        let mut ids = BTreeSet::new();
        for key in self.key.lines() {
            let wrong = |why: &str| {
                let message = format!(
                    "the key of {} {why}; give a line such as that of id_ed25519.pub",
                    self.user
                );
                Err(ActionError::arguments(Self::NAME, message))
            };
            require_line(Self::NAME, "the key", key)?;
            let Some(line) = KeyLine::read(key) else {
                return wrong("is not a type such as ssh-ed25519 and a key in base64");
            };
            if !line.options.is_empty() && matches!(self.key, Keys::One(_)) {
                return wrong(
                    "does not begin with a type such as ssh-ed25519; options have a \
                    parameter of their own",
                );
            }
            if !line.options.is_empty() && self.options.is_some() {
                return wrong("has options of its own; give no others");
            }
            if !line.blob.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte))
            {
                return wrong("is not in base64");
            }
            if !ids.insert((line.kind, line.blob)) {
                return Err(ActionError::arguments(
                    Self::NAME,
                    format!("a key of {} stands twice in the list; give it once", self.user),
                ));
            }
        }
        if ids.is_empty() && !self.exclusive {
            return Err(ActionError::arguments(
                Self::NAME,
                format!("there is no key for {}; give at least one", self.user),
            ));
        }
        Ok(())
    }

    fn file(&self) -> SshFile<'_> {
        let missing =
            if self.action == LineAction::Present { Missing::Create } else { Missing::Leave };
        let (path, mode) = (self.path.as_deref(), Some(0o600));
        SshFile { user: &self.user, name: "authorized_keys", path, missing, mode }
    }

    fn how(&self) -> How {
        match self.action {
            LineAction::Absent => How::Absent,
            LineAction::Present if self.exclusive => How::Only,
            LineAction::Present => How::Present,
        }
    }

    /// Plans the edit of the file at `edit`'s path.
    fn plan_lines(
        &self,
        edit: &Edit<'_>,
        node: &mut NodeState,
    ) -> Result<Option<Change>, ActionError> {
        let (how, lines) = (self.how(), self.lines());
        let words: Vec<&str> =
            std::iter::once(how.word()).chain(lines.iter().map(String::as_str)).collect();
        edit.plan(node, edit.call("ensure_keys", &words), |text| edited(text, how, &lines))
    }
}

impl Action for AuthorizedKey {
    const NAME: &'static str = "authorized_key";

    fn subject(&self) -> String {
        let names: Vec<&str> = self
            .key
            .lines()
            .iter()
            .map(|key| KeyLine::read(key).map_or("", |line| line.name()))
            .collect();
        format!("{}: {}", self.user, names.join(", "))
    }

    fn prepare(&mut self, _workspace: &dyn Workspace) -> Result<(), ActionError> {
        require_name(Self::NAME, "user", &self.user)?;
        if let Some(path) = &self.path {
            require_absolute(Self::NAME, path)?;
        }
        if let Some(options) = &self.options {
            require_line(Self::NAME, "options", options)?;
            if options.trim() != options || options.is_empty() || options.starts_with('#') {
                return Err(ActionError::arguments(
                    Self::NAME,
                    format!("options {options:?} are empty or have spaces around them"),
                ));
            }
        }
        if self.exclusive && self.action == LineAction::Absent {
            return Err(ActionError::arguments(
                Self::NAME,
                "exclusive is for a key that is present; omit it",
            ));
        }
        self.check_keys()
    }

    fn claims(&self, claims: &mut Claims) {
        let place = self.path.as_ref().map(|path| format!(" in {path}")).unwrap_or_default();
        let set = format!("the keys of {}{place}", self.user);
        let lines = self.lines();
        let keys: Vec<KeyLine<'_>> = lines.iter().filter_map(|line| KeyLine::read(line)).collect();
        for key in &keys {
            let how = if self.action == LineAction::Absent { "absent" } else { key.options };
            let what = format!("how the key {} may log in as {}{place}", key.name(), self.user);
            claims.identified(what, format!("{set}\n{}", key.blob), how);
            if self.action == LineAction::Present {
                claims.member(&set, key.blob);
            }
        }
        if self.action == LineAction::Present {
            claims.user(&self.user);
        }
        if self.exclusive {
            claims.only(set, keys.iter().map(|key| key.blob.to_owned()).collect());
        }
    }

    fn needs(&self, needed: &mut Capabilities) {
        needed.user(&self.user);
        self.path.iter().for_each(|path| needed.path(path));
    }

    fn observe(&self, wanted: &mut Observation) {
        self.file().observe(wanted);
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        self.file().plan(node, "edit the keys", |edit, node| self.plan_lines(edit, node))
    }
}

#[cfg(test)]
mod tests;
