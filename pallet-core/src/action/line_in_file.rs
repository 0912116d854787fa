//! Ensures a line of a file, or that it is not there. No-op: the line is where it should be.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::builders::attribute_builders;
use super::edit::{Edit, Line, LinePosition, Missing, UnwantedLine, plan_no_line, require_line};
use super::ere::{Ere, literal};
use super::file_support::{attributes, require_absolute};
use super::{Action, ActionError, Change, Claims, Workspace};
use crate::model::Capabilities;
use crate::observe::{NodeState, Observation};

/// Ensures that a file contains a line, or that it does not contain it.
///
/// The line can replace another one. Does nothing if the file is already as declared. The rest of
/// the file, its owner and its mode are kept.
///
/// Expressions are POSIX extended regular expressions (as in `grep -E`). They match anywhere in a
/// line unless anchored with `^` and `$`.
///
/// Example: `line_in_file(request, "/etc/ssh/sshd_config", line = "PermitRootLogin no", match = "^#?PermitRootLogin")`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LineInFile {
    /// Absolute path of the file.
    pub path: String,
    /// Line. With `action = "absent"`, every equal line is removed.
    #[serde(default)]
    pub line: Option<String>,
    /// Regular expression: the last matching line is replaced. With `action = "absent"`, use it
    /// instead of `line` to remove every matching line.
    #[serde(default, rename = "match")]
    pub matching: Option<String>,
    /// `present` or `absent`.
    #[serde(default)]
    pub action: LineAction,
    /// Regular expression: a new line is inserted after the last matching line, or at the end of
    /// the file if none matches.
    #[serde(default)]
    pub after: Option<String>,
    /// Regular expression: a new line is inserted before the last matching line, or at the end of
    /// the file if none matches.
    #[serde(default)]
    pub before: Option<String>,
    /// Create the file if it is missing. Otherwise a missing file is an error.
    #[serde(default)]
    pub create: bool,
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

/// Whether something should stand in a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineAction {
    /// It should.
    #[default]
    Present,
    /// It should not.
    Absent,
}

impl LineInFile {
    /// The line `line` in the file at `path`.
    pub fn new(path: impl Into<String>, line: impl Into<String>) -> Self {
        LineInFile {
            path: path.into(),
            line: Some(line.into()),
            matching: None,
            action: LineAction::Present,
            after: None,
            before: None,
            create: false,
            owner: None,
            group: None,
            mode: None,
        }
    }

    /// Replaces the last line that matches.
    pub fn matching(mut self, expression: impl Into<String>) -> Self {
        self.matching = Some(expression.into());
        self
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

    /// Create the file if it is missing.
    pub fn create(mut self) -> Self {
        self.create = true;
        self
    }

    /// The line must not exist.
    pub fn absent(mut self) -> Self {
        self.action = LineAction::Absent;
        self
    }

    /// No line may match.
    pub fn none_matching(path: impl Into<String>, expression: impl Into<String>) -> Self {
        LineInFile { line: None, ..LineInFile::new(path, "").matching(expression).absent() }
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

    fn matching_ere(&self) -> Result<Option<Ere>, ActionError> {
        self.matching.as_ref().map(|text| Ere::new(Self::NAME, "match", text)).transpose()
    }

    fn line(&self) -> Result<Line<'_>, ActionError> {
        let Some(line) = self.line.as_deref() else {
            return Err(ActionError::arguments(
                Self::NAME,
                "there is no line; say which one should be there",
            ));
        };
        require_line(Self::NAME, "the line", line)?;
        let place = match (&self.after, &self.before) {
            (Some(_), Some(_)) => {
                return Err(ActionError::arguments(
                    Self::NAME,
                    "a line cannot have both after and before; say one of them",
                ));
            }
            (Some(after), None) => {
                Some((LinePosition::After, Ere::new(Self::NAME, "after", after)?))
            }
            (None, Some(before)) => {
                Some((LinePosition::Before, Ere::new(Self::NAME, "before", before)?))
            }
            (None, None) => None,
        };
        Ok(Line { line, replaces: self.matching_ere()?, enough: None, place })
    }

    /// The edited text.
    fn edited(&self, text: &str) -> Result<String, ActionError> {
        match self.action {
            LineAction::Present => Ok(self.line()?.edited(text)),
            LineAction::Absent => Ok(self.wrong()?.edited(text)),
        }
    }

    fn wrong(&self) -> Result<UnwantedLine<'_>, ActionError> {
        match (self.matching_ere()?, &self.line) {
            (Some(ere), None) => Ok(UnwantedLine::Match(ere)),
            (None, Some(line)) => {
                require_line(Self::NAME, "the line", line).map(|()| UnwantedLine::Line(line))
            }
            _ => Err(ActionError::arguments(
                Self::NAME,
                "action = \"absent\" needs either a line or match, not both",
            )),
        }
    }
}

