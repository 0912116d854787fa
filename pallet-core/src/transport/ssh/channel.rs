//! Runs a command in a channel: writes its input while reading its output, whichever is ready.

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::time::Duration;

use ssh2::{Channel, ErrorCode};
use tokio::sync::mpsc::Sender;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::super::exec::timed_out;
use super::super::input::{Feed, Input};
use super::super::{Stream, TransportError};
use super::agent_forward::Forward;
use super::link::Link;
use super::pipe::would_block;

/// How long a peer may take to read the close of a channel.
const CLOSING: Duration = Duration::from_secs(5);
/// libssh2's error code for a request that the server denied.
const DENIED: ErrorCode = ErrorCode::Session(-22);
/// Maximum number of reads from a stream in a row.
const READS: usize = 16;
/// Wait a little before reading more short output: by this much longer each time, up to a maximum.
/// A long script prints many short lines, and each wake-up costs more than the read. Output of at
/// least `SHORT` bytes at once is not short.
const GATHER: Duration = Duration::from_millis(2);
const GATHER_LONGEST: Duration = Duration::from_millis(50);
const SHORT: usize = 8 * 1024;

/// An event of a command: a piece of output, or the end.
pub(super) enum Event {
    Output(Stream, Vec<u8>),
    Ended(Result<i32, TransportError>),
}

/// The result of a command, and what it means for the connection.
pub(super) enum Outcome {
    /// The connection is still usable.
    Reusable(Result<i32, TransportError>),
    /// The connection is unusable.
    Broken(TransportError),
}

/// A command to run, and how.
pub(super) struct Work<'a> {
    pub(super) command: &'a str,
    pub(super) input: Input,
    /// How long the command may be silent.
    pub(super) patience: Option<Duration>,
    /// The socket of the agent that the command may use, if any.
    pub(super) agent: Option<PathBuf>,
}

/// Runs a command in `channel` until it ends, the caller gives up, or it is silent for too long.
pub(super) async fn run(
    link: &mut Link,
    mut channel: Channel,
    work: Work<'_>,
    forward: &mut Forward,
    events: &Sender<Event>,
) -> Outcome {
    if let Some(agent) = work.agent.clone() {
        let begun = tokio::select! {
            begun = forward.begin(link, &mut channel, agent) => begun,
            () = events.closed() => return Outcome::Broken(abandoned(&link.peer)),
        };
        match begun {
            Err(error) => return Outcome::Broken(error),
            Ok(Ok(())) => {}
            Ok(Err(message)) => {
                let refused = TransportError::Agent { host: link.peer.clone(), message };
                return match close(link, &mut channel).await {
                    Ok(()) => Outcome::Reusable(Err(refused)),
                    Err(_) => Outcome::Broken(refused),
                };
            }
        }
    }
    let outcome = run_in(link, channel, work, forward, events).await;
    if let Outcome::Broken(_) = outcome {
        return outcome;
    }
    match timeout(CLOSING, forward.end(link)).await {
        Ok(Ok(())) => outcome,
        Ok(Err(error)) => Outcome::Broken(error),
        Err(_) => Outcome::Broken(deaf(link)),
    }
}

