//! Ensures that keys may, or may not, log in as a user over ssh. No-op: the user's file has exactly
//! these keys and options, whatever their comments.

mod keys;
mod wanted;

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::wanted::Keys;

use self::keys::{How, KeyLine, edited};
use super::change::joined;
use super::claims::Account;
use super::edit::{Edit, Missing, require_line};
use super::file_support::{kind, parent, plan_file, require_absolute, require_name};
use super::line_in_file::LineAction;
use super::{Action, ActionError, Change, Claims, Workspace};
use crate::model::{Capabilities, Known};
use crate::observe::{Attributes, FileState, NodeState, Observation, UserState};
use crate::script::{Script, quote};

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

    /// The usual path of the file, which is observed before the user's home directory is known.
    fn usual(&self) -> String {
        let home =
            if self.user == "root" { "/root".to_owned() } else { format!("/home/{}", self.user) };
        format!("{home}/.ssh/authorized_keys")
    }

    fn attributes(&self, group: Option<String>) -> Attributes {
        Attributes { owner: Some(self.user.clone()), group, mode: Some(0o600) }
    }

    fn missing(&self) -> Missing {
        if self.action == LineAction::Present { Missing::Create } else { Missing::Leave }
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

    /// The change of a file whose path only the node knows.
    fn plan_unknown(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let edit = Edit::of("$file", self.missing(), self.attributes(Some("$primary".to_owned())));
        let Some(change) = self.plan_lines(&edit, &mut NodeState::new(node.os.clone()))? else {
            return Ok(None);
        };
        let user = quote(&self.user);
        let file = match &self.path {
            Some(path) => format!("file={}\n", quote(path)),
            None if self.action == LineAction::Absent => {
                "file=$home/.ssh/authorized_keys\nrequire_directory \"$home/.ssh\"\n".to_owned()
            }
            None => format!(
                "file=$home/.ssh/authorized_keys\n\
                ensure_directory \"$home/.ssh\" {user} \"$primary\" 0700\n"
            ),
        };
        // only the first occurrence of each quoted word stands for a variable; the following ones
        // are the user's text
        let script = change.script.as_str().replacen("'$file'", "\"$file\"", 1).replacen(
            "'$primary'",
            "\"$primary\"",
            1,
        );
        let script = Script::new().raw(&format!("home_of {user}\n{file}{script}"));
        let path = self.path.clone().unwrap_or_else(|| self.usual());
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        node.forget_files_below(if self.path.is_some() { &path } else { directory });
        Ok(Some(
            Change::may("edit the keys", script).with_diff(change.diff.replace("$primary", "?")),
        ))
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
        wanted.user(&self.user);
        let path = self.path.clone().unwrap_or_else(|| self.usual());
        Edit::of(&path, self.missing(), Attributes::default()).observe(wanted);
        if let Some(directory) = parent(&path).filter(|_| self.path.is_none()) {
            wanted.file(directory);
        }
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let (home, group) = match node.user(&self.user) {
            Known::Known(None) if self.action == LineAction::Absent && self.path.is_none() => {
                return Ok(None);
            }
            Known::Known(None) => return Err(Account::User(self.user.clone()).missing()),
            Known::Known(Some(UserState { home: Some(home), group: Some(group), .. })) => {
                (home.clone(), group.clone())
            }
            _ => return self.plan_unknown(node),
        };
        let usual = format!("{home}/.ssh/authorized_keys");
        let path = self.path.clone().unwrap_or(usual);
        if node.file(&path) == Known::Unknown {
            return self.plan_unknown(node);
        }
        let place = format!("{home}/.ssh");
        let other = match node.file(&place) {
            // the link belongs to the user, and root would follow it to any file
            Known::Known(FileState::Link { target }) => Some(format!("link to {target}")),
            Known::Known(
                other @ (FileState::File { .. } | FileState::Fifo(_) | FileState::Other),
            ) if self.action == LineAction::Present => Some(kind(other).to_owned()),
            _ => None,
        };
        if let Some(other) = other.filter(|_| self.path.is_none()) {
            return Err(ActionError::node(format!(
                "{place} is a {other}, not a directory; put a directory in its place"
            )));
        }
        let mut directory = None;
        if self.path.is_none() && self.action == LineAction::Present {
            let attributes =
                Attributes { mode: Some(0o700), ..self.attributes(Some(group.clone())) };
            let script =
                Script::new().call(["ensure_directory", &place, &self.user, &group, "0700"]);
            directory = plan_file(node, &place, FileState::Directory(attributes), script)?;
        }
        let lines =
            self.plan_lines(&Edit::of(&path, self.missing(), self.attributes(Some(group))), node)?;
        let lines = lines.map(|change| match self.path {
            Some(_) => change,
            None => Change {
                script: Script::new()
                    .call(["require_directory", &place])
                    .raw(change.script.as_str()),
                ..change
            },
        });
        Ok(joined([directory, lines]))
    }
}

#[cfg(test)]
mod tests;
