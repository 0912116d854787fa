//! Running a script and putting a file, as the login user or as root, over any transport.
//!
//! The script travels as input, never as an argument. Before it goes what `sudo` may want to read, a password, and a marker line; the
//! program that is started skips all up to the marker, so that a password which `sudo` did not ask for never reaches a shell as a
//! command. It answers with the same marker on both its streams, so that banners and the noise of login files are told from
//! output, and a shell that never started from a script that failed. Where nobody is asked for a password, the script itself says the marker.
//!
//! The script is one compound command with no input of its own: the shell reads all of it before it runs any of it. A connection
//! that breaks while the script is on its way runs nothing, and a command in the script cannot read the rest of the script. A
//! connection that breaks while the script runs ends it, and the command that it is at.

use super::{Input, InputPart, Output, Secret, Stream, Transport, TransportError};
use crate::script::quote;

/// The line that ends what is not the script, and begins what is its output.
pub(super) const MARKER: &str = "#pallet\n";
/// Skips its input up to the marker, and says so.
pub(super) const READER: &str = r##"while IFS= read -r l && [ "$l" != "#pallet" ]; do :; done; echo "#pallet"; echo "#pallet" >&2"##;
/// What runs a script as the login user, who is asked for nothing.
pub(super) const LOGIN_SHELL: &str = "sh";
/// Ends the script's processes when its input ends. It begins when the shell has read the whole script: there is nothing left to read.
const WATCH: &str = "{ while read -r line; do :; done <&3; kill -TERM 0; } >/dev/null 2>&1 &\nwatch=$!\n";
/// How much of what stands before the marker is kept to explain why none came.
const NOISE: usize = 64 * 1024;

/// Becomes root and runs the program that is its argument: by sudo, or by doas where that needs no password, which it would take from a
/// terminal only. Messages are read below, so they must be English.
const TO_ROOT: &str = r#"LC_ALL=C; export LC_ALL
if command -v sudo >/dev/null 2>&1; then exec sudo -n -- sh -c "$1"; fi
if command -v doas >/dev/null 2>&1; then exec doas -n -- sh -c "$1"; fi
echo "pallet: no sudo" >&2; exit 127"#;

/// The same with a password, which comes first in the input: the login user's own for sudo, root's for su.
const TO_ROOT_BY_PASSWORD: &str = r#"LC_ALL=C; export LC_ALL
if command -v sudo >/dev/null 2>&1; then exec sudo -S -k -p "" -- sh -c "$1"; fi
if command -v doas >/dev/null 2>&1 && doas -n -- true </dev/null >/dev/null 2>&1; then exec doas -n -- sh -c "$1"; fi
if command -v su >/dev/null 2>&1; then exec su -s /bin/sh -c "$1" root; fi
echo "pallet: no sudo" >&2; exit 127"#;

/// Who runs a script.
#[derive(Debug, Clone)]
pub enum Become {
    /// The login user.
    Login,
    /// Root, by `sudo`, with the login user's password where it is needed; where there is no sudo, by `doas`, or by `su` with root's password.
    Root(Option<Secret>),
}

/// Runs a script with `sh`, hands over its output as it comes, and returns its exit code.
pub async fn run_script(transport: &mut dyn Transport, as_: &Become, script: &str, output: &mut Output<'_>) -> Result<i32, TransportError> {
    // its input stays open while it runs, and ends with the connection: then all its processes are told to end
    let body = format!("{{ :\n{WATCH}( exec 3<&-\n{script}\n) </dev/null\nstatus=$?\nkill \"$watch\"\nexit \"$status\"\n}}\n");
    if let Become::Login = as_ {
        // nothing stands before the script that would have to be skipped
        let body = format!("echo '#pallet'; echo '#pallet' >&2; exec 3<&0\n{body}");
        return hear(transport, as_, LOGIN_SHELL, Input(vec![InputPart::Bytes(body.into_bytes()), InputPart::Open]), output).await;
    }
    let body = format!("exec 3<&0\n{body}");
    run(transport, as_, "exec sh", vec![InputPart::Bytes(body.into_bytes()), InputPart::Open], output).await
}

/// Puts a file on the node at `path`, as a whole or not at all, in a directory that is made (mode 0700) if there is none.
/// The file has mode 0600 if it is new.
pub async fn put(transport: &mut dyn Transport, as_: &Become, path: &str, input: Input) -> Result<(), TransportError> {
    let size = input.size().await?;
    let (file, part) = (quote(path), quote(&format!("{path}.part")));
    let parent = match path.rsplit_once('/') {
        Some(("", _)) => "/",
        Some((parent, _)) => parent,
        None => ".",
    };
    let program = format!(
        "umask 077; mkdir -p -- {parent} && cat >{part} && if [ $(wc -c <{part}) -eq {size} ]; then mv -f -- {part} {file}; \
         else echo 'the content arrived in part' >&2; false; fi || {{ rm -f -- {part}; exit 1; }}",
        parent = quote(parent),
    );
    let mut errors = Vec::new();
    let code = run(transport, as_, &program, input.0, &mut |stream, bytes| {
        if stream == Stream::Err && errors.len() < NOISE {
            errors.extend_from_slice(bytes);
        }
    })
    .await?;
    if code == 0 {
        return Ok(());
    }
    let message = match last_line(&errors) {
        line if line.contains("No space left on device") => format!("no space left on the device: {size} bytes are needed"),
        line if line.is_empty() => format!("the shell ended with code {code}"),
        line => line,
    };
    Err(TransportError::Write { host: transport.peer().to_owned(), path: path.to_owned(), message })
}

