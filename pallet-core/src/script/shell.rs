//! Command lines that run a text in a shell of its own.

use super::quote;

/// A command that runs `text` with `sh`, as `user` if one is given.
///
/// The text travels through a pipe, so that process lists do not show secrets. It is one compound
/// command without input: the shell reads all of it before it runs any of it.
pub fn shell(text: &str, user: Option<&str>) -> String {
    as_user(text, user, "sh")
}

/// Like [`shell`], but the shell stops at the first command that fails.
pub fn strict_shell(text: &str, user: Option<&str>) -> String {
    as_user(text, user, "sh -e")
}

/// Like [`shell`], for any command that reads its text from stdin.
pub(crate) fn piped(text: &str, command: &str) -> String {
    format!("printf '{{ :\\n%s\\n}} </dev/null\\n' {} | {command}", quote(text))
}

fn as_user(text: &str, user: Option<&str>, program: &str) -> String {
    let run = quote(&format!("exec {program}"));
    match user {
        None => piped(text, program),
        Some(user) => piped(text, &format!("su -s /bin/sh {} -c {run}", quote(user))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::shells::shells;

    #[test]
    fn text_of_any_kind_is_run_as_it_stands() {
        for here in shells() {
            for (text, printed, exit) in [
                ("echo \"it's $((1 + 1))\"; exit 3", "it's 2\n", 3),
                ("cat; echo end # of it", "end\n", 0),
                ("cat <<'X'\nhere } it is\nX", "here } it is\n", 0),
                ("printf '%s %%d\\n' a", "a %d\n", 0),
                ("false\necho on", "on\n", 0),
            ] {
                let output = here.run(&shell(text, None));
                assert_eq!(String::from_utf8_lossy(&output.stdout), printed, "{here}: {text}");
                assert_eq!(output.status.code(), Some(exit), "{here}: {text}");
            }
            let output = here.run(&strict_shell("false\necho on", None));
            assert_eq!(
                (output.stdout.as_slice(), output.status.code()),
                (&b""[..], Some(1)),
                "{here}"
            );
        }
    }

    #[test]
    fn text_is_not_in_the_list_of_processes() {
        for here in shells() {
            let text = "secret=hunter2; for p in $$ $PPID; do tr '\\0' ' ' </proc/$p/cmdline; \
                echo; done";
            let output = here.run(&format!("{{\n{}\n}} </dev/null\n", shell(text, None)));
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(said.contains("sh") && !said.contains("hunter2"), "{here}: {said}");
        }
    }
}
