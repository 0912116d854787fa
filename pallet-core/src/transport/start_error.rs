//! Explains from a shell's output why it did not run our command.

use std::time::Duration;

use super::become_root::ON_THE_WAY;
use super::markers::{BEHEADED, MARKER};
use super::{Become, TransportError};

/// The error for a shell that never ran our command: it timed out, or it printed too much.
pub(super) fn never_began(
    host: String,
    as_: &Become,
    flooded: bool,
    patience: Duration,
    noise: &[u8],
) -> TransportError {
    let said = match last_line(noise) {
        line if line.is_empty() => String::new(),
        line => format!("; last output: {}", line.chars().take(200).collect::<String>()),
    };
    let who = if let Become::Login = as_ { "the login shell" } else { "the login shell, or sudo," };
    let message = match flooded {
        true => {
            format!(
                "the login shell prints endlessly before it runs anything: check its start-up \
                files (.bashrc, .profile, .cshrc){said}"
            )
        }
        false => format!(
            "{who} ran nothing for {} s: check what its start-up files (.bashrc, .profile, .cshrc) \
             wait for, or whether they start another shell{said}",
            patience.as_secs_f64()
        ),
    };
    TransportError::Timeout { host, message }
}

/// The error for a shell that ended before it ran our command.
pub(super) fn not_started(host: &str, as_: &Become, code: i32, noise: &[u8]) -> TransportError {
    let host = host.to_owned();
    let said = String::from_utf8_lossy(noise);
    let has = |needles: &[&str]| needles.iter().any(|needle| said.contains(needle));
    let last = last_line(noise);
    let after = if last.is_empty() { String::new() } else { format!("; last output: {last}") };
    let files = "its start-up files (.bashrc, .profile, .cshrc)";
    if code == 0 || code == BEHEADED {
        let what = if code == 0 {
            "end it (`exit`) or start another (`exec`)"
        } else {
            "read its input (`read`)"
        };
        let message = format!(
            "the login shell ended before it ran anything: {files} {what}; let them do that only \
             on terminals{after}"
        );
        return TransportError::Start { host, message };
    }
    if matches!(as_, Become::Login) || !has(&[ON_THE_WAY]) {
        let why = format!(
            "the login shell ran nothing: {files} end it (`exit`, `set -e`), or it \
            allows no logins (nologin, false)"
        );
        let message = match last {
            line if line.is_empty() => format!("{why} (exit code {code})"),
            line if matches!(as_, Become::Login) => format!("{line} (exit code {code})"),
            line => format!("{line} (exit code {code}); {why}"),
        };
        return TransportError::Start { host, message };
    }
    let message = if has(&["pallet: no sudo"]) {
        "there is neither sudo nor doas: log in as root, whose bootstrap installs sudo, or give \
         root's password, for su"
            .to_owned()
    } else if has(&[
        "doas: Authorization required",
        "doas: Authentication required",
        "doas: a tty is required",
    ]) {
        "doas needs a password, which it reads only from a terminal: allow `nopass` in doas.conf, \
         or install sudo"
            .to_owned()
    } else if has(&["doas: Operation not permitted"]) {
        "doas.conf does not permit the login user: add a rule there, or log in as another user"
            .to_owned()
    } else if has(&[
        "su: Authentication failure",
        "su: incorrect password",
        "su: Permission denied",
        "su: must be run from a terminal",
    ]) {
        "there is no sudo, and su refused the password: it must be root's; install sudo, or log in \
         as root"
            .to_owned()
    } else if has(&["must have a tty"]) {
        "sudo needs a terminal: remove `requiretty` from sudoers for the login user".to_owned()
    } else if has(&[
        "not in the sudoers file",
        "may not run sudo",
        "not allowed to execute",
        "not allowed to run",
        "I'm afraid I can't do that",
    ]) {
        "sudoers does not permit the login user: add a rule there, or log in as another user"
            .to_owned()
    } else if has(&["incorrect password attempt", "incorrect authentication attempt", "try again"])
    {
        "sudo refused the password: give the login user's own".to_owned()
    } else if has(&[
        "a password is required",
        "authentication is required",
        "no password was provided",
        "unable to read password",
    ]) {
        "sudo needs a password: set `sudo_password` in [admin_user] of pallet.toml, such as \
         `sudo_password = { env = \"SUDO_PASSWORD\" }`, or allow NOPASSWD in sudoers"
            .to_owned()
    } else {
        match last {
            line if line.is_empty() => format!("sudo ended with code {code} and started no `sh`"),
            line => format!("{line} (exit code {code})"),
        }
    };
    TransportError::Become { host, message }
}

pub(super) fn last_line(text: &[u8]) -> String {
    // leave out our own lines
    let said = |line: &&str| {
        !line.is_empty()
            && !line.contains(ON_THE_WAY)
            && !line.contains(MARKER.trim())
            && !line.contains("#pallet-end ")
    };
    String::from_utf8_lossy(text)
        .lines()
        .rev()
        .map(str::trim)
        .find(said)
        .unwrap_or_default()
        .to_owned()
}
