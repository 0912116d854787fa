//! Ensures a user. No-op: the user exists, with everything that is declared.

mod lock;
mod manage;
mod password;
mod remove;

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::account_name::require_account_name;
use super::file_support::require_absolute;
use super::{Action, ActionError, Change, Claims, Workspace};
use crate::model::{Capabilities, Known};
use crate::observe::{NodeState, Observation, UserState};
use crate::script::{Script, quote};

/// Ensures that a user exists, that it does not exist, or that its password is locked.
///
/// Parameters that are omitted stay unchanged. New users get the defaults of the node.
///
/// Example: `user(request, "app", home = "/srv/app", shell = "/usr/sbin/nologin", system = True)`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// Login name.
    pub name: String,
    /// What to do.
    #[serde(default)]
    pub action: UserAction,
    /// Numeric ID.
    #[serde(default)]
    pub uid: Option<u32>,
    /// Primary group. It must exist.
    #[serde(default)]
    pub group: Option<String>,
    /// All other groups. They must exist.
    #[serde(default)]
    pub groups: Option<BTreeSet<String>>,
    /// Keep the user in groups that are not in `groups`.
    #[serde(default)]
    pub append: bool,
    /// Home directory. The directory of an existing user is changed, but not moved.
    #[serde(default)]
    pub home: Option<String>,
    /// Create the home directory of a new user. Default: true, except for system users.
    #[serde(default)]
    pub create_home: Option<bool>,
    /// Login shell.
    #[serde(default)]
    pub shell: Option<String>,
    /// Comment, such as the full name.
    #[serde(default)]
    pub comment: Option<String>,
    /// Create a new user as a system user (system UID).
    #[serde(default)]
    pub system: bool,
    /// Password as hashed by crypt(3), for example by `mkpasswd` or `openssl passwd -6`. Pass it as
    /// a secret.
    #[serde(default)]
    pub password: Option<String>,
    /// Also delete the home directory when the user is removed.
    #[serde(default)]
    pub remove_home: bool,
    /// End the processes of a user before removing it. Otherwise running processes are an error.
    #[serde(default)]
    pub force: bool,
}

/// What to do with a user.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UserAction {
    /// The user exists and is as given.
    #[default]
    Manage,
    /// The user exists; one that is there already stays as it is.
    Create,
    /// There is no such user; its home directory stays, unless `remove_home` is given.
    Remove,
    /// No password lets the user in; keys still do.
    Lock,
    /// The password is not locked.
    Unlock,
}

macro_rules! builders {
    ($($field:ident: $what:literal;)*) => {$(
        #[doc = $what]
        pub fn $field(mut self, $field: impl Into<String>) -> Self {
            self.$field = Some($field.into());
            self
        }
    )*};
}

impl User {
    /// A user with this name.
    pub fn new(name: impl Into<String>) -> Self {
        User {
            name: name.into(),
            action: UserAction::Manage,
            uid: None,
            group: None,
            groups: None,
            append: false,
            home: None,
            create_home: None,
            shell: None,
            comment: None,
            system: false,
            password: None,
            remove_home: false,
            force: false,
        }
    }

    builders! {
        group: "With this primary group.";
        home: "With this home directory.";
        shell: "With this login shell.";
        comment: "With this comment.";
        password: "With this password, hashed by crypt(3).";
    }

    /// With this numeric ID.
    pub fn uid(mut self, uid: u32) -> Self {
        self.uid = Some(uid);
        self
    }

    /// In exactly these groups besides the primary one.
    pub fn groups<S: Into<String>>(mut self, groups: impl IntoIterator<Item = S>) -> Self {
        self.groups = Some(groups.into_iter().map(Into::into).collect());
        self
    }

    /// Stays in its other groups too.
    pub fn append(mut self) -> Self {
        self.append = true;
        self
    }

    /// Sets whether a home directory is created.
    pub fn create_home(mut self, create: bool) -> Self {
        self.create_home = Some(create);
        self
    }

    /// A system user.
    pub fn system(mut self) -> Self {
        self.system = true;
        self
    }

    /// Sets what to do with the user.
    pub fn action(mut self, action: UserAction) -> Self {
        self.action = action;
        self
    }

