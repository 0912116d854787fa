//! A file in a user's `.ssh`, or another file of theirs. Planned if the user is known; otherwise
//! the node finds out where the file is.

use super::change::joined;
use super::claims::Account;
use super::edit::{Edit, Missing};
use super::file_support::{kind, parent, plan_file};
use super::{ActionError, Change};
use crate::model::Known;
use crate::observe::{Attributes, FileState, NodeState, Observation, UserState};
use crate::script::{Script, quote};

/// A file that ssh or sshd reads for a user.
#[derive(Debug)]
pub(super) struct SshFile<'a> {
    pub(super) user: &'a str,
    /// Its name in `.ssh`.
    pub(super) name: &'static str,
    /// The path of another file, whose directory is left unchanged.
    pub(super) path: Option<&'a str>,
    pub(super) missing: Missing,
    /// The mode that it must have, if any.
    pub(super) mode: Option<u32>,
}

impl SshFile<'_> {
    /// Its usual path, which is observed before the user's home directory is known.
    fn usual(&self) -> String {
        let home =
            if self.user == "root" { "/root".to_owned() } else { format!("/home/{}", self.user) };
        format!("{home}/.ssh/{}", self.name)
    }

    fn expected(&self) -> String {
        self.path.map_or_else(|| self.usual(), str::to_owned)
    }

    fn attributes(&self, group: Option<String>) -> Attributes {
        Attributes { owner: Some(self.user.to_owned()), group, mode: self.mode }
    }

    pub(super) fn observe(&self, wanted: &mut Observation) {
        wanted.user(self.user);
        let path = self.expected();
        Edit::of(&path, self.missing, Attributes::default()).observe(wanted);
        if let Some(directory) = parent(&path).filter(|_| self.path.is_none()) {
            wanted.file(directory);
        }
    }

    /// Plans the edit of the file by `lines`, and its directory. `summary` is shown if the file is
    /// not known.
    pub(super) fn plan(
        &self,
        node: &mut NodeState,
        summary: &str,
        lines: impl Fn(&Edit<'_>, &mut NodeState) -> Result<Option<Change>, ActionError>,
    ) -> Result<Option<Change>, ActionError> {
        let (home, group) = match node.user(self.user) {
            Known::Known(None) if self.missing == Missing::Leave && self.path.is_none() => {
                return Ok(None);
            }
            Known::Known(None) => return Err(Account::User(self.user.to_owned()).missing()),
            Known::Known(Some(UserState { home: Some(home), group: Some(group), .. })) => {
                (home.clone(), group.clone())
            }
            _ => return self.plan_unknown(node, summary, lines),
        };
        let path = self.path.map_or_else(|| format!("{home}/.ssh/{}", self.name), str::to_owned);
        if node.file(&path) == Known::Unknown {
            return self.plan_unknown(node, summary, lines);
        }
        let place = format!("{home}/.ssh");
        let creates = self.missing != Missing::Leave;
        let other = match node.file(&place) {
            // the link belongs to the user, and root would follow it to any file
            Known::Known(FileState::Link { target }) => Some(format!("link to {target}")),
            Known::Known(
                other @ (FileState::File { .. } | FileState::Fifo(_) | FileState::Other),
            ) if creates => Some(kind(other).to_owned()),
            _ => None,
        };
        if let Some(other) = other.filter(|_| self.path.is_none()) {
            return Err(ActionError::node(format!(
                "{place} is a {other}, not a directory; put a directory in its place"
            )));
        }
        let mut directory = None;
        if self.path.is_none() && creates {
            let attributes =
                Attributes { mode: Some(0o700), ..self.attributes(Some(group.clone())) };
            let script =
                Script::new().call(["ensure_directory", &place, self.user, &group, "0700"]);
            directory = plan_file(node, &place, FileState::Directory(attributes), script)?;
        }
        let edit = Edit::of(&path, self.missing, self.attributes(Some(group)));
        let lines = lines(&edit, node)?.map(|change| match self.path {
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

    /// The change of a file whose path only the node knows.
    fn plan_unknown(
        &self,
        node: &mut NodeState,
        summary: &str,
        lines: impl Fn(&Edit<'_>, &mut NodeState) -> Result<Option<Change>, ActionError>,
    ) -> Result<Option<Change>, ActionError> {
        let edit = Edit::of("$file", self.missing, self.attributes(Some("$primary".to_owned())));
        let Some(change) = lines(&edit, &mut NodeState::new(node.os.clone()))? else {
            return Ok(None);
        };
        let (user, name) = (quote(self.user), self.name);
        let file = match self.path {
            Some(path) => format!("file={}\n", quote(path)),
            None if self.missing == Missing::Leave => {
                format!("file=$home/.ssh/{name}\nrequire_directory \"$home/.ssh\"\n")
            }
            None => format!(
                "file=$home/.ssh/{name}\n\
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
        let path = self.expected();
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        node.forget_files_below(if self.path.is_some() { &path } else { directory });
        Ok(Some(Change::may(summary, script).with_diff(change.diff.replace("$primary", "?"))))
    }
}
