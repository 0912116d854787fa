//! Running a script and putting a file, as the login user or as root, over any transport.
//!
//! The script travels as input, never as an argument. Before it goes what `sudo` may want to read,
//! a password, and a marker line; the program that is started skips all up to the marker, so that a
//! password which `sudo` did not ask for never reaches a shell as a command. It answers with a
//! marker on both its streams, so that banners and the noise of login files are told from output,
//! and a shell that never started from a script that failed. Where nobody is asked for a password,
//! the script itself says the marker. What comes before the marker is bounded, in time and in size.
//!
//! The script is one compound command with no input of its own: the shell reads all of it before it
//! runs any of it. A connection that breaks while the script is on its way runs nothing, and a
//! command in the script cannot read the rest of the script. A connection that breaks while the
//! script runs ends it, and the command that it is at. At its end the script says so, because what
//! it left running may keep its output open.
//!
//! The one line that the login shell itself reads is the same for sh, csh and fish: it holds no
//! line end, no `!` and no backslash.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};
use tokio::time::sleep;

use super::root::{WITH_AGENT, line};
use super::sieve::{NOISE, Sieve};
use super::unstarted::{last_line, never_began, not_started};
use super::{Gate, Input, InputPart, Output, Secret, Stream, Transport, TransportError};
use crate::script::quote;

/// The line that begins a script's output.
pub(super) const MARKER: &str = "#pallet\n";
/// The line that ends what is not for it in the input: another one, or something that repeats its
/// input would say that the script begins.
const BEGIN: &str = "#begin\n";
/// Skips its input up to the marker, and says so.
pub(super) const READER: &str = r##"while IFS= read -r l && [ "$l" != "#begin" ]; do :; done; echo "#pallet"; echo "#pallet" >&2"##;
/// Takes a program from its input, up to the next marker, and runs it on the rest.
const TAKER: &str = r##"n=$(echo; echo .); p=; while IFS= read -r l && [ "$l" != "#begin" ]; do p=$p$l${n%.}; done; eval "$p""##;
/// What runs a script as the login user, who is asked for nothing.
pub(super) const LOGIN_SHELL: &str = "sh";
/// Ends the script's processes when its input ends. It begins when the shell has read the whole
/// script: there is nothing left to read. What does not end when it is told to is killed, but for
/// transactions of packages: half of one is worse than all of it.
const WATCH: &str = r#"{ while read -r line; do :; done <&3
trap '' TERM
kill -TERM 0
sleep 5
read -r own </proc/self/stat; own=${own##*) }; set -- $own; own=$3
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
  busy=
  for of in $(grep -ls PALLET_TRANSACTION= /proc/[0-9]*/environ); do
    read -r stat <"${of%environ}stat" || continue
    stat=${stat##*) }; set -- $stat
    if [ "$3" = "$own" ]; then busy=yes; fi
  done
  [ -n "$busy" ] || break
  sleep 30
done
kill -KILL 0; } >/dev/null 2>&1 &
watch=$!
"#;
/// How long output is awaited from what a script left running with its output open.
const LINGER: Duration = Duration::from_millis(500);
/// How long the list of what a script left running may take.
const LISTING: Duration = Duration::from_secs(10);
/// Tells which processes a script started: it is in their environment.
const RUN: &str = "PALLET_RUN";
/// The exit code of a script whose first line did not arrive.
pub(super) const BEHEADED: i32 = 97;

/// When what is given to a node's shell may begin, and how long it may take from then on.
#[derive(Debug, Clone, Default)]
pub struct Turn {
    /// It begins when there is room; the shell has answered by then, so that one that does not
    /// answer takes no room.
    pub room: Option<Arc<Semaphore>>,
    /// It is given up after so long.
    pub limit: Option<Duration>,
    /// Whether it may use the ssh agent of this machine: a script finds its socket in
    /// `SSH_AUTH_SOCK`.
    pub agent: bool,
}

/// Who runs a script.
#[derive(Debug, Clone)]
pub enum Become {
    /// The login user.
    Login,
    /// Root, by `sudo`, with the login user's password where it is needed; where there is no sudo,
    /// by `doas`, or by `su` with root's password.
    Root(Option<Secret>),
}

/// How a script ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// Its exit code.
    pub code: i32,
    /// What it started that still runs and has its output open, as a warning; `None` if there is
    /// nothing such.
    pub left: Option<String>,
}

