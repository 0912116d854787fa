//! Ensures a cron job, or that there is none with its name. No-op: the job is as declared.

mod command;
mod schedule;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::command::escaped;
use self::schedule::{MONTHS, SPECIAL, TextOrNumber, WEEKDAYS, check_times, text_or_number};
use super::claims::Account;
use super::edit::{Edit, Line, Missing, UnwantedLine, plan_no_line, require_line};
use super::ere::Ere;
use super::file_support::{plan_delete, require_name};
use super::{Action, ActionError, Change, Claims, Existence, Workspace};
use crate::model::{Capabilities, Known, OsFamily, digest};
use crate::observe::{Attributes, FileState, NodeState, Observation};
use crate::script::{Script, quote};

/// Ensures that cron runs a command at certain times, or that no job of this name exists. Does
/// nothing if the job is already as declared.
///
/// The job is stored in `/etc/cron.d/pallet-<name>`. On Alpine, whose cron does not support that
/// directory, it is a line of `/etc/crontabs/<user>`. Times are in the node's time zone. Each of
/// `minute` to `weekday` is a number, a name (`jan`, `mon`), a range (`1-5`), a step (`*/15`), or a
/// list of these.
///
/// Example: `cron(request, "backup", command = "/usr/local/bin/backup --all", minute = 30, hour = "2,14", user = "backup")`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cron {
    /// Job name: letters, digits, `-` and `_`.
    pub name: String,
    /// Command, as one shell line of at most 998 bytes. `%` and backslashes have no special
    /// meaning.
    #[serde(default)]
    pub command: String,
    /// User that runs the command. The user must exist. Default: root.
    #[serde(default = "root")]
    pub user: String,
    /// 0 to 59. Default: every minute.
    #[serde(default = "every", deserialize_with = "text_or_number")]
    #[schemars(with = "TextOrNumber")]
    pub minute: String,
    /// 0 to 23. Default: every hour.
    #[serde(default = "every", deserialize_with = "text_or_number")]
    #[schemars(with = "TextOrNumber")]
    pub hour: String,
    /// Day of the month, 1 to 31. Default: every day.
    #[serde(default = "every", deserialize_with = "text_or_number")]
    #[schemars(with = "TextOrNumber")]
    pub day: String,
    /// 1 to 12, or `jan` to `dec`. Default: every month.
    #[serde(default = "every", deserialize_with = "text_or_number")]
    #[schemars(with = "TextOrNumber")]
    pub month: String,
    /// Day of the week, 0 or 7 (Sunday) to 6, or `sun` to `sat`. Default: every day. If `day` is
    /// also set, the job runs when either matches.
    #[serde(default = "every", deserialize_with = "text_or_number")]
    #[schemars(with = "TextOrNumber")]
    pub weekday: String,
    /// Schedule that replaces the other times: `@reboot`, `@hourly`, `@daily`, `@weekly`,
    /// `@monthly` or `@yearly`.
    #[serde(default)]
    pub special: Option<String>,
    /// Environment variables of the command.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// `create` or `delete`.
    #[serde(default)]
    pub action: Existence,
}

fn root() -> String {
    "root".to_owned()
}

fn every() -> String {
    "*".to_owned()
}

const DIRECTORY: &str = "/etc/cron.d";
/// Debian's cron silently ignores a job whose command is longer, in bytes.
const MAX_COMMAND: usize = 998;
impl Cron {
    /// A job that runs every minute.
    pub fn new(name: impl Into<String>, command: impl Into<String>) -> Self {
        Cron {
            name: name.into(),
            command: command.into(),
            user: root(),
            minute: every(),
            hour: every(),
            day: every(),
            month: every(),
            weekday: every(),
            special: None,
            environment: BTreeMap::new(),
            action: Existence::Create,
        }
    }

    /// At these times: minute, hour, day of the month, month, day of the week.
    pub fn at(mut self, times: [&str; 5]) -> Self {
        [self.minute, self.hour, self.day, self.month, self.weekday] = times.map(str::to_owned);
        self
    }

    /// At a time such as `@daily`.
    pub fn special(mut self, word: impl Into<String>) -> Self {
        self.special = Some(word.into());
        self
    }