    fn script(&self) -> Script {
        let mut words = vec!["ensure_user".to_owned(), self.name.clone()];
        let mut option = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                words.extend([name.to_owned(), value]);
            }
        };
        option("--uid", self.uid.map(|uid| uid.to_string()));
        option("--group", self.group.clone());
        option(
            "--groups",
            self.groups.as_ref().map(|groups| groups.iter().cloned().collect::<Vec<_>>().join(",")),
        );
        option("--home", self.home.clone());
        option("--shell", self.shell.clone());
        option("--comment", self.comment.clone());
        let flags = [
            ("--append", self.append),
            ("--create-home", self.create_home.unwrap_or(!self.system)),
            ("--system", self.system),
        ];
        words.extend(flags.iter().filter(|(_, given)| *given).map(|(flag, _)| (*flag).to_owned()));
        let script = Script::new().call(words);
        match &self.password {
            Some(hash) => script.call(["ensure_password", &self.name, hash]),
            None => script,
        }
    }

    fn wanted(&self) -> UserState {
        UserState {
            uid: self.uid,
            group: self.group.clone(),
            groups: None,
            comment: self.comment.clone(),
            home: self.home.clone(),
            shell: self.shell.clone(),
            locked: None,
        }
    }

    /// Restricts a change to nodes that do not have the user yet.
    fn only_if_absent(&self, change: Change) -> Change {
        let script = Script::new()
            .raw(&format!("if ! entry_of passwd {} >/dev/null; then", quote(&self.name)));
        Change { script: script.raw(change.script.as_str()).raw("fi"), ..change }
    }
}

impl Action for User {
    const NAME: &'static str = "user";

    fn subject(&self) -> String {
        self.name.clone()
    }

    fn prepare(&mut self, _workspace: &dyn Workspace) -> Result<(), ActionError> {
        for name in [&self.name].into_iter().chain(&self.group).chain(self.groups.iter().flatten())
        {
            require_account_name(Self::NAME, name)?;
        }
        for path in self.home.iter().chain(&self.shell) {
            require_absolute(Self::NAME, path)?;
        }
        match self
            .home
            .iter()
            .chain(&self.shell)
            .chain(&self.comment)
            .find(|text| text.contains([':', '\n', '\0']))
        {
            Some(text) => Err(ActionError::arguments(
                Self::NAME,
                format!("{text:?} holds a colon or a line break, which no user's entry can"),
            )),
            None if self.append && self.groups.is_none() => Err(ActionError::arguments(
                Self::NAME,
                "append is for groups; give groups, or omit append",
            )),
            None => self.check_password(),
        }
    }

    fn claims(&self, claims: &mut Claims) {
        let name = &self.name;
        claims.value(
            format!("whether there is a user {name}"),
            "",
            (self.action != UserAction::Remove).to_string(),
        );
        match self.action {
            UserAction::Lock | UserAction::Unlock => {
                claims.value(
                    format!("whether the password of {name} is locked"),
                    "",
                    (self.action == UserAction::Lock).to_string(),
                );
            }
            UserAction::Manage => {
                let (uid, groups) = (
                    self.uid.map(|uid| uid.to_string()),
                    self.groups.as_ref().filter(|_| !self.append),
                );
                let groups =
                    groups.map(|groups| groups.iter().cloned().collect::<Vec<_>>().join(","));
                let group = self.group.clone();
                self.group
                    .iter()
                    .chain(self.groups.iter().flatten())
                    .for_each(|group| claims.group(group));
                uid.iter().for_each(|uid| {
                    claims.value(format!("whose the number {uid} of a user is"), "", name)
                });
                let [home, shell, comment, password] =
                    [&self.home, &self.shell, &self.comment, &self.password].map(Clone::clone);
                let all = [
                    ("number", uid),
                    ("primary group", group),
                    ("groups", groups),
                    ("home directory", home),
                    ("shell", shell),
                    ("comment", comment),
                    ("password", password),
                ];
                for (what, is) in all {
                    is.iter().for_each(|is| claims.value(format!("the {what} of {name}"), "", is));
                }
            }
            UserAction::Create | UserAction::Remove => {}
        }
    }

    fn needs(&self, needed: &mut Capabilities) {
        [&self.name]
            .into_iter()
            .chain(&self.group)
            .chain(self.groups.iter().flatten())
            .for_each(|name| needed.user(name));
        self.home.iter().for_each(|home| needed.below(home));
    }

    fn observe(&self, wanted: &mut Observation) {
        wanted.user(&self.name);
        if let Some(question) = self.password_question() {
            wanted.reading(&question);
        }
        for group in self.group.iter().chain(self.groups.iter().flatten()) {
            wanted.group(group);
        }
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        match self.action {
            UserAction::Create if matches!(node.user(&self.name), Known::Known(Some(_))) => {
                Ok(None)
            }
            UserAction::Create => {
                let known = node.user(&self.name) != Known::Unknown;
                let change = self.plan_manage(node)?.map(|change| self.only_if_absent(change));
                if !known {
                    // an existing user stays as it is, in an unknown state
                    node.set_user(&self.name, Some(UserState::default()));
                    self.forget_password(node);
                }
                Ok(change)
            }
            UserAction::Manage => self.plan_manage(node),
            UserAction::Remove => Ok(self.plan_remove(node)),
            UserAction::Lock => self.plan_lock(node, true),
            UserAction::Unlock => self.plan_lock(node, false),
        }
    }
}

#[cfg(test)]
mod tests;
