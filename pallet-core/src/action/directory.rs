//! Ensures a directory. No-op: it exists with the wanted owner, group and mode.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::builders::attribute_builders;
use super::file_support::{
    Existence, attribute_words, attributes, kind, new_attributes, parent, plan_delete, plan_file,
    require_absolute,
};
use super::ownership::Ownership;
use super::{Action, ActionError, Change, Claims, Workspace};
use crate::model::{Capabilities, Known};
use crate::observe::{Attributes, FileState, NodeState, Observation};
use crate::script::Script;

/// Ensures that a directory and its parents exist, or that the directory does not exist.
///
/// Does nothing if the directory exists with the given owner, group and mode.
///
/// Example: `directory(request, "/srv/app", owner = "app", mode = "0750")`
///
/// Example: `directory(request, "/srv/data", owner = "app", recursive = True)`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Directory {
    /// Absolute path.
    pub path: String,
    /// Owner name.
    #[serde(default)]
    pub owner: Option<String>,
    /// Group name.
    #[serde(default)]
    pub group: Option<String>,
    /// Permissions in octal: `"0755"`.
    #[serde(default)]
    pub mode: Option<String>,
    /// Also set the owner and group of everything in the directory. The mode applies to the
    /// directory only.
    #[serde(default)]
    pub recursive: bool,
    /// `create`, or `delete` the directory with everything in it.
    #[serde(default)]
    pub action: Existence,
}

/// Directories that every node needs, and that may not be deleted.
pub(super) const SYSTEM: &[&str] = &[
    "/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/proc", "/root", "/run",
    "/sbin", "/sys", "/tmp", "/usr", "/var",
];

impl Directory {
    /// A directory at `path`.
    pub fn at(path: impl Into<String>) -> Self {
        Directory {
            path: path.into(),
            owner: None,
            group: None,
            mode: None,
            recursive: false,
            action: Existence::Create,
        }
    }

    attribute_builders!();

    /// Including everything in it, for its owner and group.
    pub fn recursive(mut self) -> Self {
        self.recursive = true;
        self
    }

    /// The directory must not exist.
    pub fn absent(mut self) -> Self {
        self.action = Existence::Delete;
        self
    }
}

impl Action for Directory {
    const NAME: &'static str = "directory";

    fn subject(&self) -> String {
        self.path.clone()
    }

    fn prepare(&mut self, _workspace: &dyn Workspace) -> Result<(), ActionError> {
        require_absolute(Self::NAME, &self.path)?;
        if self.action == Existence::Delete && SYSTEM.contains(&self.path.as_str()) {
            return Err(ActionError::arguments(
                Self::NAME,
                format!("{} is a part of the system and is not deleted", self.path),
            ));
        }
        if self.recursive && self.owner.is_none() && self.group.is_none() {
            return Err(ActionError::arguments(
                Self::NAME,
                "recursive needs an owner or a group; give one, or omit recursive",
            ));
        }
        attributes(Self::NAME, &self.owner, &self.group, &self.mode).map(drop)
    }

    fn claims(&self, claims: &mut Claims) {
        claims.path(
            &self.path,
            if self.action == Existence::Delete { "nothing" } else { "a directory" },
        );
        if let (Ok(wanted), Existence::Create) =
            (attributes(Self::NAME, &self.owner, &self.group, &self.mode), self.action)
        {
            claims.attributes(&self.path, &wanted);
            if self.recursive {
                claims.owned_below(&self.path, wanted.owner.as_deref(), wanted.group.as_deref());
            }
        }
    }

    fn needs(&self, needed: &mut Capabilities) {
        match self.recursive {
            true => needed.below(&self.path),
            false => needed.path(&self.path),
        }
    }

