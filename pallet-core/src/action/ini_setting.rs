//! Ensures a setting in a section of an INI file, or that it is not there. No-op: the section sets
//! the key to the value.

mod found;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::found::{Found, depth};
use super::builders::attribute_builders;
use super::edit::{Edit, Missing, require_line};
use super::file_support::{attributes, require_absolute};
use super::line_in_file::LineAction;
use super::text::{Text, trim};
use super::{Action, ActionError, Change, Claims, Workspace};
use crate::model::Capabilities;
use crate::observe::{NodeState, Observation};
use crate::script::Script;
use crate::script::services::unit_kind;

/// Ensures that a section of an INI file sets a key to a value, or that it does not set the key.
/// Does nothing if it already does, however the line is spaced. The rest of the file is kept:
/// comments, order, owner and mode.
///
/// If a section sets a key more than once, the last line counts. Lines that start with `#` or `;`
/// are comments. Lines that are indented further than their key continue its value and are replaced
/// with it; in systemd files, lines after a backslash do. New keys are added to the end of their
/// section.
///
/// Example: `ini_setting(request, "/etc/php/8.2/cli/php.ini", "PHP", "memory_limit", value = "256M")`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IniSetting {
    /// Absolute path of the file.
    pub path: String,
    /// Section name, without brackets. `""` is the part before the first section.
    pub section: String,
    /// Key.
    pub key: String,
    /// Value. Without it, the line is the key alone.
    #[serde(default)]
    pub value: Option<String>,
    /// `present` or `absent`.
    #[serde(default)]
    pub action: LineAction,
    /// Separator between key and value in a new line. Default: an equals sign surrounded by spaces.
    #[serde(default = "equals")]
    pub separator: String,
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

fn equals() -> String {
    " = ".to_owned()
}

impl IniSetting {
    /// Sets a key to a value.
    pub fn new(
        path: impl Into<String>,
        section: impl Into<String>,
        key: impl Into<String>,
        value: impl Into<String>,
    ) -> Self {
        IniSetting {
            path: path.into(),
            section: section.into(),
            key: key.into(),
            value: Some(value.into()),
            action: LineAction::Present,
            separator: equals(),
            create: false,
            owner: None,
            group: None,
            mode: None,
        }
    }

    /// With this separator between key and value.
    pub fn separator(mut self, separator: impl Into<String>) -> Self {
        self.separator = separator.into();
        self
    }

    /// Create the file if it is missing.
    pub fn create(mut self) -> Self {
        self.create = true;
        self
    }

    /// The key must not be set, whatever its value.
    pub fn absent(mut self) -> Self {
        self.action = LineAction::Absent;
        self.value = None;
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

    fn line(&self) -> String {
        self.value.as_ref().map_or_else(
            || self.key.clone(),
            |value| format!("{}{}{value}", self.key, self.separator),
        )
    }

    /// Whether a value continues after a backslash, as in systemd's files; in other files it
    /// continues on lines that are indented further than their key.
    fn joined(&self) -> bool {
        self.path.contains("/systemd/") || unit_kind(&self.path).is_some()
    }

    /// The edited text. The library's `ensure_setting` does the same.
    fn edited(&self, text: &str) -> String {
        let mut file = Text::of(text);
        let found = Found::read(&file.lines, &self.section, &self.key, self.joined());
        let line = self.line();
        if self.action == LineAction::Absent {
            found
                .own
                .iter()
                .chain(
                    found.parts.iter().filter(|(_, of)| found.own.contains(of)).map(|(at, _)| at),
                )
                .for_each(|at| file.drop(*at));
        } else if let Some(last) = found.own.last() {
            let parts: Vec<usize> =
                found.parts.iter().filter(|(_, of)| of == last).map(|(at, _)| *at).collect();
            if found.setting != self.value.as_deref().unwrap_or_default() || !parts.is_empty() {
                let old = file.lines[*last];
                let indent = &old[..depth(old)];
                file.set(*last, format!("{indent}{line}"));
                parts.into_iter().for_each(|at| file.drop(at));
            }
        } else if found.seen {
            file.add(found.place, line);
        } else {
            if file.lines.last().is_some_and(|last| !last.is_empty()) {
                file.push("");
            }
            file.push(format!("[{}]", self.section));
            file.push(line);
        }
        file.edited()
    }
}

impl IniSetting {
    fn script(&self, edit: &Edit<'_>) -> Script {
        let absent = if self.action == LineAction::Absent { "absent" } else { "" };
        let value = self.value.as_deref().unwrap_or_default();
        let (line, joined) = (self.line(), if self.joined() { "joined" } else { "" });
        edit.call("ensure_setting", &[absent, &self.section, &self.key, value, &line, joined])
    }
}

impl Action for IniSetting {
    const NAME: &'static str = "ini_setting";

