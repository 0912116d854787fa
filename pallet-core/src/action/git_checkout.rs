//! Ensures a checkout of a git repository. No-op: the wanted commit is checked out, and nothing in it is changed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::file_support::{parent, require_absolute, require_name};
use super::{Action, ActionError, Change, Workspace};
use crate::model::{Capabilities, FileState, Known, NodeState, Observation, Reading};
use crate::script::{Script, quote, shell, strict_shell};

/// Ensures that a commit of a git repository is checked out at a path. Nothing to do where it is.
///
/// With a full commit hash that is known beforehand, from what the node has. With a branch or a tag, or with none, the node fetches in every run and
/// decides then. Files that were changed in the checkout are kept: they are an error, unless `force` throws the changes away. Files that git does not
/// know stay.
///
/// Example: `git_checkout(request, "https://github.com/example/app.git", "/srv/app", revision = "v1.2", user = "app")`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GitCheckout {
    /// The URL of the repository, or its path on the node.
    pub repository: String,
    /// The absolute path of the checkout.
    pub path: String,
    /// A branch, a tag or a full commit hash; the repository's main branch if none is given.
    #[serde(default)]
    pub revision: Option<String>,
    /// The user that git runs as, who owns the checkout; else the one that Pallet is on the node, which is root. The directory above must be the user's.
    #[serde(default)]
    pub user: Option<String>,
    /// Whether changes in the checkout are thrown away.
    #[serde(default)]
    pub force: bool,
    /// How many commits of history are fetched; all if nothing is said.
    #[serde(default)]
    pub depth: Option<u32>,
}

