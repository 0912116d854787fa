//! Ensures a checkout of a Git repository. No-op: the wanted commit is checked out, without local
//! changes.

mod commands;
mod run_as;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::file_support::{parent, require_absolute, require_name};
use super::{Action, ActionError, Change, Claims, Workspace};
use crate::model::{Capabilities, Known};
use crate::observe::{FileState, NodeState, Observation, Reading};
use crate::script::{Script, quote, strict_shell};
use commands::{Checkout, SUBMODULE};

/// Ensures that a commit of a Git repository is checked out at a path. Does nothing if it is.
///
/// With a full commit hash, Pallet plans from the state of the node. With a branch, a tag or no
/// revision, the node fetches in every run and decides then. Changed files in the checkout are an
/// error unless `force` is set, which discards the changes. Untracked files are kept. Submodules
/// are checked out recursively.
///
/// Pallet never touches another user's checkout as root: git runs as the owner of the checkout, and
/// a new checkout in another user's directory belongs to that user. A checkout of root must be in a
/// place where no other user can rename a parent directory.
///
/// A private repository needs a key on the node, or `forward_agent`. Pallet does not manage host
/// keys: for SSH, the repository's host must be in the `known_hosts` of the user that runs git or
/// in `/etc/ssh/ssh_known_hosts`, unless the node's SSH configuration says otherwise
/// (`StrictHostKeyChecking`).
///
/// Example: `git_checkout(request, "https://github.com/example/app.git", "/srv/app", revision = "v1.2", user = "app")`
///
/// Example: `git_checkout(request, "git@github.com:example/private.git", "/srv/private", forward_agent = True)`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GitCheckout {
    /// URL of the repository, or its path on the node.
    pub repository: String,
    /// Absolute path of the checkout.
    pub path: String,
    /// Branch, tag or full commit hash. Default: the repository's main branch.
    #[serde(default)]
    pub revision: Option<String>,
    /// User that runs git and owns the checkout. Default: the owner of the existing directory, or
    /// else the user that Pallet runs as on the node (root). For a new checkout, the parent
    /// directory must belong to this user.
    #[serde(default)]
    pub user: Option<String>,
    /// Discard changes in the checkout.
    #[serde(default)]
    pub force: bool,
    /// Number of commits of history to fetch. Default: all.
    #[serde(default)]
    pub depth: Option<u32>,
    /// Also check out submodules, at the commits that the checkout records. `False` skips them.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub submodules: bool,
    /// Let git log in with the keys of the ssh-agent of the machine that Pallet runs on
    /// (`SSH_AUTH_SOCK`, or the `IdentityAgent` option of ssh). The keys stay there: the node can
    /// only list them and request signatures, and only while this phase is applied. During that
    /// time, root on the node and the user that runs git can log in with these keys anywhere they
    /// are accepted. Forward only to nodes that you trust, and use `ssh-add -c` to confirm each
    /// use. Keys that are restricted to certain hosts (`ssh-add -h`) cannot be used. Requires an
    /// SSH connection and a server that allows forwarding (`AllowAgentForwarding`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forward_agent: bool,
}

fn yes() -> bool {
    true
}

// serde passes a reference
fn is_yes(value: &bool) -> bool {
    *value
}

impl GitCheckout {
    /// The main branch of `repository` at `path`.
    pub fn new(repository: impl Into<String>, path: impl Into<String>) -> Self {
        GitCheckout {
            repository: repository.into(),
            path: path.into(),
            revision: None,
            user: None,
            force: false,
            depth: None,
            submodules: true,
            forward_agent: false,
        }
    }

    /// This branch, tag or commit.
    pub fn revision(mut self, revision: impl Into<String>) -> Self {
        self.revision = Some(revision.into());
        self
    }

    /// As the user `name`.
    pub fn user(mut self, name: impl Into<String>) -> Self {
        self.user = Some(name.into());
        self
    }

    /// Discard local changes.
    pub fn force(mut self) -> Self {
        self.force = true;
        self
    }

    /// With only this many commits of history.
    pub fn depth(mut self, depth: u32) -> Self {
        self.depth = Some(depth);
        self
    }

    /// Without its submodules.
    pub fn without_submodules(mut self) -> Self {
        self.submodules = false;
        self
    }

    /// With the keys of this machine's ssh agent.
    pub fn forward_agent(mut self) -> Self {
        self.forward_agent = true;
        self
    }

    fn checkout(&self) -> Checkout<'_> {
        Checkout {
            repository: &self.repository,
            path: &self.path,
            revision: self.revision.as_deref(),
            commit: self.commit(),
            user: self.user.as_deref(),
            force: self.force,
            depth: self.depth,
            submodules: self.submodules,
            forward_agent: self.forward_agent,
        }
    }

    /// The wanted commit, if the revision is a commit hash.
    fn commit(&self) -> Option<&str> {
        let is_commit = |text: &&str| {
            (text.len() == 40 || text.len() == 64)
                && text.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        self.revision.as_deref().filter(is_commit)
    }
}