/// Runs a short program with `sh`, feeds it `input`, hands over its output as it comes, and returns its exit code. The program is an argument, so it
/// holds nothing that a list of processes may not show.
pub async fn run_program(
    transport: &mut dyn Transport,
    as_: &Become,
    program: &str,
    input: Input,
    output: &mut Output<'_>,
) -> Result<i32, TransportError> {
    run(transport, as_, program, input.0, output).await
}

/// Starts `program` behind the reader, feeds it `input`, and hands over what comes after the marker.
async fn run(
    transport: &mut dyn Transport,
    as_: &Become,
    program: &str,
    input: Vec<InputPart>,
    output: &mut Output<'_>,
) -> Result<i32, TransportError> {
    let program = quote(&format!("{READER}; {program}"));
    let mut parts = Vec::with_capacity(input.len() + 3);
    let command = match as_ {
        Become::Login => format!("sh -c {program}"),
        Become::Root(None) => format!("sh -c {} sh {program}", quote(TO_ROOT)),
        Become::Root(Some(password)) => {
            parts.push(InputPart::Secret(password.clone()));
            parts.push(InputPart::Bytes(b"\n".to_vec()));
            format!("sh -c {} sh {program}", quote(TO_ROOT_BY_PASSWORD))
        }
    };
    parts.push(InputPart::Bytes(MARKER.into()));
    parts.extend(input);
    hear(transport, as_, &command, Input(parts), output).await
}

/// Runs `command`, and hands over what it prints after the marker.
async fn hear(
    transport: &mut dyn Transport,
    as_: &Become,
    command: &str,
    input: Input,
    output: &mut Output<'_>,
) -> Result<i32, TransportError> {
    let (mut out, mut err) = (Sieve::default(), Sieve::default());
    let ended = transport
        .exec(command, input, &mut |stream, bytes| {
            let sieve = if stream == Stream::Out { &mut out } else { &mut err };
            sieve.pass(bytes, &mut |bytes| output(stream, bytes));
        })
        .await;
    match ended {
        Ok(code) if out.open || err.open => Ok(code),
        Ok(code) => Err(not_started(transport.peer(), as_, code, &[out.noise, err.noise].concat())),
        Err(error) => Err(error),
    }
}

/// Lets through what comes after the marker.
#[derive(Default)]
struct Sieve {
    open: bool,
    noise: Vec<u8>,
}

impl Sieve {
    fn pass(&mut self, bytes: &[u8], to: &mut dyn FnMut(&[u8])) {
        if self.open {
            return to(bytes);
        }
        self.noise.extend_from_slice(bytes);
        if let Some(at) = self.noise.windows(MARKER.len()).position(|window| window == MARKER.as_bytes()) {
            self.open = true;
            let rest = self.noise.split_off(at + MARKER.len());
            if !rest.is_empty() {
                to(&rest);
            }
        } else if self.noise.len() > NOISE {
            self.noise.drain(..self.noise.len() - NOISE / 2);
        }
    }
}

/// Why the shell behind the reader did not start, from what was said in its place.
fn not_started(host: &str, as_: &Become, code: i32, noise: &[u8]) -> TransportError {
    let host = host.to_owned();
    let said = String::from_utf8_lossy(noise);
    let has = |needles: &[&str]| needles.iter().any(|needle| said.contains(needle));
    if let Become::Login = as_ {
        let message = match last_line(noise) {
            line if line.is_empty() => format!("the login shell ended with code {code} and started no `sh`"),
            line => format!("{line} (exit code {code})"),
        };
        return TransportError::Start { host, message };
    }
    let message = if has(&["pallet: no sudo"]) {
        "there is neither sudo nor doas: log in as root, whose bootstrap installs sudo, or give root's password, for su".to_owned()
    } else if has(&["doas: Authorization required", "doas: Authentication required", "doas: a tty is required"]) {
        "doas wants a password, which it takes from terminals only: allow `nopass` in doas.conf, or install sudo".to_owned()
    } else if has(&["doas: Operation not permitted"]) {
        "doas.conf does not allow the login user to: add it there, or log in as another".to_owned()
    } else if has(&["su: Authentication failure", "su: incorrect password", "su: Permission denied", "su: must be run from a terminal"]) {
        "there is no sudo, and su refused the password: it must be root's; install sudo, or log in as root".to_owned()
    } else if has(&["must have a tty"]) {
        "sudo wants a terminal: remove `requiretty` from sudoers for the login user".to_owned()
    } else if has(&[
        "not in the sudoers file",
        "may not run sudo",
        "not allowed to execute",
        "not allowed to run",
        "I'm afraid I can't do that",
    ]) {
        "sudoers does not allow the login user to: add it there, or log in as another".to_owned()
    } else if has(&["incorrect password attempt", "incorrect authentication attempt", "try again"]) {
        "sudo refused the password: give the login user's own".to_owned()
    } else if has(&["a password is required", "authentication is required", "no password was provided", "unable to read password"]) {
        "sudo wants a password: give one, or allow NOPASSWD in sudoers".to_owned()
    } else {
        match last_line(noise) {
            line if line.is_empty() => format!("sudo ended with code {code} and started no `sh`"),
            line => format!("{line} (exit code {code})"),
        }
    };
    TransportError::Become { host, message }
}

fn last_line(text: &[u8]) -> String {
    String::from_utf8_lossy(text).lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned()
}

#[cfg(test)]
#[path = "shell_tests.rs"]
mod tests;