    fn observe(&self, wanted: &mut Observation) {
        wanted.file(&self.path);
        if self.recursive && self.action == Existence::Create {
            Ownership::new(&self.path, &self.owner, &self.group).observe(wanted);
        }
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        if self.action == Existence::Delete {
            return Ok(plan_delete(node, &self.path));
        }
        let wanted = attributes(Self::NAME, &self.owner, &self.group, &self.mode)?;
        let there = match node.file(&self.path) {
            Known::Known(state) => Known::Known(*state != FileState::Absent),
            Known::Unknown => Known::Unknown,
        };
        let attributes = match node.file(&self.path) {
            Known::Known(FileState::Directory(current)) => wanted.or(current),
            Known::Known(FileState::Absent) => new_attributes(node, &wanted, 0o755),
            Known::Known(other) => {
                let message = format!(
                    "{} is a {}, not a directory; delete it with file({0:?}, \
                    action = \"delete\") before",
                    self.path,
                    kind(other)
                );
                return Err(ActionError::node(message));
            }
            Known::Unknown => wanted.clone(),
        };
        let call = ["ensure_directory", &self.path]
            .map(str::to_owned)
            .into_iter()
            .chain(attribute_words(&wanted));
        let ownership = Ownership::new(&self.path, &self.owner, &self.group);
        let mut script = Script::new().call(call);
        if self.recursive {
            script = script.and(ownership.script());
        }
        let change = plan_file(node, &self.path, FileState::Directory(attributes), script.clone())?;
        // its parents are created too
        let mut path = self.path.as_str();
        while let Some(above) =
            parent(path).filter(|above| node.file(above) == Known::Known(&FileState::Absent))
        {
            node.set_file(above, FileState::Directory(Attributes::default()));
            path = above;
        }
        Ok(if self.recursive { ownership.plan(node, there, change, script) } else { change })
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{check, node};
    use super::*;
    use crate::observe::Reading;
    use expect_test::expect;

    #[test]
    fn creates_what_is_missing() {
        check(
            Directory::at("/srv").mode(0o750),
            node().without_file("/srv"),
            expect![[r#"
                will create directory
                + directory root:root 0750
                ---
                ensure_directory /srv '' '' 0750
            "#]],
        );
    }

    #[test]
    fn the_system_is_not_deleted() {
        check(
            Directory::at("/usr").absent(),
            node(),
            expect!["error: directory: /usr is a part of the system and is not deleted"],
        );
    }

    #[test]
    fn leaves_what_is_right() {
        check(
            Directory::at("/srv").mode(0o750),
            node().directory("/srv", 0o750),
            expect!["nothing to do"],
        );
    }

    #[test]
    fn all_that_is_in_it_is_theirs() {
        let find = "find /srv \\( ! -user app -o ! -group web \\) -print -quit";
        let action = || Directory::at("/srv").owner("app").group("web").recursive();
        let there = || {
            let mut node = node();
            let attributes = Attributes {
                owner: Some("app".into()),
                group: Some("web".into()),
                mode: Some(0o755),
            };
            node.0.set_file("/srv", FileState::Directory(attributes));
            node
        };
        check(
            action(),
            node().without_file("/srv"),
            expect![[r#"
            will create directory
            + directory app:web 0755
            ---
            ensure_directory /srv app web ''
            ensure_owners /srv app web
        "#]],
        );
        check(action(), there().reading(find, 0, ""), expect!["nothing to do"]);
        check(
            action(),
            there().reading(find, 0, "/srv/x"),
            expect![[r#"
            will change owner or group of what is in it
            ---
            ensure_directory /srv app web ''
            ensure_owners /srv app web
        "#]],
        );
        check(
            action(),
            there().reading(find, 1, ""),
            expect![[r#"
            may ensure owner and group of what is in it
            ---
            ensure_directory /srv app web ''
            ensure_owners /srv app web
        "#]],
        );
        check(
            action(),
            node().directory("/srv", 0o755).reading(find, 0, "/srv"),
            expect![[r#"
            will change owner or mode
            - directory root:root 0755
            + directory app:web 0755
            ---
            ensure_directory /srv app web ''
            ensure_owners /srv app web
        "#]],
        );
        check(
            Directory::at("/srv").owner("it's").recursive(),
            node(),
            expect![[r#"
            may ensure directory
            + directory it's:? ?
            ---
            ensure_directory /srv 'it'\''s' '' ''
            ensure_owners /srv 'it'\''s' ''
        "#]],
        );
        check(
            Directory::at("/srv").mode(0o700).recursive(),
            node(),
            expect![
                "error: directory: recursive needs an owner or a group; give one, or omit recursive"
            ],
        );
    }

    #[test]
    fn what_is_put_in_it_afterwards_is_seen() {
        let mut state = node().directory("/srv", 0o755).without_file("/srv/x").0;
        state.set_reading(
            "find /srv \\( ! -user root \\) -print -quit",
            Reading { exit: 0, output: String::new(), of: Some("/srv/".into()) },
        );
        let action = Directory::at("/srv").owner("root").recursive();
        assert!(action.plan(&mut state).expect("it can be planned").is_none());
        super::super::File::at("/srv/x")
            .plan(&mut state)
            .expect("it can be planned")
            .expect("it changes");
        let change =
            action.plan(&mut state).expect("it can be planned").expect("it may be another's");
        assert_eq!(change.certainty, super::super::Certainty::May);
    }
}
