//! The shell commands that inspect and update a checkout.

use super::run_as::run_as;
use crate::script::quote;

/// Lists changed files, one per line. Submodules have lines of their own.
const STATUS: &str = "status --porcelain --untracked-files=no --ignore-submodules=all";

/// The beginning of a line about a submodule that differs; its commit and its path follow.
pub(super) const SUBMODULE: &str = "submodule ";

/// Checks out the submodules, if any. A relative URL is resolved against the repository, which git
/// takes from `origin`.
const SUBMODULES: &str = r#"
if [ -f .gitmodules ]; then
  git config --get remote.origin.url >/dev/null || printf '[remote "origin"]
	url = %s
' "$repository" >>.git/pallet-remote
  # a repository on the node may name others there
  case $repository in /* | file://*) set -- -c protocol.file.allow=always ;; *) set -- ;; esac
  if git submodule status --recursive | grep -q '^[-+U]' || [ -n "$force" ]; then
    before=$(git submodule status --recursive)
    try submodule -q sync --recursive
    try "$@" submodule -q update --init --recursive ${force:+--force}
    [ "$before" = "$(git submodule status --recursive)" ] || echo changed
  fi
fi"#;

/// A wanted checkout.
#[derive(Debug, Clone, Copy)]
pub(super) struct Checkout<'a> {
    pub(super) repository: &'a str,
    pub(super) path: &'a str,
    pub(super) revision: Option<&'a str>,
    /// The wanted commit, if the revision is a commit hash.
    pub(super) commit: Option<&'a str>,
    pub(super) user: Option<&'a str>,
    pub(super) force: bool,
    pub(super) depth: Option<u32>,
    pub(super) submodules: bool,
    pub(super) forward_agent: bool,
}

impl Checkout<'_> {
    /// Prints the commit that is checked out, a second line if there are local changes, and one if
    /// a submodule differs.
    pub(super) fn reading(&self) -> String {
        let path = quote(self.path);
        let mut look =
            format!("git rev-parse HEAD 2>/dev/null && git {STATUS} 2>/dev/null | head -n 1");
        if self.submodules {
            look += &format!(
                " && {{ [ ! -f .gitmodules ] || git submodule status --recursive 2>/dev/null \
                 | sed -n 's/^[-+U]/{SUBMODULE}/p' | head -n 1; }}"
            );
        }
        run_as(self.user, &look, &path, false)
    }

    /// Updates the checkout in this directory to the wanted commit. Prints `changed` if that
    /// changed anything.
    pub(super) fn update(&self) -> String {
        run_as(self.user, &self.commands(), ".", true)
    }

    /// The commands that the user runs in the directory. They print `changed` if they changed
    /// anything; errors come from git.
    fn commands(&self) -> String {
        let (path, repository) = (quote(self.path), quote(self.repository));
        let revision = quote(self.revision.unwrap_or("HEAD"));
        let depth = self.depth.map(|depth| format!(" --depth {depth}")).unwrap_or_default();
        let force = if self.force { "force" } else { "" };
        let commit = self.commit.unwrap_or_default();
        let submodules = if self.submodules { SUBMODULES } else { "" };
        let keyless = match self.forward_agent {
            true => quote(
                "no key of the ssh agent that is forwarded is let in: see what `ssh-add \
                -l` lists there",
            ),
            false => quote(
                "git has no key here that is let in: put one on the node, or set \
                forward_agent = True",
            ),
        };
        format!(
            "path={path} repository={repository} revision={revision} force={force} commit={commit}
export GIT_TERMINAL_PROMPT=0
# git, whose reason for a failure is told, and not what it says of it to somebody at a terminal
try() {{
  why=$(git \"$@\" 2>&1 >/dev/null) || {{
    case $why in *'dubious ownership'*) why=\"$why
it belongs to $(stat -c %U .), and git runs as $(id -un)\" ;;
    *'Permission denied (publickey'*) why=\"$why
\"{keyless} ;; esac
    printf '%s\\n' \"$why\" | awk '/^(hint|warning):|^$|^To add an exception|\
    ^Please make sure|^and the repository exists|git config --global/ {{ next }}
      {{ sub(/\\r$/, \"\"); printf \"%s%s\", separator, $0; \
       separator = \"; \" }} END {{ print \"\" }}' >&2
    exit 1
  }}
}}
if [ ! -e .git ]; then
  if [ -n \"$(ls -A)\" ]; then echo \"$path is not empty and no checkout of git\" >&2; exit 1; fi
  try init -q
  echo changed
fi
try rev-parse --git-dir
# the URL may hold a password, so no command gets it
printf '[remote \"pallet\"]\\n\\turl = %s\\n\\tfetch = +refs/heads/*:refs/remotes/pallet/*\\n' \
             \"$repository\" >.git/pallet-remote
chmod 600 .git/pallet-remote
git config --unset-all include.path '^pallet-remote$' || :
git config --add include.path pallet-remote
if [ -z \"$commit\" ] || ! git cat-file -e \"$commit^{{commit}}\" 2>/dev/null; then
  # root's repositories on the node can be read by everybody, which git would not believe
  case $repository in /*) source=$repository ;; file:///*) source=${{repository#file://}} ;; *) \
             source= ;; esac
  set --
  if [ -n \"$source\" ] && [ ! -O \"$source\" ] && [ \"$(stat -c %u -- \"$source\" 2>/dev/null)\" \
             = 0 ]; then
    set -- --upload-pack 'git -c safe.directory=* upload-pack'
  fi
  try fetch -q{depth} \"$@\" --force pallet \"$revision\"
  new=$(git rev-parse 'FETCH_HEAD^{{commit}}')
else
  new=$commit
fi
old=$(git rev-parse -q --verify HEAD) || old=
dirty=
if [ -n \"$old\" ]; then dirty=$(git {STATUS} | head -n 1); fi
if [ -n \"$dirty\" ] && [ -z \"$force\" ]; then
  echo \"files in $path were changed, such as ${{dirty#???}}; force = True throws the changes \
             away\" >&2
  exit 1
fi
if [ \"$old\" != \"$new\" ] || [ -n \"$dirty\" ]; then
  try checkout -q ${{force:+--force}} --detach \"$new\"
  echo changed
fi{submodules}"
        )
    }
}