impl GitCheckout {
    /// The main branch of `repository` at `path`.
    pub fn new(repository: impl Into<String>, path: impl Into<String>) -> Self {
        GitCheckout { repository: repository.into(), path: path.into(), revision: None, user: None, force: false, depth: None }
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

    /// Without the changes that were made in it.
    pub fn force(mut self) -> Self {
        self.force = true;
        self
    }

    /// With only so many commits of history.
    pub fn depth(mut self, depth: u32) -> Self {
        self.depth = Some(depth);
        self
    }

    /// The wanted commit, where the revision is one.
    fn commit(&self) -> Option<&str> {
        let is_commit = |text: &&str| (text.len() == 40 || text.len() == 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        self.revision.as_deref().filter(is_commit)
    }

    /// Prints the commit that is checked out, and a second line if anything in it is changed.
    fn reading(&self) -> String {
        let path = quote(&self.path);
        let look = format!("git -C {path} rev-parse HEAD 2>/dev/null && git -C {path} status --porcelain --untracked-files=no 2>/dev/null | head -n 1");
        match &self.user {
            None => look,
            user => shell(&look, user.as_deref()),
        }
    }

    /// What the user runs: it prints `changed` if it changed anything, and its errors are git's.
    fn commands(&self) -> String {
        let (path, repository) = (quote(&self.path), quote(&self.repository));
        let revision = quote(self.revision.as_deref().unwrap_or("HEAD"));
        let depth = self.depth.map(|depth| format!(" --depth {depth}")).unwrap_or_default();
        let force = if self.force { "force" } else { "" };
        let commit = self.commit().unwrap_or_default();
        format!(
            "path={path} repository={repository} revision={revision} force={force} commit={commit}
export GIT_TERMINAL_PROMPT=0
if [ ! -e \"$path/.git\" ]; then
  if [ -d \"$path\" ] && [ -n \"$(ls -A -- \"$path\")\" ]; then echo \"$path is not empty and no checkout of git\" >&2; exit 1; fi
  git init -q -- \"$path\"
  echo changed
fi
cd -- \"$path\"
# the URL may hold a password, so no command gets it
printf '[remote \"pallet\"]\\n\\turl = %s\\n\\tfetch = +refs/heads/*:refs/remotes/pallet/*\\n' \"$repository\" >.git/pallet-remote
chmod 600 .git/pallet-remote
git config --unset-all include.path '^pallet-remote$' || :
git config --add include.path pallet-remote
if [ -z \"$commit\" ] || ! git cat-file -e \"$commit^{{commit}}\" 2>/dev/null; then
  git fetch -q{depth} --force pallet \"$revision\"
  new=$(git rev-parse 'FETCH_HEAD^{{commit}}')
else
  new=$commit
fi
old=$(git rev-parse -q --verify HEAD) || old=
dirty=
if [ -n \"$old\" ]; then dirty=$(git status --porcelain --untracked-files=no | head -n 1); fi
if [ \"$old\" = \"$new\" ] && [ -z \"$dirty\" ]; then exit; fi
if [ -n \"$dirty\" ] && [ -z \"$force\" ]; then
  echo \"files in $path were changed, such as ${{dirty#???}}; force = True throws the changes away\" >&2
  exit 1
fi
git checkout -q ${{force:+--force}} --detach \"$new\"
echo changed"
        )
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
        if self.repository.is_empty() || self.repository.starts_with('-') || self.repository.contains(['\n', '\0', '"', '\\', '#', ';']) {
            return wrong(format!("{:?} is not the URL or the path of a repository", self.repository));
        }
        match &self.revision {
            Some(revision) if revision.is_empty() || revision.starts_with('-') || revision.contains(['\n', '\0', ' ', ':', '^', '~']) => {
                return wrong(format!("the revision {revision:?} is not a branch, a tag or a full commit hash"));
            }
            _ => {}
        }
        if self.depth == Some(0) {
            return wrong("depth 0 fetches nothing; give at least 1, or leave it away for all".to_owned());
        }
        Ok(())
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
            wanted.reading_of(&format!("{}/", self.path), &self.reading());
        }
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        match node.file(&self.path) {
            Known::Unknown | Known::Known(FileState::Absent | FileState::Directory(_)) => {}
            Known::Known(_) => return Err(ActionError::node(format!("{} is there and no directory; delete it before", self.path))),
        }
        let absent = matches!(node.file(&self.path), Known::Known(FileState::Absent));
        let script = Script::new()
            .raw("command -v git >/dev/null || fail 'there is no git; install it with package before'")
            .raw(&format!("said=$({})", strict_shell(&self.commands(), self.user.as_deref())))
            .raw("case $said in *changed*) changed ;; esac");
        let revision = self.revision.as_deref().unwrap_or("the main branch");
        let change = match (self.commit(), node.reading(&self.reading()).cloned()) {
            (Some(commit), Known::Known(Reading { exit: 0, output, .. })) if !absent => {
                if output == commit {
                    return Ok(None);
                }
                let old = output.lines().next().unwrap_or_default();
                if let (Some(file), false) = (output.lines().nth(1), self.force) {
                    let file = file.get(3..).unwrap_or_default();
                    let message = format!("files in {} were changed, such as {file}; force = True throws the changes away", self.path);
                    return Err(ActionError::node(message));
                }
                Change::will("check out", script).with_diff(format!("- commit {old}\n+ commit {commit}\n"))
            }
            _ if absent => Change::will("clone", script).with_diff(format!("+ {revision} of {}\n", self.repository)),
            _ => Change::may(format!("fetch and check out {revision}"), script),
        };
        let state = node.file(&self.path).cloned();
        node.forget_files_below(&self.path);
        if let Known::Known(directory @ FileState::Directory(_)) = state {
            node.set_file(&self.path, directory);
        }
        if let Some(commit) = self.commit() {
            let of = Some(format!("{}/", self.path));
            node.set_reading(&self.reading(), Reading { exit: 0, output: commit.to_owned(), of });
        }
        Ok(Some(change))
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
        node.0.set_reading(&app().reading(), Reading { exit: 0, output: reading.into(), of: None });
        node
    }

    fn headline(action: GitCheckout, node: NodeBuilder) -> String {
        let plan = planned(action, node);
        plan.split("---\n").next().unwrap_or_default().to_owned()
    }

    #[test]
    fn clones_and_updates() {
        assert_eq!(headline(app(), node().without_file("/srv/app")), format!("will clone\n+ {COMMIT} of https://example.com/app.git\n"));
        assert_eq!(headline(app(), at("abc")), format!("will check out\n- commit abc\n+ commit {COMMIT}\n"));
        assert_eq!(headline(app().force(), at(&format!("{COMMIT}\n M x"))), format!("will check out\n- commit {COMMIT}\n+ commit {COMMIT}\n"));
    }

    #[test]
    fn leaves_what_is_right() {
        assert_eq!(headline(app(), at(COMMIT)), "nothing to do");
    }

    #[test]
    fn decides_on_the_node_what_is_not_known() {
        assert_eq!(headline(app(), node()), format!("may fetch and check out {COMMIT}\n"));
        assert_eq!(headline(app().revision("main"), at(COMMIT)), "may fetch and check out main\n");
    }

    #[test]
    fn refuses_what_cannot_be() {
        let error = "error: files in /srv/app were changed, such as x y; force = True throws the changes away";
        assert_eq!(headline(app(), at(&format!("{COMMIT}\n M x y"))), error);
        assert_eq!(headline(app(), node().file("/srv/app", "", 0o644)), "error: /srv/app is there and no directory; delete it before");
        let error = "error: git_checkout: the revision \"-x\" is not a branch, a tag or a full commit hash";
        assert_eq!(headline(app().revision("-x"), node()), error);
        assert_eq!(headline(app().depth(0), node()), "error: git_checkout: depth 0 fetches nothing; give at least 1, or leave it away for all");
    }
}