    fn subject(&self) -> String {
        format!("{}: [{}] {}", self.path, self.section, self.key)
    }

    fn prepare(&mut self, _workspace: &dyn Workspace) -> Result<(), ActionError> {
        let wrong = |message: String| Err(ActionError::arguments(Self::NAME, message));
        require_absolute(Self::NAME, &self.path)?;
        self.edit()?;
        require_line(Self::NAME, "the section", &self.section)?;
        require_line(Self::NAME, "the key", &self.key)?;
        require_line(Self::NAME, "the value", self.value.as_deref().unwrap_or_default())?;
        if self.section.starts_with('[') || self.section != trim(&self.section) {
            return wrong(format!(
                "the section {:?} has brackets or blanks around it; write its name alone",
                self.section
            ));
        }
        if self.key.is_empty()
            || self.key != trim(&self.key)
            || self.key.contains('=')
            || self.key.starts_with(['#', ';', '['])
        {
            return wrong(format!(
                "{:?} cannot be a key: it is empty, holds =, begins as a comment \
                or a section does, or has spaces around it",
                self.key
            ));
        }
        if self.value.as_ref().is_some_and(|value| value != trim(value)) {
            return wrong(format!(
                "the value {:?} has spaces around it, which no program would \
                read; write it without",
                self.value.as_deref().unwrap_or_default()
            ));
        }
        if self.joined() && self.line().ends_with('\\') {
            return wrong(format!(
                "the value of {} ends with a backslash, so that the next line \
                would belong to it; write it as one line",
                self.key
            ));
        }
        if trim(&self.separator) != "=" {
            return wrong(format!(
                "the separator {:?} is not an equals sign, with or without spaces",
                self.separator
            ));
        }
        Ok(())
    }

    fn claims(&self, claims: &mut Claims) {
        let this = self.clone();
        claims.part(&self.path, move |text| this.edited(text) == text);
        let what = format!("{} in [{}] of {}", self.key, self.section, self.path);
        match self.action {
            LineAction::Absent => claims.value(what, "", "\n"),
            LineAction::Present => {
                claims.path(&self.path, "a file");
                claims.value(what, "", self.value.as_deref().unwrap_or_default());
            }
        }
    }

    fn needs(&self, needed: &mut Capabilities) {
        needed.path(&self.path);
    }

