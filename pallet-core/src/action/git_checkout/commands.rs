//! What git is told on the node, and as whom.

use super::GitCheckout;
use crate::script::{quote, shell, strict_shell};

/// What is changed, one file a line. Submodules have lines of their own.
const STATUS: &str = "status --porcelain --untracked-files=no --ignore-submodules=all";

/// What a line about a submodule begins with that is not as it should be: then come its commit and
/// its path.
pub(super) const SUBMODULE: &str = "submodule ";

/// Expressions of find: what is not root's, whose number is `$top` where `/` belongs to another
/// one; and what others may write.
const OF_OTHERS: &str = "! -user 0 ! -user \"$top\"";
const WRITABLE: &str = "'(' -perm -0002 -o -perm -0020 ! -group 0 ')'";

/// Checks out the submodules, where there are any. One whose URL is relative is looked for beside
/// the repository, which git takes from `origin`.
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

impl GitCheckout {
    /// Prints the commit that is checked out, a second line if anything in it is changed, and one
    /// if a submodule is not as it should be.
    pub(super) fn reading(&self) -> String {
        let path = quote(&self.path);
        let mut look = format!(
            "git rev-parse HEAD 2>/dev/null && git {STATUS} 2>/dev/null | head \
            -n 1"
        );
        if self.submodules {
            look += &format!(
                " && {{ [ ! -f .gitmodules ] || git submodule status --recursive 2>/dev/null \
                 | sed -n 's/^[-+U]/{SUBMODULE}/p' | head -n 1; }}"
            );
        }
        self.as_user(&look, &path, false)
    }

    /// Runs shell text in the directory at `path`, as the user who is given, or else as its owner,
    /// in the shell's words. Root runs it only where nobody else can say what git does, whose
    /// configuration and hooks name programs, nor where it does that: git goes by names.
    pub(super) fn as_user(&self, text: &str, path: &str, strict: bool) -> String {
        // who may not look above the directory stays in it
        let enter =
            if path == "." { String::new() } else { format!("cd -P -- {path} || exit 1\n") };
        let text = &format!(
            "{enter}if [ \"$(id -u)\" = 0 ]; then
top=$(stat -c %u /) way=$(pwd -P) foreign= sticky=
while [ -z \"$foreign\" ] && [ -n \"$way\" ]; do
foreign=$(find \"$way\" -prune '(' {OF_OTHERS} -o {WRITABLE} $sticky ')' -print)
way=${{way%/*}} sticky='! -perm -1000'
done
if [ -z \"$foreign\" ] && [ -e .git ]; then
foreign=$(find .git '(' -name objects -o -name logs ')' -prune -o ! -type l '(' {OF_OTHERS} -o \
             {WRITABLE} ')' -print | head -n 1)
fi
if [ -n \"$foreign\" ]; then
echo \"$foreign can be changed by others (it belongs to $(stat -c %U:%G -- \"$foreign\")), who \
             could have git run or write anything as root; give user, or the checkout to root \
             alone\" >&2
exit 1
fi
fi
{text}"
        );
        let piped = if strict { strict_shell } else { shell };
        if self.user.is_some() {
            return piped(text, self.user.as_deref());
        }
        let program = if strict { "sh -e" } else { "sh" };
        // only root can be somebody else; an owner without a name has no login, and `su` knows no
        // numbers
        format!(
            "{{ owner=
if [ -d {path} ] && [ ! -O {path} ] && [ \"$(id -u)\" = 0 ]; then owner=$(stat -c %U -- {path}); fi
if [ -z \"$owner\" ]; then
{plain}
elif [ \"$owner\" != UNKNOWN ]; then
{text} | su -s /bin/sh \"$owner\" -c 'exec {program}'
else
ids=$(stat -c %u:%g -- {path})
if setpriv --reuid \"${{ids%:*}}\" --regid \"${{ids#*:}}\" --clear-groups true 2>/dev/null; then
{text} | HOME=/ setpriv --reuid \"${{ids%:*}}\" --regid \"${{ids#*:}}\" --clear-groups {program}
elif chroot --userspec=\"$ids\" --skip-chdir / true 2>/dev/null; then
{text} | HOME=/ chroot --userspec=\"$ids\" --skip-chdir / {program}
else
echo \"the checkout belongs to $ids, who has no name, and nothing here runs git as such a user; \
             give it to a user, or install util-linux\" >&2
exit 1
fi
fi; }}",
            plain = piped(text, None),
            text = format_args!("printf '{{ :\\n%s\\n}} </dev/null\\n' {}", quote(text)),
        )
    }

    /// What the user runs in the directory: it prints `changed` if it changed anything, and its
    /// errors are git's.
    pub(super) fn commands(&self) -> String {
        let (path, repository) = (quote(&self.path), quote(&self.repository));
        let revision = quote(self.revision.as_deref().unwrap_or("HEAD"));
        let depth = self.depth.map(|depth| format!(" --depth {depth}")).unwrap_or_default();
        let force = if self.force { "force" } else { "" };
        let commit = self.commit().unwrap_or_default();
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
