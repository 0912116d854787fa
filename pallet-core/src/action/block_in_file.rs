//! Ensures a marked block of lines in a file, or that it is not there. No-op: the lines stand
//! between its markers.

mod found;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::found::{Markers, Place, edited};
use super::builders::attribute_builders;
use super::edit::{Edit, Missing, require_line};
use super::ere::Ere;
use super::file_support::{attributes, require_absolute};
use super::line_in_file::LineAction;
use super::{Action, ActionError, Change, Claims, Workspace};
use crate::model::{Capabilities, Known};
use crate::observe::{FileState, NodeState, Observation};
use crate::script::Script;

/// Ensures that a file contains a block of lines, or that it does not contain it.
///
/// A line before the block and one behind it mark it by its name, so that a file can have several
/// blocks. Does nothing if the lines stand between these markers. What else stands between them is
/// replaced, and a second block of that name is removed. The rest of the file, its owner and its
/// mode are kept. A block that is there keeps its place; `after`, `before` and `at` are for a new
/// one, which otherwise goes to the end of the file.
///
/// Expressions are POSIX extended regular expressions (as in `grep -E`). They match anywhere in a
/// line unless anchored with `^` and `$`.
///
/// Example: `block_in_file(request, "/etc/ssh/sshd_config", "sftp", content = "Match Group sftp\n  ForceCommand internal-sftp\n", verify = "sshd -t -f")`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BlockInFile {
    /// Absolute path of the file.
    pub path: String,
    /// Name of the block, which stands in its markers.
    pub name: String,
    /// Lines of the block. Required unless `action = "absent"`.
    #[serde(default)]
    pub content: Option<String>,
    /// `present` or `absent`.
    #[serde(default)]
    pub action: LineAction,
    /// Regular expression: a new block is inserted after the last matching line, or at the end of
    /// the file if none matches.
    #[serde(default)]
    pub after: Option<String>,
    /// Regular expression: a new block is inserted before the last matching line, or at the end of
    /// the file if none matches.
    #[serde(default)]
    pub before: Option<String>,
    /// Where a new block is inserted: `end` or `begin` of the file. Default: `end`.
    #[serde(default)]
    pub at: BlockPlace,
    /// Markers, in which `{mark}` becomes `begin` and `end`, `{MARK}` becomes `BEGIN` and `END`,
    /// and `{name}` the name. Default: `"# {mark} {name}"`. Where `#` does not begin a comment,
    /// write another one, such as `"<!-- {mark} {name} -->"`.
    #[serde(default = "marker")]
    pub marker: String,
    /// Create the file if it is missing. Otherwise a missing file is an error.
    #[serde(default)]
    pub create: bool,
    /// Command that must accept the new file before it is put in place. The path of a file with the
    /// content is added as the last argument: `"visudo -cf"`.
    #[serde(default)]
    pub verify: Option<String>,
    /// Owner name. New files belong to root.
    #[serde(default)]
    pub owner: Option<String>,
    /// Group name. New files belong to the group root.
    #[serde(default)]
    pub group: Option<String>,
    /// Permissions in octal. New files get `"0644"`.
    #[serde(default)]
    pub mode: Option<String>,
}

/// Where a new block goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BlockPlace {
    /// To the end of the file.
    #[default]
    End,
    /// To the begin of the file.
    Begin,
}

fn marker() -> String {
    "# {mark} {name}".to_owned()
}

impl BlockInFile {
    /// The block `name` in the file at `path`, with these lines.
    pub fn new(
        path: impl Into<String>,
        name: impl Into<String>,
        content: impl Into<String>,
    ) -> Self {
        BlockInFile {
            path: path.into(),
            name: name.into(),
            content: Some(content.into()),
            action: LineAction::Present,
            after: None,
            before: None,
            at: BlockPlace::End,
            marker: marker(),
            create: false,
            verify: None,
            owner: None,
            group: None,
            mode: None,
        }
    }

    /// If it is new, it goes after the last line that matches.
    pub fn after(mut self, expression: impl Into<String>) -> Self {
        self.after = Some(expression.into());
        self
    }

    /// If it is new, it goes before the last line that matches.
    pub fn before(mut self, expression: impl Into<String>) -> Self {
        self.before = Some(expression.into());
        self
    }

    /// If it is new, it goes to this end of the file.
    pub fn at(mut self, place: BlockPlace) -> Self {
        self.at = place;
        self
    }

    /// Between markers such as these.
    pub fn marker(mut self, marker: impl Into<String>) -> Self {
        self.marker = marker.into();
        self
    }

    /// Create the file if it is missing.
    pub fn create(mut self) -> Self {
        self.create = true;
        self
    }

    /// This command must accept the new file before it is put in place.
    pub fn verify(mut self, command: impl Into<String>) -> Self {
        self.verify = Some(command.into());
        self
    }

    /// The block must not exist.
    pub fn absent(mut self) -> Self {
        self.action = LineAction::Absent;
        self.content = None;
        self
    }

    attribute_builders!();

