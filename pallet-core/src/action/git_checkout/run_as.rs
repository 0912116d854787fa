//! Runs git as the user who owns the checkout.

use crate::script::{piped, shell, strict_shell};

/// Conditions of find: entries that belong neither to root nor to the owner of `/` (`$top`); and
/// entries that others may write.
const OF_OTHERS: &str = "! -user 0 ! -user \"$top\"";
const WRITABLE: &str = "'(' -perm -0002 -o -perm -0020 ! -group 0 ')'";

/// Runs shell commands in the directory at `path` (shell words), as the given user or else as its
/// owner. Root runs them only if no other user controls what git does (its configuration and hooks
/// name programs) or where it does that (git works with path names).
pub(super) fn run_as(user: Option<&str>, text: &str, path: &str, strict: bool) -> String {
    // the other user may not be allowed to enter the parent directories, so stay in the directory
    let enter = if path == "." { String::new() } else { format!("cd -P -- {path} || exit 1\n") };
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
    let run = match (user, strict) {
        (Some(user), true) => return strict_shell(text, Some(user)),
        (Some(user), false) => return shell(text, Some(user)),
        (None, true) => "sh -e",
        (None, false) => "sh",
    };
    // only root can switch users; an owner without a name cannot log in, and `su` accepts no
    // numeric IDs
    format!(
        "{{ owner=
if [ -d {path} ] && [ ! -O {path} ] && [ \"$(id -u)\" = 0 ]; then owner=$(stat -c %U -- {path}); fi
if [ -z \"$owner\" ]; then
set -- {run}
elif [ \"$owner\" != UNKNOWN ]; then
set -- su -s /bin/sh \"$owner\" -c 'exec {run}'
else
ids=$(stat -c %u:%g -- {path})
if setpriv --reuid \"${{ids%:*}}\" --regid \"${{ids#*:}}\" --clear-groups true 2>/dev/null; then
set -- env HOME=/ setpriv --reuid \"${{ids%:*}}\" --regid \"${{ids#*:}}\" --clear-groups {run}
elif chroot --userspec=\"$ids\" --skip-chdir / true 2>/dev/null; then
set -- env HOME=/ chroot --userspec=\"$ids\" --skip-chdir / {run}
else
echo \"the checkout belongs to $ids, who has no name, and nothing here runs git as such a user; \
         give it to a user, or install util-linux\" >&2
exit 1
fi
fi
{text}; }}",
        text = piped(text, "\"$@\""),
    )
}