impl Action for GitCheckout {
    const NAME: &'static str = "git_checkout";

    fn subject(&self) -> String {
        self.path.clone()
    }

    fn prepare(&mut self, _workspace: &dyn Workspace) -> Result<(), ActionError> {
        let wrong = |message: String| Err(ActionError::arguments(Self::NAME, message));
        require_absolute(Self::NAME, &self.path)?;
        if let Some(user) = &self.user {
            require_name(Self::NAME, "user", user)?;
        }
        if self.repository.is_empty()
            || self.repository.starts_with('-')
            || self.repository.contains(['\n', '\0', '"', '\\', '#', ';'])
        {
            return wrong(format!(
                "{:?} is not the URL or the path of a repository",
                self.repository
            ));
        }
        match &self.revision {
            Some(revision)
                if revision.is_empty()
                    || revision.starts_with('-')
                    || revision.contains(['\n', '\0', ' ', ':', '^', '~']) =>
            {
                return wrong(format!(
                    "the revision {revision:?} is not a branch, a tag or a full commit hash"
                ));
            }
            _ => {}
        }
        if self.depth == Some(0) {
            return wrong(
                "depth 0 fetches nothing; give at least 1, or omit it to fetch all".to_owned(),
            );
        }
        Ok(())
    }

    fn claims(&self, claims: &mut Claims) {
        claims.path(&self.path, "a directory");
        claims.value(
            format!("what is checked out at {}", self.path),
            "",
            format!("{}\n{:?}", self.repository, self.revision),
        );
        self.user.iter().for_each(|user| claims.user(user));
    }

    fn needs(&self, needed: &mut Capabilities) {
        needed.below(&self.path);
        needed.url(&self.repository);
    }

    fn observe(&self, wanted: &mut Observation) {
        wanted.file(&self.path);
        if let Some(parent) = parent(&self.path) {
            wanted.file(parent);
        }
        if self.commit().is_some() {
            wanted.reading_of(&format!("{}/", self.path), &self.checkout().reading());
        }
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        match node.file(&self.path) {
            Known::Unknown | Known::Known(FileState::Absent | FileState::Directory(_)) => {}
            Known::Known(_) => {
                return Err(ActionError::node(format!(
                    "{} exists and is not a directory; delete it first",
                    self.path
                )));
            }
        }
        let absent = matches!(node.file(&self.path), Known::Known(FileState::Absent));
        let path = quote(&self.path);
        let make = match &self.user {
            Some(user) => format!(
                "[ -d {path} ] || {}",
                strict_shell(&format!("mkdir -p -- {path}"), Some(user))
            ),
            None => format!("make_checkout {path}"),
        };
        let lend = match (&self.user, self.forward_agent) {
            (_, false) => String::new(),
            (Some(user), true) => format!("lend_agent \"$(id -u -- {})\"\n", quote(user)),
            (None, true) => "lend_agent \"$(stat -c %u .)\"\n".to_owned(),
        };
        let script = Script::new()
            .raw(
                "command -v git >/dev/null || fail 'there is no git; install it with package \
                before'",
            )
            .raw(&format!("said=$({make}\nstand_in {path}\n{lend}{})", self.checkout().update()))
            .raw("case $said in *changed*) changed ;; esac");
        let revision = self.revision.as_deref().unwrap_or("the main branch");
        let change = match (self.commit(), node.reading(&self.checkout().reading()).cloned()) {
            (Some(commit), Known::Known(Reading { exit: 0, output, .. })) if !absent => {
                if output == commit {
                    return Ok(None);
                }
                let old = output.lines().next().unwrap_or_default();
                let mut more = output.lines().skip(1).peekable();
                let submodule = |line: &str| {
                    line.strip_prefix(SUBMODULE)
                        .and_then(|line| line.split(' ').nth(1))
                        .map(str::to_owned)
                };
                if let Some(path) =
                    more.peek().and_then(|line| submodule(line)).filter(|_| old == commit)
                {
                    let change = Change::will("check out the submodules", script)
                        .with_diff(format!("+ {path}\n"));
                    return Ok(Some(self.predicted(node, change)));
                }
                if let (Some(file), false) =
                    (more.next().filter(|line| submodule(line).is_none()), self.force)
                {
                    let file = file.get(3..).unwrap_or_default();
                    let message = format!(
                        "files in {} were changed, such as {file}; force = True \
                        throws the changes away",
                        self.path
                    );
                    return Err(ActionError::node(message));
                }
                Change::will("check out", script).with_diff(format!(
                    "- commit {old}\n\
                    + commit {commit}\n"
                ))
            }
            _ if absent => Change::will("clone", script)
                .with_diff(format!("+ {revision} of {}\n", self.repository)),
            _ => Change::may(format!("fetch and check out {revision}"), script),
        };
        Ok(Some(self.predicted(node, change)))
    }
}

