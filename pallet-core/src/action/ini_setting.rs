//! Ensures a setting in a section of an ini file, or that it is not there. No-op: the section sets the key to the value.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::builders::attribute_builders;
use super::edit::{Edit, LinesKept, Missing, bare, require_line};
use super::file_support::{attributes, require_absolute};
use super::line_in_file::LineAction;
use super::{Action, ActionError, Change, Workspace};
use crate::model::{Capabilities, NodeState, Observation};

/// Ensures that a section of an ini file sets a key to a value, or that it does not set it. Nothing to do where it does so already, however the
/// line is spaced. All else in the file stays: comments, order, owner and mode.
///
/// Where a section sets a key more than once, the last one counts. Lines that begin with `#` or `;` are comments. What is new goes to the end of its section.
///
/// Example: `ini_setting(request, "/etc/php/8.2/cli/php.ini", "PHP", "memory_limit", value = "256M")`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IniSetting {
    /// The absolute path of the file.
    pub path: String,
    /// The name of the section, without brackets; `""` for what stands before the first one.
    pub section: String,
    /// The key.
    pub key: String,
    /// The value; without one, the line is just the key.
    #[serde(default)]
    pub value: Option<String>,
    /// `present` or `absent`.
    #[serde(default)]
    pub action: LineAction,
    /// What stands between key and value in a new line; an equals sign with a space on both sides if none is given.
    #[serde(default = "equals")]
    pub separator: String,
    /// Whether a file that is missing is made; else it is an error.
    #[serde(default)]
    pub create: bool,
    /// The owner's name; a new file is root's.
    #[serde(default)]
    pub owner: Option<String>,
    /// The group's name; a new file is of the group root.
    #[serde(default)]
    pub group: Option<String>,
    /// The permissions, in octal; a new file has `"0644"`.
    #[serde(default)]
    pub mode: Option<String>,
}

fn equals() -> String {
    " = ".to_owned()
}

impl IniSetting {
    /// The value of a key.
    pub fn new(path: impl Into<String>, section: impl Into<String>, key: impl Into<String>, value: impl Into<String>) -> Self {
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

    /// With this between key and value.
    pub fn separator(mut self, separator: impl Into<String>) -> Self {
        self.separator = separator.into();
        self
    }

    /// In a file that is made if it is missing.
    pub fn create(mut self) -> Self {
        self.create = true;
        self
    }

    /// Not set, whatever its value.
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
        Ok(Edit::of(&self.path, missing, attributes(Self::NAME, &self.owner, &self.group, &self.mode)?))
    }

    fn line(&self) -> String {
        self.value.as_ref().map_or_else(|| self.key.clone(), |value| format!("{}{}{value}", self.key, self.separator))
    }

    /// The program of `ensure_setting` says the same.
    fn edited(&self, text: &str) -> String {
        let mut lines: Vec<&str> = text.lines_kept().map(bare).collect();
        let mut inside = self.section.is_empty();
        let (mut seen, mut place) = (inside, None);
        let (mut found, mut setting) = (Vec::new(), "");
        for (at, line) in lines.iter().enumerate() {
            let line = trim(line);
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                inside = name == self.section;
                if inside {
                    (seen, place) = (true, Some(at));
                }
            } else if inside && !line.is_empty() {
                place = Some(at);
                let (key, value) = line.split_once('=').unwrap_or((line, ""));
                if !line.starts_with(['#', ';']) && trim(key) == self.key {
                    found.push(at);
                    setting = trim(value);
                }
            }
        }
        if self.action == LineAction::Absent {
            if found.is_empty() {
                return text.to_owned();
            }
            let left = lines.iter().enumerate().filter(|(at, _)| !found.contains(at)).map(|(_, line)| *line);
            return left.flat_map(|line| [line, "\n"]).collect();
        }
        let (line, header) = (self.line(), format!("[{}]", self.section));
        let indented;
        if let Some(last) = found.last() {
            if setting == self.value.as_deref().unwrap_or_default() {
                return text.to_owned();
            }
            let old = lines[*last];
            let indent = &old[..old.len() - old.trim_start_matches([' ', '\t']).len()];
            indented = format!("{indent}{line}");
            lines[*last] = &indented;
        } else if seen {
            lines.insert(place.map_or(0, |at| at + 1), &line);
        } else {
            if lines.last().is_some_and(|last| !last.is_empty()) {
                lines.push("");
            }
            lines.extend([header.as_str(), &line]);
        }
        lines.join("\n") + "\n"
    }
}

fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\r'])
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
        if self.section.contains(['[', ']']) && !self.section.is_empty() {
            return wrong(format!("the section {:?} holds brackets; write its name alone", self.section));
        }
        if self.key.is_empty() || self.key != trim(&self.key) || self.key.contains('=') || self.key.starts_with(['#', ';', '[']) {
            return wrong(format!("{:?} cannot be a key: it is empty, holds =, begins as a comment or a section does, or has spaces around it", self.key));
        }
        if self.value.as_ref().is_some_and(|value| value != trim(value)) {
            return wrong(format!("the value {:?} has spaces around it, which no program would read; write it without", self.value.as_deref().unwrap_or_default()));
        }
        if trim(&self.separator) != "=" {
            return wrong(format!("the separator {:?} is not an equals sign, with or without spaces", self.separator));
        }
        Ok(())
    }

    fn needs(&self, needed: &mut Capabilities) {
        needed.path(&self.path);
    }

    fn observe(&self, wanted: &mut Observation) {
        if let Ok(edit) = self.edit() {
            edit.observe(wanted);
        }
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let edit = self.edit()?;
        let absent = if self.action == LineAction::Absent { "absent" } else { "" };
        let value = self.value.as_deref().unwrap_or_default();
        let script = edit.call("ensure_setting", &[absent, &self.section, &self.key, value, &self.line()]);
        edit.plan(node, script, |text| self.edited(text))
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
        check(IniSetting::new(PATH, "b", "k", "2"), node().file(PATH, "[a]\nk=1\n[b]\n  k=1\n", 0o600), expect![[r#"
            will change content
            @@ -1,4 +1,4 @@
             [a]
             k=1
             [b]
            -  k=1
            +  k = 2
            ---
            ensure_setting /etc/app.ini '' '' '' '' '' b k 2 'k = 2'
        "#]]);
        check(IniSetting::new(PATH, "a", "new", "2").separator("="), node().file(PATH, "[a]\nk=1\n[b]\n", 0o600), expect![[r#"
            will change content
            @@ -1,3 +1,4 @@
             [a]
             k=1
            +new=2
             [b]
            ---
            ensure_setting /etc/app.ini '' '' '' '' '' a new 2 new=2
        "#]]);
        check(IniSetting::new(PATH, "c", "k", "2"), node().file(PATH, "[a]\nk=1", 0o600), expect![[r#"
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
            ensure_setting /etc/app.ini '' '' '' '' '' c k 2 'k = 2'
        "#]]);
        check(IniSetting::new(PATH, "", "k", "2").create(), node().without_file(PATH), expect![[r#"
            will create file
            + file root:root 0644
            @@ -0,0 +1 @@
            +k = 2
            ---
            ensure_setting /etc/app.ini create '' '' '' '' '' k 2 'k = 2'
        "#]]);
    }

    #[test]
    fn leaves_what_is_right() {
        check(IniSetting::new(PATH, "a", "k", "1"), node().file(PATH, "[a]\n;k=2\nk =1", 0o600), expect!["nothing to do"]);
        check(IniSetting::new(PATH, "a", "k", "1").absent(), node().file(PATH, "k=1\n[b]\nk=1", 0o600), expect!["nothing to do"]);
        check(IniSetting::new(PATH, "a", "k", "1").absent(), node().without_file(PATH), expect!["nothing to do"]);
    }

    #[test]
    fn takes_settings_away() {
        check(IniSetting::new(PATH, "a", "k", "").absent(), node().file(PATH, "[a]\nk=1\nk = 2\nj=3\n", 0o600), expect![[r#"
            will change content
            @@ -1,4 +1,2 @@
             [a]
            -k=1
            -k = 2
             j=3
            ---
            ensure_setting /etc/app.ini leave '' '' '' absent a k '' k
        "#]]);
    }

    #[test]
    fn decides_on_the_node_what_is_not_known() {
        check(IniSetting::new(PATH, "a b", "k", "it's"), node(), expect![[r#"
            may edit file
            ---
            ensure_setting /etc/app.ini '' '' '' '' '' 'a b' k 'it'\''s' 'k = it'\''s'
        "#]]);
    }

    #[test]
    fn refuses_what_cannot_be() {
        check(IniSetting::new(PATH, "[a]", "k", "1"), node(), expect![[r#"error: ini_setting: the section "[a]" holds brackets; write its name alone"#]]);
        check(IniSetting::new(PATH, "a", "k=", "1"), node(), expect![[r#"error: ini_setting: "k=" cannot be a key: it is empty, holds =, begins as a comment or a section does, or has spaces around it"#]]);
        check(IniSetting::new(PATH, "a", "k", " 1"), node(), expect![[r#"error: ini_setting: the value " 1" has spaces around it, which no program would read; write it without"#]]);
        check(IniSetting::new(PATH, "a", "k", "1").separator(":"), node(), expect![[r#"error: ini_setting: the separator ":" is not an equals sign, with or without spaces"#]]);
        check(IniSetting::new(PATH, "a", "k", "1"), node().without_file(PATH), expect!["error: there is no file /etc/app.ini; create = True makes one"]);
    }
}