async fn run_in(
    link: &mut Link,
    mut channel: Channel,
    work: Work<'_>,
    forward: &mut Forward,
    events: &Sender<Event>,
) -> Outcome {
    let Work { command, input, patience, .. } = work;
    let started = tokio::select! {
        started = link.drive(|_| channel.exec(command)) => started,
        () = events.closed() => return Outcome::Broken(abandoned(&link.peer)),
    };
    match started {
        Err(error) => return Outcome::Broken(error),
        Ok(Err(error)) if error.code() == DENIED => {
            let message = "the server allows no commands (ForceCommand, or a user without a shell)"
                .to_owned();
            return Outcome::Reusable(Err(TransportError::Start {
                host: link.peer.clone(),
                message,
            }));
        }
        Ok(Err(error)) => return Outcome::Broken(link.lost(error)),
        Ok(Ok(())) => {}
    }
    let mut pump =
        Pump { feed: Some(Feed::new(input)), chunk: Vec::new(), written: 0, stuck: false };
    let result = pump.run(link, &mut channel, forward, patience, events).await;
    if let Err(error @ TransportError::Lost { .. }) = result {
        return Outcome::Broken(error);
    }
    // A half-sent packet must be completed before the next packet.
    let finishing = async {
        while pump.stuck || forward.is_stuck() {
            link.room().await?;
            match pump.stuck {
                true => pump.write(link, &mut channel).map(drop)?,
                false => forward.serve(link).await.map(drop)?,
            }
            if pump.stuck || forward.is_stuck() {
                link.wait().await?;
            }
        }
        Ok(())
    };
    let closed = match timeout(CLOSING, finishing).await {
        Ok(Ok(())) => close(link, &mut channel).await,
        Ok(Err(error)) => Err(error),
        Err(_) => Err(deaf(link)),
    };
    match closed {
        Ok(()) => Outcome::Reusable(result.map(|()| exit_code(&channel))),
        Err(error) => Outcome::Broken(result.err().unwrap_or(error)),
    }
}

/// Closes a channel. The server confirms at once if the command has ended. If not, sending the
/// close is enough: libssh2 keeps the channel until the session ends.
pub(super) async fn close(link: &mut Link, channel: &mut Channel) -> Result<(), TransportError> {
    let closing = async {
        link.room().await?;
        match channel.close().map_err(io::Error::from) {
            Err(error) if !would_block(&error) => Err(link.lost(error)),
            _ => Ok(()),
        }
    };
    match timeout(CLOSING, closing).await {
        Ok(closed) => closed,
        Err(_) => Err(deaf(link)),
    }
}

fn deaf(link: &Link) -> TransportError {
    link.lost("it stopped reading")
}

struct Pump {
    /// The input that is left to write; `None` after the end of the input was sent, or after all of
    /// an input that stays open.
    feed: Option<Feed>,
    chunk: Vec<u8>,
    written: usize,
    /// Whether a packet of input is half sent.
    stuck: bool,
}

impl Pump {
    async fn run(
        &mut self,
        link: &mut Link,
        channel: &mut Channel,
        forward: &mut Forward,
        patience: Option<Duration>,
        events: &Sender<Event>,
    ) -> Result<(), TransportError> {
        let peer = link.peer.clone();
        let mut active = Instant::now();
        let mut buffer = vec![0; 64 * 1024];
        let mut gather = Duration::ZERO;
        loop {
            tokio::select! {
                room = link.room() => room?,
                error = interruption(&peer, active, patience, events) => return Err(error),
            }
            // Write first and check for the end last: each step also receives packets that a later
            // step needs.
            let mut progress = !forward.is_stuck() && self.write_next(link, channel).await?;
            let mut heard = 0;
            if progress && !self.stuck && !link.has_room() {
                continue;
            }
            if !self.stuck {
                progress |= forward.serve(link).await?;
                if progress && !forward.is_stuck() && !link.has_room() {
                    continue;
                }
            }
            if !self.stuck && !forward.is_stuck() {
                for stream in [Stream::Out, Stream::Err] {
                    let mut from = channel.stream(if stream == Stream::Out { 0 } else { 1 });
                    for _ in 0..READS {
                        let Some(read) =
                            unless_blocked(link, from.read(&mut buffer))?.filter(|read| *read > 0)
                        else {
                            break;
                        };
                        heard += read;
                        if events
                            .send(Event::Output(stream, buffer[..read].to_vec()))
                            .await
                            .is_err()
                        {
                            return Err(abandoned(&peer));
                        }
                    }
                }
                progress |= heard > 0 || channel.read_window().available > 0 || forward.has_news();
                if channel.eof()
                    && unless_blocked(link, channel.wait_close().map_err(io::Error::from))?
                        .is_some()
                {
                    return Ok(());
                }
            }
            if progress {
                active = Instant::now();
                if (1..SHORT).contains(&heard) && self.feed.is_none() {
                    gather = (gather + GATHER).min(GATHER_LONGEST);
                    sleep(gather).await;
                } else {
                    tokio::task::yield_now().await;
                }
                continue;
            }
            let gate = self.feed.as_ref().and_then(Feed::gate);
            let stuck = self.stuck || forward.is_stuck();
            let opened = async {
                if let Some(gate) = &gate {
                    gate.opened().await;
                }
            };
            tokio::select! {
                ready = link.wait() => ready?,
                () = forward.ready(), if !stuck => {}
                () = opened, if gate.is_some() => {}
                error = interruption(&peer, active, patience, events) => return Err(error),
            }
        }
    }

