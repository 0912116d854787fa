//! Changes a file with sed. No-op: sed leaves the file unchanged.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::edit::{Edit, Missing};
use super::file_support::{only_of_file, require_absolute};
use super::{Action, ActionError, Change, Claims, Workspace};
use crate::model::{Capabilities, Known};
use crate::observe::{Attributes, FileState, NodeState, Observation, Reading};
use crate::script::{SED, Script, quote};

/// Changes a file with sed commands. Does nothing if they leave the file unchanged: write them so
/// that a second run changes nothing. The file keeps its owner and mode.
///
/// If every line of the file ends with a carriage return, the commands see the lines without it,
/// and it is kept, unless the commands mention it: `s/\r$//`.
///
/// The commands also run on the node during planning, so they must only edit: no `w`, `r` or `e`.
/// The sed of the node runs them.
///
/// Example: `sed(request, "/etc/default/app", ["s/^#?WORKERS=.*/WORKERS=4/", "/^DEBUG=/d"], extended = True)`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sed {
    /// Absolute path of the file.
    pub path: String,
    /// Commands, in order.
    pub expressions: Vec<String>,
    /// Use extended regular expressions.
    #[serde(default)]
    pub extended: bool,
}

impl Sed {
    /// These commands on the file at `path`.
    pub fn new<S: Into<String>>(
        path: impl Into<String>,
        expressions: impl IntoIterator<Item = S>,
    ) -> Self {
        Sed {
            path: path.into(),
            expressions: expressions.into_iter().map(Into::into).collect(),
            extended: false,
        }
    }

    /// With extended regular expressions.
    pub fn extended(mut self) -> Self {
        self.extended = true;
        self
    }

    fn option(&self) -> &'static str {
        if self.extended { "-E" } else { "" }
    }

    fn script(&self) -> Script {
        let returns = if self.names_returns() { "returns" } else { "" };
        Script::new().call([
            "ensure_sed",
            &self.path,
            self.option(),
            &self.expressions.join("\n"),
            returns,
        ])
    }

    /// Whether the commands mention carriage returns: then they see those at line ends.
    fn names_returns(&self) -> bool {
        let named = ["\r", "\\r", "\\x0", "\\o0", "\\d0", "\\c"];
        self.expressions
            .iter()
            .any(|expression| named.iter().any(|named| expression.contains(named)))
    }

    /// Prints the edited file, and an x that protects trailing newlines. GNU sed is restricted to
    /// editing.
    fn reading(&self) -> String {
        let path = quote(&self.path);
        let (program, extended) = (quote(&self.expressions.join("\n")), self.option());
        let returns = if self.names_returns() { "returns" } else { "" };
        // the edited content of a large file is not transferred
        only_of_file(
            &self.path,
            &format!(
                "{SED}only=; case $(sed --help 2>&1) in *--sandbox*) only=--sandbox ;; esac\n\
                program={program} extended={extended} returns={returns}\n\
                made=$(edited_by_sed {path} 2>&1 && printf x)\ncode=$?\n\
                if [ $code != 0 ] || [ \"$(wc -c <{path})\" -le 65536 ]; then printf %s \"$made\"; \
                fi\nexit $code"
            ),
        )
    }
}

impl Action for Sed {
    const NAME: &'static str = "sed";

    fn subject(&self) -> String {
        self.path.clone()
    }

    fn prepare(&mut self, _workspace: &dyn Workspace) -> Result<(), ActionError> {
        require_absolute(Self::NAME, &self.path)?;
        if self.expressions.iter().all(|expression| expression.trim().is_empty()) {
            return Err(ActionError::arguments(
                Self::NAME,
                format!("there is no command for {}; give at least one", self.path),
            ));
        }
        if self.expressions.iter().any(|expression| expression.contains('\0')) {
            return Err(ActionError::arguments(Self::NAME, "a command holds a NUL character"));
        }
        Ok(())
    }

    fn claims(&self, claims: &mut Claims) {
        claims.path(&self.path, "a file");
    }