/// Runs a script with `sh`, hands over its output as it comes, and returns its exit code.
pub async fn run_script(
    transport: &mut dyn Transport,
    as_: &Become,
    script: &str,
    output: &mut Output<'_>,
) -> Result<i32, TransportError> {
    run_script_in_turn(transport, as_, script, &Turn::default(), output).await.map(|ran| ran.code)
}

/// The same, when its turn has come.
pub async fn run_script_in_turn(
    transport: &mut dyn Transport,
    as_: &Become,
    script: &str,
    turn: &Turn,
    output: &mut Output<'_>,
) -> Result<Ran, TransportError> {
    if turn.agent {
        transport.lend_agent().await?;
    }
    let token = token();
    let end = format!("#pallet-end {token} ");
    // its input stays open while it runs, and ends with the connection: then all its processes are
    // told to end
    let body = format!(
        "{{ :\n{WATCH}( exec 3<&-; export {RUN}={token}\n{script}\n) </dev/null\n\
        status=$?\nkill \"$watch\"\nprintf '{end}%s\\n' \"$status\"\nexit \"$status\"\n}}\n"
    );
    let (program, head, body) = match as_ {
        // nothing stands before the script that would have to be skipped; a start-up file that
        // reads may have eaten the head
        Become::Login => {
            let head = format!("pallet={token}; echo '#pallet'; echo '#pallet' >&2; exec 3<&0\n");
            (None, head, format!("{{ [ \"$pallet\" = {token} ] || exit {BEHEADED}\n{body}}}\n"))
        }
        Become::Root(_) if turn.agent => (Some(WITH_AGENT), "exec 3<&0\n".to_owned(), body),
        Become::Root(_) => (Some("exec sh"), "exec 3<&0\n".to_owned(), body),
    };
    let (mut parts, gate) = turn.gated();
    parts.push(InputPart::Bytes(body.into_bytes()));
    parts.push(InputPart::Open);
    let mut before = vec![InputPart::Bytes(head.into_bytes())];
    let heard = match program {
        None => {
            before.append(&mut parts);
            hear(transport, as_, LOGIN_SHELL, Input(before), (turn, &gate), Some(&end), output)
                .await?
        }
        Some(program) => {
            parts.insert(usize::from(turn.room.is_some()), before.remove(0));
            run(transport, as_, program, parts, (turn, &gate), Some(&end), output).await?
        }
    };
    let left = if heard.left { Some(left_behind(transport, as_, &token).await) } else { None };
    Ok(Ran { code: heard.code, left })
}

/// What a script that has ended left running with its output open.
async fn left_behind(transport: &mut dyn Transport, as_: &Become, token: &str) -> String {
    let program = format!(
        "for of in $(grep -ls {RUN}={token} /proc/[0-9]*/environ); do read -r name \
         <\"${{of%environ}}comm\" && of=${{of%/environ}} && echo \"$name (process \
         ${{of#/proc/}})\"; done"
    );
    let mut said = Vec::new();
    let mut listen = |stream: Stream, bytes: &[u8]| {
        if stream == Stream::Out && said.len() < NOISE {
            said.extend_from_slice(bytes);
        }
    };
    let _ = tokio::time::timeout(
        LISTING,
        run_program(transport, as_, &program, Input::none(), &mut listen),
    )
    .await;
    let said = String::from_utf8_lossy(&said);
    let found: Vec<_> = said.lines().take(5).collect();
    let what = if found.is_empty() { "something".to_owned() } else { found.join(", ") };
    format!(
        "{what} was started by a script and still runs, with the output of the script open; start \
         it with `>/dev/null 2>&1`, or as a service"
    )
}