    fn edit(&self) -> Result<Edit<'_>, ActionError> {
        let missing = match (self.action, self.create) {
            (LineAction::Absent, _) => Missing::Leave,
            (LineAction::Present, true) => Missing::Create,
            (LineAction::Present, false) => Missing::Refuse,
        };
        Ok(Edit::of(
            &self.path,
            missing,
            attributes(Self::NAME, &self.owner, &self.group, &self.mode)?,
        ))
    }

    fn markers(&self) -> Markers {
        let line = |mark: &str| {
            self.marker
                .replace("{mark}", mark)
                .replace("{MARK}", &mark.to_ascii_uppercase())
                .replace("{name}", &self.name)
        };
        Markers { begin: line("begin"), end: line("end") }
    }

    /// The lines of the block; `None` if it should not be there.
    fn lines(&self) -> Option<Vec<&str>> {
        let content = self.content.as_deref().filter(|_| self.action == LineAction::Present)?;
        Some(content.strip_suffix('\n').unwrap_or(content).split('\n').collect())
    }

    fn place(&self) -> Result<Place, ActionError> {
        match (&self.after, &self.before, self.at) {
            (None, None, BlockPlace::End) => Ok(Place::End),
            (None, None, BlockPlace::Begin) => Ok(Place::Begin),
            (Some(after), None, BlockPlace::End) => {
                Ok(Place::After(Ere::new(Self::NAME, "after", after)?))
            }
            (None, Some(before), BlockPlace::End) => {
                Ok(Place::Before(Ere::new(Self::NAME, "before", before)?))
            }
            _ => Err(ActionError::arguments(
                Self::NAME,
                "a block has one place; say one of after, before and at",
            )),
        }
    }

    fn edited(&self, text: &str) -> Result<String, ActionError> {
        edited(text, &self.markers(), self.lines().as_deref(), &self.place()?).ok_or_else(|| {
            let Markers { begin, end } = self.markers();
            ActionError::node(format!(
                "{} has no line {end:?} behind {begin:?}; add it, or delete that line",
                self.path
            ))
        })
    }

    fn script(&self, edit: &Edit<'_>) -> Result<Script, ActionError> {
        let (place, lines) = (self.place()?, self.lines());
        let (side, of) = match &place {
            Place::End => ("after", ""),
            Place::Begin => ("before", ""),
            Place::After(of) => ("after", of.text()),
            Place::Before(of) => ("before", of.text()),
        };
        let how = if lines.is_some() { "present" } else { "absent" };
        let (Markers { begin, end }, verify) =
            (self.markers(), self.verify.as_deref().unwrap_or_default());
        let words = [how, &begin, &end, side, of, verify];
        Ok(edit.call("ensure_lines", &[&words, lines.unwrap_or_default().as_slice()].concat()))
    }

    fn check_lines(&self) -> Result<(), ActionError> {
        let wrong = |message: String| Err(ActionError::arguments(Self::NAME, message));
        let Markers { begin, end } = self.markers();
        for marker in [&begin, &end] {
            require_line(Self::NAME, "the marker", marker)?;
        }
        if begin == end {
            return wrong(format!(
                "the marker {:?} holds neither {{mark}} nor {{MARK}}, which tell its begin from \
                 its end",
                self.marker
            ));
        }
        let Some(lines) = self.lines() else {
            return match self.action {
                LineAction::Absent if self.content.is_some() => {
                    wrong("a block that is absent has no content; omit it".to_owned())
                }
                LineAction::Absent => Ok(()),
                LineAction::Present => wrong(format!(
                    "there is no content for {}; action = \"absent\" removes a block",
                    self.name
                )),
            };
        };
        if self.content.as_deref() == Some("") {
            return wrong(format!(
                "the content of {} is empty; action = \"absent\" removes a block",
                self.name
            ));
        }
        for line in lines {
            require_line(Self::NAME, "the line", line)?;
            if line == begin || line == end {
                return wrong(format!("the line {line:?} of the content is a marker of the block"));
            }
        }
        Ok(())
    }
}

impl Action for BlockInFile {
    const NAME: &'static str = "block_in_file";

    fn subject(&self) -> String {
        format!("{}: {}", self.path, self.name)
    }

    fn prepare(&mut self, _workspace: &dyn Workspace) -> Result<(), ActionError> {
        require_absolute(Self::NAME, &self.path)?;
        require_line(Self::NAME, "the name", &self.name)?;
        if self.name.is_empty() {
            return Err(ActionError::arguments(Self::NAME, "a block needs a name"));
        }
        self.edit()?;
        self.place()?;
        self.check_lines()
    }

    fn claims(&self, claims: &mut Claims) {
        let this = self.clone();
        claims.part(&self.path, move |text| this.edited(text).is_ok_and(|edited| edited == text));
        let Markers { begin, end } = self.markers();
        let what = format!("the block {} of {}", self.name, self.path);
        let is = self.lines().map_or_else(|| "\0".to_owned(), |lines| lines.join("\n"));
        for marker in [begin, end] {
            let id = format!("the block {marker} of {}", self.path);
            claims.identified(&what, id, crate::model::digest(is.as_bytes()));
        }
        if self.action == LineAction::Present {
            claims.path(&self.path, "a file");
            if let Ok(edit) = self.edit() {
                claims.attributes(&self.path, &edit.attributes);
            }
        }
    }

    fn needs(&self, needed: &mut Capabilities) {
        needed.path(&self.path);
        self.verify.iter().for_each(|command| needed.command(command));
    }

    fn observe(&self, wanted: &mut Observation) {
        if let Ok(edit) = self.edit() {
            edit.observe(wanted);
            if let Ok(script) = self.script(&edit) {
                edit.observe_edit(wanted, &script);
            }
        }
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let edit = self.edit()?;
        let text = match node.file(&self.path) {
            Known::Known(FileState::File { text: Some(text), .. }) => Some(text.as_str()),
            _ => node.bytes(&self.path),
        };
        text.map_or(Ok(String::new()), |text| self.edited(text))?;
        edit.plan(node, self.script(&edit)?, |text| {
            self.edited(text).unwrap_or_else(|_| text.to_owned())
        })
    }
}

#[cfg(test)]
mod tests;
