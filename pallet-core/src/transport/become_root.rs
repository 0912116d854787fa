//! Becoming root: the one line that the login shell is given, and what must stand in the input
//! before all else.

use super::{InputPart, Secret};
use crate::script::quote;

/// Who runs a script.
#[derive(Debug, Clone)]
pub enum Become {
    /// The login user.
    Login,
    /// Root, by `sudo`, with the login user's password where it is needed; where there is no sudo,
    /// by `doas`, or by `su` with root's password.
    Root(Option<Secret>),
}

/// What is said on the way to root, before anything else: the login shell came to that.
pub(super) const ON_THE_WAY: &str = "pallet: to root";

/// Becomes root and runs the program that is its argument: by sudo, or by doas where that needs no
/// password, which it would take from a terminal only. Messages are read below, so they must be
/// English.
const TO_ROOT: &str = "if command -v sudo >/dev/null 2>&1; then exec sudo -n -- sh -c \"$1\"; fi; \
    if command -v doas >/dev/null 2>&1; then exec doas -n -- sh -c \"$1\"; fi; \
    echo \"pallet: no sudo\" >&2; exit 127";

/// The same with a password, which comes first in the input: the login user's own for sudo, root's
/// for su.
const TO_ROOT_BY_PASSWORD: &str = "if command -v sudo >/dev/null 2>&1; then exec sudo -S -k -p \
    \"\" -- sh -c \"$1\"; fi; \
    if command -v doas >/dev/null 2>&1 && doas -n -- true </dev/null >/dev/null 2>&1; then exec \
    doas -n -- sh -c \"$1\"; fi; \
    if command -v su >/dev/null 2>&1; then exec su -s /bin/sh -c \"$1\" root; fi; \
    echo \"pallet: no sudo\" >&2; exit 127";

/// What runs `sh` where the socket of an agent is the argument of the program: sudo and its like
/// keep no environment.
pub(super) const WITH_AGENT: &str = "SSH_AUTH_SOCK=$1; export SSH_AUTH_SOCK; exec sh";

/// The line that runs a program of `sh`, and the input that it wants before the program's. Where
/// the agent is lent, the program's argument is its socket.
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