    /// As the user `name`.
    pub fn user(mut self, name: impl Into<String>) -> Self {
        self.user = name.into();
        self
    }

    /// With an environment variable.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// The job must not exist.
    pub fn absent(mut self) -> Self {
        self.action = Existence::Delete;
        self
    }

    fn file(&self) -> String {
        format!("{DIRECTORY}/pallet-{}", self.name)
    }

    fn table(&self) -> String {
        format!("/etc/crontabs/{}", self.user)
    }

    fn wrong<T>(message: String) -> Result<T, ActionError> {
        Err(ActionError::arguments(Self::NAME, message))
    }

    fn times(&self) -> [(&'static str, &str, u32, u32, &'static [&'static str]); 5] {
        [
            ("minute", &self.minute, 0, 59, &[]),
            ("hour", &self.hour, 0, 23, &[]),
            ("day", &self.day, 1, 31, &[]),
            ("month", &self.month, 1, 12, &MONTHS),
            ("weekday", &self.weekday, 0, 7, &WEEKDAYS),
        ]
    }

    fn schedule(&self) -> String {
        let fields = || self.times().map(|(_, text, ..)| text).join(" ");
        self.special.clone().unwrap_or_else(fields)
    }

    /// The content of the file for this job.
    pub(super) fn content(&self, family: OsFamily) -> String {
        let quoted = |value: &str| {
            if value.contains('"') { format!("'{value}'") } else { format!("\"{value}\"") }
        };
        let environment: String = self
            .environment
            .iter()
            .map(|(name, value)| format!("{name}={}\n", quoted(value)))
            .collect();
        format!(
            "{environment}{} {} {}\n",
            self.schedule(),
            self.user,
            escaped(&self.command, family)
        )
    }

    /// The line in the user's crontab, with the job's name in a shell comment at its end.
    fn line(&self) -> Result<String, ActionError> {
        let schedule = self.schedule();
        let schedule = match SPECIAL.iter().find(|(word, _)| *word == schedule) {
            Some((word, "")) => {
                return Err(ActionError::node(format!(
                    "this system's cron knows no {word}; use service, or a script in /etc/local.d"
                )));
            }
            Some((_, fields)) => (*fields).to_owned(),
            None => schedule,
        };
        let environment: String = self
            .environment
            .iter()
            .map(|(name, value)| format!("export {name}={}; ", quote(value)))
            .collect();
        Ok(format!("{schedule} {environment}{} # pallet: {}", self.command, self.name))
    }

    /// Matches a crontab line that was written for this job.
    fn own_line(&self) -> Result<Ere, ActionError> {
        Ere::new(Self::NAME, "name", &format!(" # pallet: {}$", self.name))
    }

    /// Refuses a user that does not exist; if that is unknown, returns the check for the node.
    fn plan_user(&self, node: &NodeState) -> Result<Option<Script>, ActionError> {
        if self.user == "root" || self.action == Existence::Delete {
            return Ok(None);
        }
        match node.user(&self.user) {
            Known::Known(Some(_)) => Ok(None),
            Known::Known(None) => Err(Account::User(self.user.clone()).missing()),
            Known::Unknown => Ok(Some(Script::new().call(["require_user", &self.user]))),
        }
    }

    fn with_user(&self, change: Option<Change>, user: Option<Script>) -> Option<Change> {
        let Some(user) = user else { return change };
        change.map(|change| Change { script: user.raw(change.script.as_str()), ..change })
    }

    fn plan_table(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let table = self.table();
        let missing =
            if self.action == Existence::Create { Missing::Create } else { Missing::Leave };
        let edit = Edit::of(
            &table,
            missing,
            Attributes { owner: Some(root()), group: Some(root()), mode: Some(0o600) },
        );
        let change = match self.action {
            Existence::Create => Line {
                line: &self.line()?,
                replaces: Some(self.own_line()?),
                enough: None,
                place: None,
            }
            .plan(&edit, node)?,
            Existence::Delete => plan_no_line(&edit, node, &UnwantedLine::Match(self.own_line()?))?,
        };
        Ok(change.map(|change| {
            // Alpine's cron reads this file to learn which crontabs have changed
            let tell = format!(
                "if [ -n \"$change\" ]; then printf '%s\\n' {} >>/etc/crontabs/cron.update; fi",
                quote(&self.user)
            );
            Change { script: change.script.clone().raw(&tell), ..change }
        }))
    }
}

impl Action for Cron {
    const NAME: &'static str = "cron";

    fn subject(&self) -> String {
        self.name.clone()
    }

    fn prepare(&mut self, _workspace: &dyn Workspace) -> Result<(), ActionError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if self.name.is_empty() || !self.name.bytes().all(plain) {
            return Self::wrong(format!(
                "the name {:?} is not of letters, digits, - and _; cron reads no other files",
                self.name
            ));
        }
        require_name(Self::NAME, "user", &self.user)?;
        if self.action == Existence::Delete {
            return Ok(());
        }
        require_line(Self::NAME, "the command", &self.command)?;
        if self.command.trim().is_empty() {
            return Self::wrong(format!("{} has no command; say what it runs", self.name));
        }
        if escaped(&self.command, OsFamily::Debian).len() > MAX_COMMAND {
            let message = format!(
                "the command of {} has more than the {MAX_COMMAND} bytes that \
                cron reads; put it into a script",
                self.name
            );
            return Self::wrong(message);
        }
        for (name, value) in &self.environment {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            if name.is_empty()
                || !name.bytes().all(plain)
                || name.starts_with(|first: char| first.is_ascii_digit())
            {
                return Self::wrong(format!("{name:?} is not a name of an environment variable"));
            }
            require_line(Self::NAME, name, value)?;
            if value.contains('"') && value.contains('\'') {
                return Self::wrong(format!(
                    "{name} holds both kinds of quotes, which cron cannot; \
                    set it in a script that the command runs"
                ));
            }
        }
        for (field, text, least, most, names) in self.times() {
            if let Err(why) = check_times(text, least, most, names) {
                return Self::wrong(format!("{field} {text:?}: {why}"));
            }
            if self.special.is_some() && text != "*" {
                return Self::wrong(format!("give either special or {field}, not both"));
            }
        }
        match &self.special {
            Some(word) if !SPECIAL.iter().any(|(known, _)| known == word) => {
                let known: Vec<&str> = SPECIAL.iter().map(|(known, _)| *known).collect();
                Self::wrong(format!("special {word:?} is none of {}", known.join(" ")))
            }
            _ => Ok(()),
        }
    }

    fn claims(&self, claims: &mut Claims) {
        let job = format!("the job {}", self.name);
        match self.action {
            Existence::Delete => claims.value(job, "", "none"),
            Existence::Create => {
                let content = self.content(OsFamily::Debian);
                claims.value(job, "", &content);
                claims.user(&self.user);
                claims.part(&self.file(), move |text| text == content);
            }
        }
    }

    fn needs(&self, needed: &mut Capabilities) {
        needed.path(&self.file());
        if self.action != Existence::Delete {
            needed.command(&self.command);
        }
    }

    fn observe(&self, wanted: &mut Observation) {
        if self.user != "root" && self.action != Existence::Delete {
            wanted.user(&self.user);
        }
        // which of the files it will be depends on the system
        wanted.content(&self.file(), &digest(self.content(OsFamily::Debian).as_bytes()));
        wanted.text(&self.table());
        wanted.file(DIRECTORY);
        wanted.file("/etc/crontabs");
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let user = self.plan_user(node)?;
        if node.os.family == OsFamily::Alpine {
            return self.plan_table(node).map(|change| self.with_user(change, user));
        }
        if self.action == Existence::Delete {
            return Ok(plan_delete(node, &self.file()));
        }
        if node.file(DIRECTORY) == Known::Known(&FileState::Absent) {
            return Err(ActionError::node(format!(
                "there is no {DIRECTORY}; install cron before, \
                with package(\"cron\") or package(\"cronie\")"
            )));
        }
        let file = self.file();
        let attributes = Attributes { owner: Some(root()), group: Some(root()), mode: Some(0o644) };
        let content = self.content(node.os.family);
        Ok(self.with_user(
            Edit::of(&file, Missing::Create, attributes).plan_whole(node, &content)?,
            user,
        ))
    }
}

#[cfg(test)]
mod tests;