    /// Writes as much as there is room for. Returns whether anything moved.
    async fn write_next(
        &mut self,
        link: &mut Link,
        channel: &mut Channel,
    ) -> Result<bool, TransportError> {
        let Some(feed) = &mut self.feed else { return Ok(false) };
        if self.written == self.chunk.len() {
            self.written = 0;
            match feed.next().await? {
                Some(chunk) => self.chunk = chunk,
                None if feed.gate().is_some() => {
                    self.chunk = Vec::new();
                    return Ok(false);
                }
                None if feed.stays_open() => {
                    self.chunk = Vec::new();
                    self.feed = None;
                    return Ok(false);
                }
                None => {
                    self.chunk = Vec::new();
                    if unless_blocked(link, channel.send_eof().map_err(io::Error::from))?.is_some()
                    {
                        self.feed = None;
                    }
                    return Ok(false);
                }
            }
        }
        self.write(link, channel)
    }

    fn write(&mut self, link: &Link, channel: &mut Channel) -> Result<bool, TransportError> {
        let wrote = unless_blocked(link, channel.write(&self.chunk[self.written..]))?;
        // If the server's window is open, a blocked write means that a packet is half sent.
        self.stuck = wrote.is_none() && channel.write_window().remaining > 0;
        self.written += wrote.unwrap_or(0);
        Ok(wrote.is_some_and(|wrote| wrote > 0))
    }
}

/// Returns `None` if the call would block.
pub(super) fn unless_blocked<T>(
    link: &Link,
    result: io::Result<T>,
) -> Result<Option<T>, TransportError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if would_block(&error) => Ok(None),
        Err(error) => Err(link.lost(error)),
    }
}

/// Waits until the caller gives up, or the command was silent for too long.
async fn interruption(
    peer: &str,
    active: Instant,
    patience: Option<Duration>,
    events: &Sender<Event>,
) -> TransportError {
    tokio::select! {
        () = events.closed() => abandoned(peer),
        () = sleep_until(active + patience.unwrap_or_default()), if patience.is_some() => timed_out(
            peer, patience.unwrap_or_default()
        ),
    }
}

fn abandoned(peer: &str) -> TransportError {
    TransportError::Start { host: peer.to_owned(), message: "the command was abandoned".to_owned() }
}

/// The exit code. For a command that a signal ended: as a shell reports it.
fn exit_code(channel: &Channel) -> i32 {
    let signal = channel.exit_signal().ok().and_then(|ended| ended.exit_signal);
    match signal.as_deref() {
        None => channel.exit_status().unwrap_or_default(),
        Some(name) => {
            128 + match name {
                "HUP" => 1,
                "INT" => 2,
                "QUIT" => 3,
                "ILL" => 4,
                "ABRT" => 6,
                "FPE" => 8,
                "KILL" => 9,
                "USR1" => 10,
                "SEGV" => 11,
                "USR2" => 12,
                "PIPE" => 13,
                "ALRM" => 14,
                _ => 15,
            }
        }
    }
}