/// Puts a file on the node at `path`, as a whole or not at all, in a directory that is made (mode
/// 0700) if there is none. The file has mode 0600 if it is new.
pub async fn put(
    transport: &mut dyn Transport,
    as_: &Become,
    path: &str,
    input: Input,
) -> Result<(), TransportError> {
    put_in_turn(transport, as_, path, input, &Turn::default()).await
}

/// The same, when its turn has come.
pub async fn put_in_turn(
    transport: &mut dyn Transport,
    as_: &Become,
    path: &str,
    input: Input,
    turn: &Turn,
) -> Result<(), TransportError> {
    let size = input.size().await?;
    let (file, part) = (quote(path), quote(&format!("{path}.part")));
    let parent = match path.rsplit_once('/') {
        Some(("", _)) => "/",
        Some((parent, _)) => parent,
        None => ".",
    };
    let program = format!(
        "umask 077; mkdir -p -- {parent} && cat >{part} && if [ $(wc -c <{part}) -eq {size} ]; \
         then mv -f -- {part} {file}; \
         else echo 'the content arrived in part' >&2; false; fi || {{ rm -f -- {part}; exit 1; }}",
        parent = quote(parent),
    );
    let mut errors = Vec::new();
    let code = run_program_in_turn(transport, as_, &program, input, turn, &mut |stream, bytes| {
        if stream == Stream::Err && errors.len() < NOISE {
            errors.extend_from_slice(bytes);
        }
    })
    .await?;
    if code == 0 {
        return Ok(());
    }
    let message = match last_line(&errors) {
        line if line.contains("No space left on device") => format!(
            "no space left on the device: \
            {size} bytes are needed"
        ),
        line if line.is_empty() => format!("the shell ended with code {code}"),
        line => line,
    };
    Err(TransportError::Write { host: transport.peer().to_owned(), path: path.to_owned(), message })
}

/// Runs a short program with `sh`, feeds it `input`, hands over its output as it comes, and returns
/// its exit code. The program may be an argument, so it holds nothing that a list of processes may
/// not show.
pub async fn run_program(
    transport: &mut dyn Transport,
    as_: &Become,
    program: &str,
    input: Input,
    output: &mut Output<'_>,
) -> Result<i32, TransportError> {
    run_program_in_turn(transport, as_, program, input, &Turn::default(), output).await
}

/// The same, when its turn has come.
pub async fn run_program_in_turn(
    transport: &mut dyn Transport,
    as_: &Become,
    program: &str,
    input: Input,
    turn: &Turn,
    output: &mut Output<'_>,
) -> Result<i32, TransportError> {
    let (mut parts, gate) = turn.gated();
    // login shells differ in how they read these
    let program = match program.contains(['\n', '!', '\\']) {
        false => program,
        true => {
            parts.push(InputPart::Bytes(format!("{program}\n{BEGIN}").into_bytes()));
            TAKER
        }
    };
    parts.extend(input.0);
    run(transport, as_, program, parts, (turn, &gate), None, output).await.map(|heard| heard.code)
}

impl Turn {
    /// What holds back an input until the turn has come, and what lets it through.
    fn gated(&self) -> (Vec<InputPart>, Gate) {
        let gate = Gate::default();
        let part = self.room.is_some().then(|| InputPart::Gate(gate.clone()));
        (part.into_iter().collect(), gate)
    }
}

/// Starts `program` behind the reader, feeds it `input`, and hands over what comes after the
/// marker.
async fn run(
    transport: &mut dyn Transport,
    as_: &Become,
    program: &str,
    input: Vec<InputPart>,
    turn: (&Turn, &Gate),
    end: Option<&str>,
    output: &mut Output<'_>,
) -> Result<Heard, TransportError> {
    let (command, mut parts) = line(as_, &format!("{READER}; {program}"), turn.0.agent);
    parts.push(InputPart::Bytes(BEGIN.into()));
    parts.extend(input);
    hear(transport, as_, &command, Input(parts), turn, end, output).await
}

