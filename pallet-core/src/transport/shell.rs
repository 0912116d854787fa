//! Starts a program in the login shell of a node, as the login user or as root, over any transport.
//!
//! The program travels as input, never as an argument. Before it come the password, which `sudo`
//! may read, and a marker line. The shell that starts skips its input up to the marker, so a
//! password that `sudo` did not ask for never runs as a command. The shell then prints a marker on
//! stdout and stderr. The marker separates banners and the noise of login files from real output,
//! and a shell that never started from a script that failed. Without a password, the script itself
//! prints the marker. The time and the number of bytes before the marker are limited.
//!
//! The only line that the login shell itself reads works in sh, csh and fish: it contains no line
//! feed, no `!` and no backslash.

use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;

use super::become_root::line;
use super::markers::{BEGIN, READER};
use super::output_filter::OutputFilter;
use super::start_error::{never_began, not_started};
use super::{
    Become, Gate, Input, InputPart, Output, ScriptOptions, Stream, Transport, TransportError,
};

/// How long to wait for output after a script ended but left a process with its output open.
const LINGER: Duration = Duration::from_millis(500);

/// Runs `program` after the reader has skipped to the marker, feeds it `input`, and streams the
/// output after the marker.
pub(super) async fn run(
    transport: &mut dyn Transport,
    as_: &Become,
    program: &str,
    input: Vec<InputPart>,
    options: (&ScriptOptions, &Gate),
    end: Option<&str>,
    output: &mut Output<'_>,
) -> Result<Heard, TransportError> {
    let (command, mut parts) = line(as_, &format!("{READER}; {program}"), options.0.agent);
    parts.push(InputPart::Bytes(BEGIN.into()));
    parts.extend(input);
    hear(transport, as_, &command, Input(parts), options, end, output).await
}

/// How a command ended.
enum Ended {
    /// By itself, or because the connection broke.
    Itself(Result<i32, TransportError>),
    /// The shell was silent for too long.
    Silent,
    /// It timed out.
    Late(Duration),
    /// It ended, but a process that it started keeps its output open.
    LeftBehind,
}

/// The result of a command.
pub(super) struct Heard {
    pub(super) code: i32,
    /// Whether a process that it started keeps the output open.
    pub(super) left: bool,
}

/// Runs `command` and streams its output: from the marker up to the line that starts with `end`.
pub(super) async fn hear(
    transport: &mut dyn Transport,
    as_: &Become,
    command: &str,
    input: Input,
    (options, gate): (&ScriptOptions, &Gate),
    end: Option<&str>,
    output: &mut Output<'_>,
) -> Result<Heard, TransportError> {
    let host = transport.peer().to_owned();
    let patience = transport.shell_timeout();
    let patience = options.limit.map_or(patience, |limit| limit.min(patience));
    let (mut out, mut err) = (OutputFilter::new(end), OutputFilter::new(None));
    let (first, flood, last) = (Notify::new(), Notify::new(), Notify::new());
    let ended = {
        let mut take = |stream: Stream, bytes: &[u8]| {
            let filter = if stream == Stream::Out { &mut out } else { &mut err };
            filter.pass(bytes, &mut |bytes| output(stream, bytes));
            if filter.open {
                first.notify_one();
            } else if filter.is_flooded() {
                flood.notify_one();
            }
            if filter.code.is_some() {
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
                match options.slots.clone() {
                    Some(room) => room.acquire_owned().await.ok(),
                    None => None,
                }
            };
            let _room = tokio::select! {
                ended = &mut running => return Ended::Itself(ended),
                room = room => room,
            };
            gate.open();
            let limit = options.limit.unwrap_or_default();
            tokio::select! {
                ended = &mut running => Ended::Itself(ended),
                () = async { last.notified().await; sleep(LINGER).await } => Ended::LeftBehind,
                () = sleep(limit), if options.limit.is_some() => Ended::Late(limit),
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
            let message = format!("timed out after {} s; terminated", limit.as_secs_f64());
            Err(TransportError::Timeout { host, message })
        }
        Ended::Silent => {
            Err(never_began(host, as_, false, patience, &[out.noise, err.noise].concat()))
        }
    }
}