    fn observe(&self, wanted: &mut Observation) {
        if let Ok(edit) = self.edit() {
            edit.observe(wanted);
            edit.observe_edit(wanted, &self.script(&edit));
        }
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let edit = self.edit()?;
        edit.plan(node, self.script(&edit), |text| self.edited(text))
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{check, node};
    use super::*;
    use expect_test::expect;

    const PATH: &str = "/etc/app.ini";

    #[test]
    fn sets_what_is_missing_or_other() {
        check(
            IniSetting::new(PATH, "b", "k", "2"),
            node().file(PATH, "[a]\nk=1\n[b]\n  k=1\n", 0o600),
            expect![[r#"
            will change content
            @@ -1,4 +1,4 @@
             [a]
             k=1
             [b]
            -  k=1
            +  k = 2
            ---
            ensure_setting /etc/app.ini '' '' '' '' '' b k 2 'k = 2' ''
        "#]],
        );
        check(
            IniSetting::new(PATH, "a", "new", "2").separator("="),
            node().file(
                PATH,
                "[a]\nk=1\n\
            [b]\n",
                0o600,
            ),
            expect![[r#"
            will change content
            @@ -1,3 +1,4 @@
             [a]
             k=1
            +new=2
             [b]
            ---
            ensure_setting /etc/app.ini '' '' '' '' '' a new 2 new=2 ''
        "#]],
        );
        check(
            IniSetting::new(PATH, "c", "k", "2"),
            node().file(PATH, "[a]\nk=1", 0o600),
            expect![[r#"
            will change content
            @@ -1,2 +1,5 @@
             [a]
            -k=1
            \ No newline at end of file
            +k=1
            +
            +[c]
            +k = 2
            ---
            ensure_setting /etc/app.ini '' '' '' '' '' c k 2 'k = 2' ''
        "#]],
        );
        check(
            IniSetting::new(PATH, "", "k", "2").create(),
            node().without_file(PATH),
            expect![[r#"
            will create file
            + file root:root 0644
            @@ -0,0 +1 @@
            +k = 2
            ---
            ensure_setting /etc/app.ini create '' '' '' '' '' k 2 'k = 2' ''
        "#]],
        );
    }

    #[test]
    fn leaves_what_is_right() {
        check(
            IniSetting::new(PATH, "a", "k", "1"),
            node().file(PATH, "[a]\n;k=2\nk =1", 0o600),
            expect!["nothing to do"],
        );
        check(
            IniSetting::new(PATH, "a", "k", "1").absent(),
            node().file(PATH, "k=1\n[b]\nk=1", 0o600),
            expect!["nothing to do"],
        );
        check(
            IniSetting::new(PATH, "a", "k", "1").absent(),
            node().without_file(PATH),
            expect!["nothing to do"],
        );
    }

    #[test]
    fn takes_settings_away() {
        check(
            IniSetting::new(PATH, "a", "k", "").absent(),
            node().file(
                PATH,
                "[a]\nk=1\nk = 2\n\
            j=3\n",
                0o600,
            ),
            expect![[r#"
            will change content
            @@ -1,4 +1,2 @@
             [a]
            -k=1
            -k = 2
             j=3
            ---
            ensure_setting /etc/app.ini leave '' '' '' absent a k '' k ''
        "#]],
        );
    }

    #[test]
    fn decides_on_the_node_what_is_not_known() {
        check(
            IniSetting::new(PATH, "a b", "k", "it's"),
            node(),
            expect![[r#"
            may edit file
            +[a b]
            +k = it's
            ---
            ensure_setting /etc/app.ini '' '' '' '' '' 'a b' k 'it'\''s' 'k = it'\''s' ''
        "#]],
        );
    }

    #[test]
    fn refuses_what_cannot_be() {
        check(
            IniSetting::new(PATH, "[a]", "k", "1"),
            node(),
            expect![[
                r#"error: ini_setting: the section "[a]" has brackets or blanks around it; write its name alone"#
            ]],
        );
        check(
            IniSetting::new(PATH, "a", "k=", "1"),
            node(),
            expect![[
                r#"error: ini_setting: "k=" cannot be a key: it is empty, holds =, begins as a comment or a section does, or has spaces around it"#
            ]],
        );
        check(
            IniSetting::new(PATH, "a", "k", " 1"),
            node(),
            expect![[
                r#"error: ini_setting: the value " 1" has spaces around it, which no program would read; write it without"#
            ]],
        );
        check(
            IniSetting::new(PATH, "a", "k", "1").separator(":"),
            node(),
            expect![[
                r#"error: ini_setting: the separator ":" is not an equals sign, with or without spaces"#
            ]],
        );
        check(
            IniSetting::new(PATH, "a", "k", "1"),
            node().without_file(PATH),
            expect!["error: there is no file /etc/app.ini; create = True makes one"],
        );
    }

    #[test]
    fn fault_22_the_grammar_of_the_file_is_kept() {
        let made = |section: &str, key: &str, value: &str, text: &str| {
            IniSetting::new("/srv/x.ini", section, key, value).edited(text)
        };
        assert_eq!(made("s", "k", "2", "[ s ]\nk=1\n"), "[ s ]\nk = 2\n");
        assert_eq!(
            made("s", "k", "2", "\u{feff}[s] ; why\r\nk=1\r\n"),
            "\u{feff}[s] ; why\r\n\
            k = 2\r\n"
        );
        assert_eq!(
            made("s", "key", "n", "[s]\nkey = a\n    b\n\n    c=d\n    # e\nj=1\n"),
            "[s]\n\
            key = n\n\n    # e\nj=1\n"
        );
        assert_eq!(made("s", "k", "2", "[s]\n\tj = 1\n\tk = 1\n"), "[s]\n\tj = 1\n\tk = 2\n");
        assert_eq!(made("s", "k", "2", "[s]\nk : 1\nkk: 3\n"), "[s]\nk = 2\nkk: 3\n");
        assert_eq!(
            made("remote \"a]b\"", "k", "2", "[remote \"a]b\"] # x\nk=1\n"),
            "[remote \"a]b\"] # x\nk = 2\n"
        );
        assert_eq!(
            IniSetting::new("/x", "s", "key", "").absent().edited(
                "[s]\nkey = a\n    b\n\
            j=1\n"
            ),
            "[s]\nj=1\n"
        );
        let unit =
            IniSetting::new("/etc/systemd/system/a.service", "Service", "ExecStart", "/bin/c");
        assert_eq!(
            unit.edited("[Service]\nExecStart=/bin/a \\\n# x\n  -b \\\nType=x\nUser=y\n"),
            "[Service]\nExecStart = /bin/c\n# x\nUser=y\n"
        );
        // elsewhere a backslash is literal
        assert_eq!(made("s", "path", "C:\\", "[s]\npath=D:\\\nk=1\n"), "[s]\npath = C:\\\nk=1\n");
    }
}