impl Action for LineInFile {
    const NAME: &'static str = "line_in_file";

    fn subject(&self) -> String {
        let what = self.line.as_ref().or(self.matching.as_ref());
        format!("{}: {}", self.path, what.map(String::as_str).unwrap_or_default())
    }

    fn prepare(&mut self, _workspace: &dyn Workspace) -> Result<(), ActionError> {
        require_absolute(Self::NAME, &self.path)?;
        self.edit()?;
        match self.action {
            LineAction::Present => self.line().map(drop),
            LineAction::Absent => self.wrong().map(drop),
        }
    }

    fn claims(&self, claims: &mut Claims) {
        let Ok(takes) = self.matching_ere() else { return };
        let this = self.clone();
        claims.part(&self.path, move |text| this.edited(text).is_ok_and(|edited| edited == text));
        match (&self.line, self.action) {
            (Some(line), LineAction::Present) => {
                claims.path(&self.path, "a file");
                claims.line(&self.path, line, takes, self.after.is_some() || self.before.is_some());
            }
            (Some(line), LineAction::Absent) => {
                let this = Ere::new(Self::NAME, "line", &format!("^{}$", literal(line)));
                this.into_iter().for_each(|this| claims.no_line(&self.path, this));
            }
            (None, _) => takes.into_iter().for_each(|takes| claims.no_line(&self.path, takes)),
        }
    }

    fn needs(&self, needed: &mut Capabilities) {
        needed.path(&self.path);
    }

