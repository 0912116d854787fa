//! Becoming root: the command line for the login shell, and the input that must come first.

use super::{InputPart, Secret};
use crate::script::quote;

/// Who runs a script.
#[derive(Debug, Clone)]
pub enum Become {
    /// The login user.
    Login,
    /// Root: with `sudo` and, if needed, the login user's password. Without sudo: with `doas`, or
    /// with `su` and root's password.
    Root(Option<Secret>),
}

/// Printed before the attempt to become root: it proves that the login shell ran our command line.
pub(super) const ON_THE_WAY: &str = "pallet: to root";

/// Becomes root and runs the program in its argument: with sudo, or with doas if doas needs no
/// password (it reads one only from a terminal). `start_error` matches the messages, so they must
/// be in English.
const TO_ROOT: &str = "if command -v sudo >/dev/null 2>&1; then exec sudo -n -- sh -c \"$1\"; fi; \
    if command -v doas >/dev/null 2>&1; then exec doas -n -- sh -c \"$1\"; fi; \
    echo \"pallet: no sudo\" >&2; exit 127";

/// The same with a password, which is the first line of the input: the login user's for sudo,
/// root's for su.
const TO_ROOT_BY_PASSWORD: &str = "if command -v sudo >/dev/null 2>&1; then exec sudo -S -k -p \
    \"\" -- sh -c \"$1\"; fi; \
    if command -v doas >/dev/null 2>&1 && doas -n -- true </dev/null >/dev/null 2>&1; then exec \
    doas -n -- sh -c \"$1\"; fi; \
    if command -v su >/dev/null 2>&1; then exec su -s /bin/sh -c \"$1\" root; fi; \
    echo \"pallet: no sudo\" >&2; exit 127";

/// Starts `sh` with the agent's socket, passed as an argument: sudo, doas and su clear the
/// environment.
pub(super) const WITH_AGENT: &str = "SSH_AUTH_SOCK=$1; export SSH_AUTH_SOCK; exec sh";

/// Returns the command line that runs `program` with `sh`, and the input that must come before the
/// program's own. If the agent is lent, the program's argument is the agent's socket.
pub(super) fn line(as_: &Become, program: &str, agent: bool) -> (String, Vec<InputPart>) {
    let program = quote(program);
    let to_root = |text: &str| {
        let text = match agent {
            true => text
                .replace("\"$1\" root", "\"$1\" root sh \"$SSH_AUTH_SOCK\"")
                .replace("-- sh -c \"$1\"", "-- sh -c \"$1\" sh \"$SSH_AUTH_SOCK\""),
            false => text.to_owned(),
        };
        format!("LC_ALL=C; export LC_ALL; echo \"{ON_THE_WAY}\" >&2; {text}")
    };
    match as_ {
        Become::Login => (format!("sh -c {program}"), Vec::new()),
        Become::Root(None) => {
            (format!("sh -c {} sh {program}", quote(&to_root(TO_ROOT))), Vec::new())
        }
        Become::Root(Some(password)) => {
            let before =
                vec![InputPart::Secret(password.clone()), InputPart::Bytes(b"\n".to_vec())];
            (format!("sh -c {} sh {program}", quote(&to_root(TO_ROOT_BY_PASSWORD))), before)
        }
    }
}