    fn needs(&self, needed: &mut Capabilities) {
        needed.path(&self.path);
        // sed could run commands and write other files
        self.expressions
            .iter()
            .for_each(|expression| needed.command(&format!("sed {}", quote(expression))));
    }

    fn observe(&self, wanted: &mut Observation) {
        wanted.text(&self.path);
        wanted.edit(&self.path, self.script().as_str());
        wanted.reading_of(&self.path, &self.reading());
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let edit = Edit::of(&self.path, Missing::Refuse, Attributes::default());
        let script = self.script();
        let reading = node.reading(&self.reading()).cloned();
        match (node.file(&self.path).cloned(), reading) {
            (Known::Known(FileState::File { .. }), Known::Known(reading)) if reading.exit != 0 => {
                let said = reading.output.lines().next().unwrap_or_default();
                Err(ActionError::node(format!(
                    "sed refuses the commands for {}: {said}",
                    self.path
                )))
            }
            (
                Known::Known(FileState::File { text: Some(_), .. }),
                Known::Known(Reading { mut output, .. }),
            ) if output.ends_with('x') => {
                output.pop();
                edit.plan(node, script, |_| output.clone())
            }
            // a large file: the node tells whether it changes
            (Known::Known(FileState::File { text: None, .. }), _)
                if node.reading(script.as_str()) != Known::Unknown =>
            {
                edit.plan(node, script, str::to_owned)
            }
            (Known::Known(FileState::File { attributes, .. }), _) => {
                node.set_file(&self.path, FileState::File { digest: None, text: None, attributes });
                Ok(Some(Change::may("edit file", script)))
            }
            _ => edit.plan(node, script, str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{NodeBuilder, check, node};
    use super::*;
    use expect_test::expect;

    const PATH: &str = "/etc/app.conf";

    fn edit() -> Sed {
        Sed::new(PATH, ["s/a/b/"])
    }

    fn prints(mut node: NodeBuilder, exit: i32, output: &str) -> NodeBuilder {
        node.0.set_reading(
            &edit().reading(),
            Reading { exit, output: output.into(), of: Some(PATH.into()) },
        );
        node
    }

    #[test]
    fn changes_what_sed_would() {
        check(
            edit(),
            prints(node().file(PATH, "a\n", 0o600), 0, "b\nx"),
            expect![[r#"
            will change content
            @@ -1 +1 @@
            -a
            +b
            ---
            ensure_sed /etc/app.conf '' s/a/b/ ''
        "#]],
        );
    }

    #[test]
    fn leaves_what_sed_leaves() {
        check(
            edit(),
            prints(node().file(PATH, "b\n\n", 0o600), 0, "b\n\nx"),
            expect!["nothing to do"],
        );
    }

    #[test]
    fn decides_on_the_node_what_is_not_known() {
        check(
            edit().extended(),
            node(),
            expect![[r#"
            may edit file
            ---
            ensure_sed /etc/app.conf -E s/a/b/ ''
        "#]],
        );
        // the file was changed since it was read
        let mut state = prints(node().file(PATH, "a\n", 0o600), 0, "b\nx").0;
        let first =
            edit().plan(&mut state).expect("it can be planned").expect("there is something to do");
        let second = edit().plan(&mut state).expect("it can be planned").expect("it is not known");
        assert_eq!(
            (first.certainty, second.certainty),
            (super::super::Certainty::Will, super::super::Certainty::May)
        );
    }

    #[test]
    fn refuses_what_cannot_be() {
        check(
            Sed::new(PATH, [""]),
            node(),
            expect!["error: sed: there is no command for /etc/app.conf; give at least one"],
        );
        check(
            edit(),
            node().without_file(PATH),
            expect!["error: there is no file /etc/app.conf; create = True makes one"],
        );
        check(
            edit(),
            prints(
                node().file(PATH, "a\n", 0o600),
                1,
                "sed: -e expression #1, char 1: unknown command",
            ),
            expect![
                "error: sed refuses the commands for /etc/app.conf: sed: -e expression #1, char 1: \
                 unknown command"
            ],
        );
    }
}