/// How a command ended.
enum Ended {
    /// By itself, or with the connection.
    Itself(Result<i32, TransportError>),
    /// Its shell said nothing for as long as it may.
    Silent,
    /// Its time is up.
    Late(Duration),
    /// It has ended, and something that it started has its output open.
    LeftBehind,
}

/// How what was heard ended.
struct Heard {
    code: i32,
    /// Whether something that was started has the output open.
    left: bool,
}

/// Runs `command`, and hands over what it prints after the marker, up to what it prints at its
/// `end`.
async fn hear(
    transport: &mut dyn Transport,
    as_: &Become,
    command: &str,
    input: Input,
    (turn, gate): (&Turn, &Gate),
    end: Option<&str>,
    output: &mut Output<'_>,
) -> Result<Heard, TransportError> {
    let host = transport.peer().to_owned();
    let patience = transport.shell_timeout();
    let patience = turn.limit.map_or(patience, |limit| limit.min(patience));
    let (mut out, mut err) = (Sieve::new(end), Sieve::new(None));
    let (first, flood, last) = (Notify::new(), Notify::new(), Notify::new());
    let ended = {
        let mut take = |stream: Stream, bytes: &[u8]| {
            let sieve = if stream == Stream::Out { &mut out } else { &mut err };
            sieve.pass(bytes, &mut |bytes| output(stream, bytes));
            if sieve.open {
                first.notify_one();
            } else if sieve.is_flooded() {
                flood.notify_one();
            }
            if sieve.code.is_some() {
                last.notify_one();
            }
        };
        let mut running = transport.exec(command, input, &mut take);
        let work = async {
            tokio::select! {
                ended = &mut running => return Ended::Itself(ended),
                () = first.notified() => {}
                () = flood.notified() => return Ended::Silent,
                () = sleep(patience) => return Ended::Silent,
            }
            let room = async {
                match turn.room.clone() {
                    Some(room) => room.acquire_owned().await.ok(),
                    None => None,
                }
            };
            let _room = tokio::select! {
                ended = &mut running => return Ended::Itself(ended),
                room = room => room,
            };
            gate.open();
            let limit = turn.limit.unwrap_or_default();
            tokio::select! {
                ended = &mut running => Ended::Itself(ended),
                () = async { last.notified().await; sleep(LINGER).await } => Ended::LeftBehind,
                () = sleep(limit), if turn.limit.is_some() => Ended::Late(limit),
            }
        };
        work.await
    };
    out.flush(&mut |bytes| output(Stream::Out, bytes));
    if out.is_flooded() || err.is_flooded() {
        return Err(never_began(host, as_, true, patience, &[out.noise, err.noise].concat()));
    }
    match ended {
        Ended::Itself(Ok(code)) if out.open || err.open => Ok(Heard { code, left: false }),
        Ended::Itself(Ok(code)) => {
            Err(not_started(&host, as_, code, &[out.noise, err.noise].concat()))
        }
        Ended::Itself(Err(error)) => Err(error),
        Ended::LeftBehind => Ok(Heard { code: out.code.unwrap_or_default(), left: true }),
        Ended::Late(limit) => {
            let message =
                format!("it did not end within {} s, and was told to", limit.as_secs_f64());
            Err(TransportError::Timeout { host, message })
        }
        Ended::Silent => {
            Err(never_began(host, as_, false, patience, &[out.noise, err.noise].concat()))
        }
    }
}

/// A word that no command prints by chance.
fn token() -> String {
    // each RandomState is seeded from the system's randomness
    format!("{:016x}", RandomState::new().build_hasher().finish())
}

#[cfg(test)]
#[path = "shell_tests.rs"]
mod tests;
