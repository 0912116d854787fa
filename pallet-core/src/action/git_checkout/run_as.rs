//! Runs git's commands as the user who owns the checkout.

use crate::script::{piped, shell, strict_shell};

/// Expressions of find: what is not root's, whose number is `$top` where `/` belongs to another
/// one; and what others may write.
const OF_OTHERS: &str = "! -user 0 ! -user \"$top\"";
const WRITABLE: &str = "'(' -perm -0002 -o -perm -0020 ! -group 0 ')'";

/// Runs shell text in the directory at `path`, as the user who is given, or else as its owner,
/// in the shell's words. Root runs it only where nobody else can say what git does, whose
/// configuration and hooks name programs, nor where it does that: git goes by names.
pub(super) fn run_as(user: Option<&str>, text: &str, path: &str, strict: bool) -> String {
    // who may not look above the directory stays in it
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
    // only root can be somebody else; an owner without a name has no login, and `su` knows no
    // numbers
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