    fn observe(&self, wanted: &mut Observation) {
        if let Ok(edit) = self.edit() {
            edit.observe(wanted);
            let script = match self.action {
                LineAction::Present => self.line().map(|line| line.script(&edit)),
                LineAction::Absent => self.wrong().map(|wrong| wrong.script(&edit)),
            };
            if let Ok(script) = script {
                edit.observe_edit(wanted, &script);
            }
        }
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        match self.action {
            LineAction::Present => self.line()?.plan(&self.edit()?, node),
            LineAction::Absent => plan_no_line(&self.edit()?, node, &self.wrong()?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{check, node};
    use super::*;
    use expect_test::expect;

    const PATH: &str = "/etc/app.conf";

    #[test]
    fn puts_a_line_where_it_belongs() {
        check(
            LineInFile::new(PATH, "port=2").matching("^#?port="),
            node().file(PATH, "a\n#port=1\nb\n", 0o600),
            expect![[r#"
                will change content
                @@ -1,3 +1,3 @@
                 a
                -#port=1
                +port=2
                 b
                ---
                ensure_line /etc/app.conf '' '' '' '' port=2 '^#?port=' itself '' '' ''
            "#]],
        );
        check(
            LineInFile::new(PATH, "x").after("^a"),
            node().file(PATH, "a\nb", 0o644),
            expect![[r#"
            will change content
            @@ -1,2 +1,3 @@
             a
            +x
             b
            \ No newline at end of file
            ---
            ensure_line /etc/app.conf '' '' '' '' x '' '' after '^a' ''
        "#]],
        );
        check(
            LineInFile::new(PATH, "x").before("^b"),
            node().file(PATH, "a\nb", 0o644),
            expect![[r#"
            will change content
            @@ -1,2 +1,3 @@
             a
            +x
             b
            \ No newline at end of file
            ---
            ensure_line /etc/app.conf '' '' '' '' x '' '' before '^b' ''
        "#]],
        );
        check(
            LineInFile::new(PATH, "x").create().mode(0o600),
            node().without_file(PATH),
            expect![[r#"
            will create file
            + file root:root 0600
            @@ -0,0 +1 @@
            +x
            ---
            ensure_line /etc/app.conf create '' '' 0600 x '' '' '' '' ''
        "#]],
        );
    }

    #[test]
    fn leaves_what_is_right() {
        check(LineInFile::new(PATH, "x"), node().file(PATH, "x", 0o644), expect!["nothing to do"]);
        check(
            LineInFile::new(PATH, "x=1").matching("^x="),
            node().file(PATH, "x=2\nx=1\n", 0o644),
            expect!["nothing to do"],
        );
        check(
            LineInFile::new(PATH, "x").matching("^#x"),
            node().file(PATH, "#x\nx\n", 0o644),
            expect!["nothing to do"],
        );
        check(
            LineInFile::new(PATH, "x").absent(),
            node().file(PATH, "xx\n", 0o644),
            expect!["nothing to do"],
        );
        check(
            LineInFile::new(PATH, "x").absent(),
            node().without_file(PATH),
            expect!["nothing to do"],
        );
    }

    #[test]
    fn takes_lines_away() {
        check(
            LineInFile::new(PATH, "x").absent(),
            node().file(PATH, "x\na\nx\nb", 0o644),
            expect![[r#"
            will change content
            @@ -1,4 +1,2 @@
            -x
             a
            -x
            -b
            \ No newline at end of file
            +b
            ---
            ensure_no_line /etc/app.conf leave '' '' '' -xF x
        "#]],
        );
        check(
            LineInFile::none_matching(PATH, "^x"),
            node().file(PATH, "x\nxx\n", 0o644),
            expect![[r#"
            will change content
            @@ -1,2 +0,0 @@
            -x
            -xx
            ---
            ensure_no_line /etc/app.conf leave '' '' '' -E '^x'
        "#]],
        );
    }

    #[test]
    fn edits_one_after_the_other_are_exact() {
        let mut state = node().file(PATH, "a\n", 0o644).0;
        for line in ["b", "c"] {
            let change = LineInFile::new(PATH, line)
                .plan(&mut state)
                .expect("it can be planned")
                .expect("there is something to do");
            assert_eq!(change.certainty, super::super::Certainty::Will);
        }
        let found = state.file(PATH).known().cloned();
        assert!(matches!(
            found,
            Some(crate::observe::FileState::File { text: Some(text), .. }) if text == "a\nb\nc\n"
        ));
    }

    #[test]
    fn decides_on_the_node_what_is_not_known() {
        check(
            LineInFile::new(PATH, "x").after("^a"),
            node(),
            expect![[r#"
            may edit file
            +x
            ---
            ensure_line /etc/app.conf '' '' '' '' x '' '' after '^a' ''
        "#]],
        );
        check(
            LineInFile::none_matching(PATH, "^a"),
            node(),
            expect![[r#"
            may edit file
            ---
            ensure_no_line /etc/app.conf leave '' '' '' -E '^a'
        "#]],
        );
    }

    #[test]
    fn refuses_what_cannot_be() {
        check(
            LineInFile::new(PATH, "x"),
            node().without_file(PATH),
            expect!["error: there is no file /etc/app.conf; create = True makes one"],
        );
        check(
            LineInFile::new(PATH, "x"),
            node().link(PATH, "there"),
            expect![
                "error: \
            /etc/app.conf is a link to there, not a file; name the file that it points to"
            ],
        );
        check(
            LineInFile::new(PATH, "x\ny"),
            node(),
            expect![[
                r#"error: line_in_file: the line "x\ny" holds a newline or a NUL; give one line"#
            ]],
        );
        check(
            LineInFile::new(PATH, "x").matching(r"^\s"),
            node(),
            expect![[
                r#"error: line_in_file: match "^\\s" is not a POSIX extended regular expression: \s is not; write [[:space:]]"#
            ]],
        );
        check(
            LineInFile::new(PATH, "x").after("a").before("b"),
            node(),
            expect![
                "error: line_in_file: a line cannot have both after and before; say one of them"
            ],
        );
        check(
            LineInFile::new(PATH, "x").matching("x").absent(),
            node(),
            expect![[
                r#"error: line_in_file: action = "absent" needs either a line or match, not both"#
            ]],
        );
    }
}