impl GitCheckout {
    /// Updates the node's state to that after the change.
    fn predicted(&self, node: &mut NodeState, change: Change) -> Change {
        let state = node.file(&self.path).cloned();
        node.forget_files_below(&self.path);
        if let Some(made) = parent(&self.path)
            .filter(|parent| node.file(parent) == Known::Known(&FileState::Absent))
        {
            node.forget_files_below(made);
        }
        if let Known::Known(directory @ FileState::Directory(_)) = state {
            node.set_file(&self.path, directory);
        }
        if let Some(commit) = self.commit() {
            let of = Some(format!("{}/", self.path));
            node.set_reading(
                &self.checkout().reading(),
                Reading { exit: 0, output: commit.to_owned(), of },
            );
        }
        change.with_agent(self.forward_agent)
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{NodeBuilder, node, planned};
    use super::*;

    const COMMIT: &str = "0123456789012345678901234567890123456789";

    fn app() -> GitCheckout {
        GitCheckout::new("https://example.com/app.git", "/srv/app").revision(COMMIT)
    }

    fn at(reading: &str) -> NodeBuilder {
        let mut node = node().directory("/srv/app", 0o755);
        node.0.set_reading(
            &app().checkout().reading(),
            Reading { exit: 0, output: reading.into(), of: None },
        );
        node
    }

    fn headline(action: GitCheckout, node: NodeBuilder) -> String {
        let plan = planned(action, node);
        plan.split("---\n").next().unwrap_or_default().to_owned()
    }

    #[test]
    fn clones_and_updates() {
        assert_eq!(
            headline(app(), node().without_file("/srv/app")),
            format!(
                "will clone\n\
            + {COMMIT} of https://example.com/app.git\n"
            )
        );
        assert_eq!(
            headline(app(), at("abc")),
            format!(
                "will check out\n- commit abc\n\
            + commit {COMMIT}\n"
            )
        );
        assert_eq!(
            headline(app().force(), at(&format!("{COMMIT}\n M x"))),
            format!("will check out\n- commit {COMMIT}\n+ commit {COMMIT}\n")
        );
    }

    #[test]
    fn leaves_what_is_right() {
        assert_eq!(headline(app(), at(COMMIT)), "nothing to do");
    }

    #[test]
    fn fault_3_submodules_that_are_missing_are_checked_out() {
        let missing = format!("{COMMIT}\nsubmodule abc lib/sub");
        assert_eq!(headline(app(), at(&missing)), "will check out the submodules\n+ lib/sub\n");
        assert_eq!(
            headline(app(), at("abc\nsubmodule abc lib/sub")),
            format!(
                "will check out\n\
            - commit abc\n+ commit {COMMIT}\n"
            )
        );
        let mut without = node().directory("/srv/app", 0o755);
        let action = app().without_submodules();
        without.0.set_reading(
            &action.checkout().reading(),
            Reading { exit: 0, output: COMMIT.into(), of: None },
        );
        assert_eq!(headline(action, without), "nothing to do");
    }

    #[test]
    fn asks_for_the_agent_where_that_is_forwarded() {
        let change = |action: GitCheckout| {
            let mut state = at("abc").0;
            action.plan(&mut state).expect("it can be planned").expect("it changes something")
        };
        let (plain, forwarded) = (change(app()), change(app().forward_agent()));
        assert!(!plain.agent && !plain.script.as_str().contains("lend_agent"));
        assert!(
            forwarded.agent && forwarded.script.as_str().contains("lend_agent \"$(stat -c %u .)\""),
            "{}",
            forwarded.script.as_str()
        );
        assert!(
            change(app().forward_agent().user("app"))
                .script
                .as_str()
                .contains("lend_agent \"$(id -u -- app)\"")
        );
        // if nothing is to be done, the agent is not needed
        assert_eq!(headline(app().forward_agent(), at(COMMIT)), "nothing to do");
        let json = |action| serde_json::to_value(action).expect("it is plain data");
        assert_eq!(json(app()).get("forward_agent"), None);
        assert_eq!(json(app().forward_agent())["forward_agent"], true);
    }

    #[test]
    fn decides_on_the_node_what_is_not_known() {
        assert_eq!(headline(app(), node()), format!("may fetch and check out {COMMIT}\n"));
        assert_eq!(headline(app().revision("main"), at(COMMIT)), "may fetch and check out main\n");
    }

    #[test]
    fn refuses_what_cannot_be() {
        let error = "error: files in /srv/app were changed, such as x y; force = True throws the \
            changes away";
        assert_eq!(headline(app(), at(&format!("{COMMIT}\n M x y"))), error);
        assert_eq!(
            headline(app(), node().file("/srv/app", "", 0o644)),
            "error: /srv/app exists and is not a directory; delete it first"
        );
        let error = "error: git_checkout: the revision \"-x\" is not a branch, a tag or a full \
            commit hash";
        assert_eq!(headline(app().revision("-x"), node()), error);
        assert_eq!(
            headline(app().depth(0), node()),
            "error: git_checkout: depth 0 fetches nothing; give at least 1, or omit it to fetch all"
        );
    }
}
