//! Ensures the debconf answer to a question of a package. No-op: debconf has that answer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Action, ActionError, Change, Claims, Workspace};
use crate::model::{Capabilities, Known};
use crate::observe::{CommandState, NodeState, Observation};
use crate::script::{DEBCONF, Script, packages};

/// Ensures that debconf has an answer to a question that a Debian package asks during installation.
/// Declare it before the package.
///
/// Does nothing if the question already has this answer and is marked as seen. Installed packages
/// are not reconfigured.
///
/// Example: `debconf_set_selections(request, "postfix", "postfix/main_mailer_type", "select", "Internet Site")`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DebconfSetSelections {
    /// Package that asks the question.
    pub package: String,
    /// Question: `postfix/main_mailer_type`.
    pub question: String,
    /// Type of the question: `boolean`, `select`, `multiselect`, `string`, `password`, `note`,
    /// `text`, `title` or `error`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Answer, on one line: `true` or `false` for `boolean`; answers separated by `, ` for
    /// `multiselect`. May be a secret.
    pub value: String,
}

const KINDS: [&str; 9] =
    ["boolean", "select", "multiselect", "string", "password", "note", "text", "title", "error"];

impl DebconfSetSelections {
    /// The answer `value` to a question of this type.
    pub fn new(
        package: impl Into<String>,
        question: impl Into<String>,
        kind: impl Into<String>,
        value: impl Into<String>,
    ) -> Self {
        DebconfSetSelections {
            package: package.into(),
            question: question.into(),
            kind: kind.into(),
            value: value.into(),
        }
    }

    /// A command that succeeds if there is nothing to do. It compares on the node, so that the
    /// answer is not transferred.
    fn look(&self) -> String {
        let call = Script::new().call(["debconf_is", &self.package, &self.question, &self.value]);
        format!("{DEBCONF}{}", call.as_str())
    }
}

impl Action for DebconfSetSelections {
    const NAME: &'static str = "debconf_set_selections";

    fn subject(&self) -> String {
        format!("{} {}", self.package, self.question)
    }

    fn prepare(&mut self, _workspace: &dyn Workspace) -> Result<(), ActionError> {
        let wrong = |message: String| Err(ActionError::arguments(Self::NAME, message));
        for (what, word) in [("package", &self.package), ("question", &self.question)] {
            if word.is_empty()
                || word.contains(|char: char| char.is_whitespace() || char.is_control())
            {
                return wrong(format!("the {what} {word:?} is not one word"));
            }
        }
        if !KINDS.contains(&self.kind.as_str()) {
            return wrong(format!("the type {:?} is not one of {}", self.kind, KINDS.join(", ")));
        }
        // the value may be a secret, so it is not shown
        if self.value.chars().any(char::is_control)
            || self.value.ends_with('\\')
            || self.value.trim() != self.value
        {
            return wrong(format!(
                "the value for {} is not one line, or begins or ends with a space \
                or ends with a backslash",
                self.question
            ));
        }
        if self.kind == "boolean" && !["true", "false"].contains(&self.value.as_str()) {
            return wrong(format!(
                "the value for {} is neither \"true\" nor \"false\"",
                self.question
            ));
        }
        Ok(())
    }

    fn claims(&self, claims: &mut Claims) {
        claims.value(
            format!("the answer to {} of {}", self.question, self.package),
            "",
            &self.value,
        );
    }

    fn needs(&self, needed: &mut Capabilities) {
        needed.package(&self.package);
    }

    fn observe(&self, wanted: &mut Observation) {
        wanted.command(&self.look());
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        packages::require_debian(&node.os, Self::NAME)?;
        let script = Script::new().call([
            "debconf_set",
            &self.package,
            &self.question,
            &self.kind,
            &self.value,
        ]);
        let change = match node.command(&self.look()) {
            Known::Known(CommandState { exit: 0 }) => return Ok(None),
            Known::Known(_) => Change::will("set the answer", script),
            Known::Unknown => Change::may("set the answer", script),
        };
        node.forget_commands();
        node.set_command(&self.look(), CommandState { exit: 0 });
        Ok(Some(change))
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{check, node};
    use super::*;
    use crate::model::{OsFamily, PackageManager};
    use expect_test::expect;

    fn mailer() -> DebconfSetSelections {
        DebconfSetSelections::new("postfix", "postfix/main_mailer_type", "select", "Internet Site")
    }

    #[test]
    fn sets_what_is_not_so() {
        check(
            mailer(),
            node().command(&mailer().look(), 1),
            expect![[r#"
            will set the answer
            ---
            debconf_set postfix postfix/main_mailer_type select 'Internet Site'
        "#]],
        );
    }

    #[test]
    fn leaves_what_is_right() {
        check(mailer(), node().command(&mailer().look(), 0), expect!["nothing to do"]);
    }

    #[test]
    fn decides_on_the_node_what_is_not_known() {
        check(
            mailer(),
            node(),
            expect![[r#"
            may set the answer
            ---
            debconf_set postfix postfix/main_mailer_type select 'Internet Site'
        "#]],
        );
    }

    #[test]
    fn refuses_what_cannot_be() {
        let with = |kind: &str, value: &str| {
            DebconfSetSelections::new("postfix", "postfix/x", kind, value)
        };
        check(
            with("number", "1"),
            node(),
            expect![[
                r#"error: debconf_set_selections: the type "number" is not one of boolean, select, multiselect, string, password, note, text, title, error"#
            ]],
        );
        check(
            with("boolean", "yes"),
            node(),
            expect![[
                r#"error: debconf_set_selections: the value for postfix/x is neither "true" nor "false""#
            ]],
        );
        check(
            with("password", "two\nlines"),
            node(),
            expect![
                "error: debconf_set_selections: the \
            value for postfix/x is not one line, or begins or ends with a space or ends with a \
            backslash"
            ],
        );
        check(
            DebconfSetSelections::new("a b", "postfix/x", "string", ""),
            node(),
            expect![[r#"error: debconf_set_selections: the package "a b" is not one word"#]],
        );
        for (id, family, manager, expected) in [
            (
                "rocky",
                OsFamily::RedHat,
                PackageManager::Dnf,
                expect![
                    "error: debconf_set_selections is for Debian-family systems; this node is \
                rocky 12 (x86_64), with dnf"
                ],
            ),
            (
                "plan9",
                OsFamily::Unknown,
                PackageManager::Unknown,
                expect![
                    "error: debconf_set_selections is for Debian-family systems; this node is \
                plan9 12 (x86_64), with none of apt, dnf, yum, zypper, pacman and apk"
                ],
            ),
        ] {
            check(mailer(), node().os(id, family, manager), expected);
        }
    }
}
