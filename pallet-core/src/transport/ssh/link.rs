//! One ssh session that waits without blocking: libssh2 has one end of a pipe, and tokio says when
//! there is something to move through it.

use std::time::Duration;

use ssh2::{BlockDirections, Error, ErrorCode, Session};
use tokio::io::Interest;
use tokio::time::{Instant, sleep_until, timeout};

use super::super::TransportError;
use super::pipe::{Pipe, Socket};

/// libssh2's "would block".
const EAGAIN: ErrorCode = ErrorCode::Session(-37);
/// How often a silent peer is asked before it counts as dead.
const UNANSWERED: u32 = 2;
/// How much a peer may send before its keys are agreed on, and again before somebody is logged in.
pub(super) const BEFORE_LOGIN: u64 = 1 << 20;
/// How long a peer that has said that it ends the connection may take to do so.
const ENDING: Duration = Duration::from_secs(1);
/// How often libssh2 may be asked in vain to read what is there.
const IN_VAIN: u32 = 1000;

/// A session with its socket. It has one owner, so that no channel is ever dropped while another
/// thread uses the session: libssh2 does not survive that.
pub(super) struct Link {
    pub(super) session: Session,
    pipe: Pipe,
    pub(super) peer: String,
    /// What the peer is waited for, until somebody is logged in.
    stage: &'static str,
    keepalive: Option<Duration>,
    heard: Instant,
    asked: u32,
    asked_at: Instant,
}

/// What libssh2 would have to do to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Read,
    Write,
}

impl Link {
    pub(super) fn new(socket: Socket, peer: String) -> Result<Self, TransportError> {
        let failed = |message: String| TransportError::Connect { host: peer.clone(), message };
        let session = Session::new().map_err(|error| failed(error.to_string()))?;
        let pipe = Pipe::new(socket).map_err(|error| failed(error.to_string()))?;
        let mut owned = session.clone();
        owned.set_tcp_stream(pipe.far());
        session.set_blocking(false);
        let now = Instant::now();
        Ok(Link {
            session,
            pipe,
            peer,
            stage: "",
            keepalive: None,
            heard: now,
            asked: 0,
            asked_at: now,
        })
    }

    /// Begins what comes before somebody is logged in: the peer may not send more than a little.
    pub(super) fn begin(&mut self, stage: &'static str) {
        self.stage = stage;
        self.pipe.allow(BEFORE_LOGIN);
    }

    /// Somebody is logged in: the peer may send as much as it likes.
    pub(super) fn logged_in(&mut self) {
        self.pipe.allow(u64::MAX);
    }

    /// Whether the peer has said anything.
    pub(super) fn has_spoken(&self) -> bool {
        self.pipe.received() > 0
    }

    /// Whether the peer has ended the connection.
    pub(super) fn has_ended(&self) -> bool {
        self.pipe.ended().is_some()
    }

    /// Whether the peer ends the connection now.
    pub(super) async fn is_ending(&mut self) -> bool {
        let ending = async {
            while self.carry().is_ok() && !self.has_ended() && self.pipe.ready().await.is_ok() {}
        };
        // what counts is whether it did, not how long that took
        let _ = timeout(ENDING, ending).await;
        self.has_ended()
    }

    /// Why the command that carries the session has failed, if one does and it has.
    pub(super) async fn command_failure(&mut self) -> Option<String> {
        match &mut self.pipe.socket {
            Socket::Command(_, command) => command.failure().await,
            _ => None,
        }
    }

    /// From now on a peer that is silent for `interval` is asked whether it is there.
    pub(super) fn keep_alive(&mut self, interval: Option<Duration>) {
        // libssh2 keeps an interval of its own, of two seconds at least: ours must be longer, so
        // that it sends whenever it is told to.
        self.keepalive = interval.map(|interval| interval.max(Duration::from_secs(3)));
        self.session.set_keepalive(true, 1);
    }

    /// Whether there is room to write a few packets that are not data.
    pub(super) fn has_room(&self) -> bool {
        self.pipe.has_room()
    }

    /// Whether something that was written waits for room to be sent.
    pub(super) fn is_pending(&self) -> bool {
        self.pipe.is_pending()
    }

    /// Waits until there is room to write, which every call that uses an open channel must do.
    /// libssh2 answers and acknowledges what it reads; where such a small packet does not fit, it
    /// wants the same call from the same place on the stack again.
    pub(super) async fn room(&mut self) -> Result<(), TransportError> {
        self.until(Next::Write).await
    }

    /// Waits until all that was written is sent.
    pub(super) async fn flush(&mut self) -> Result<(), TransportError> {
        loop {
            self.carry()?;
            if !self.pipe.is_pending() {
                return Ok(());
            }
            self.pipe.ready().await.map_err(|error| self.lost(error))?;
        }
    }

    /// Waits for what libssh2 waited for when it last would have blocked.
    pub(super) async fn wait(&mut self) -> Result<(), TransportError> {
        let outbound = matches!(
            self.session.block_directions(),
            BlockDirections::Outbound | BlockDirections::Both
        );
        self.until(if outbound { Next::Write } else { Next::Read }).await
    }

    /// Waits until libssh2 can go on. A peer that is dead is noticed here.
    ///
    /// That nothing has come since libssh2 would have blocked does not mean that nothing is there:
    /// it may leave a part of what it was given. So its end of the pipe itself is asked.
    async fn until(&mut self, next: Next) -> Result<(), TransportError> {
        loop {
            self.carry()?;
            let ready = match next {
                Next::Read => self.pipe.has_more(),
                Next::Write => self.pipe.has_room(),
            };
            if ready {
                return Ok(());
            }
            let ask_at = self.keepalive.map(|interval| self.heard.max(self.asked_at) + interval);
            let asks = ask_at.is_some();
            tokio::select! {
                ready = self.pipe.ready() => ready.map_err(|error| self.lost(error))?,
                () = sleep_until(ask_at.unwrap_or_else(Instant::now)), if asks => self.ask()?,
            }
        }
    }

    /// Moves what can be moved between libssh2 and the network.
    fn carry(&mut self) -> Result<(), TransportError> {
        match self.pipe.carry() {
            Ok(alive) => {
                if alive {
                    self.hear();
                }
                Ok(())
            }
            Err(_) => {
                let message = format!(
                    "it sends without end before {} is done (over {} KB): is this an ssh server, \
                     and the right port?",
                    self.stage,
                    BEFORE_LOGIN / 1024
                );
                Err(TransportError::Connect { host: self.peer.clone(), message })
            }
        }
    }

    /// The peer has said something, or taken what was written.
    fn hear(&mut self) {
        self.heard = Instant::now();
        self.asked = 0;
    }

    /// Asks a silent peer whether it is there.
    fn ask(&mut self) -> Result<(), TransportError> {
        if self.asked >= UNANSWERED {
            return Err(
                self.lost(format!("it has been silent for {} s", self.heard.elapsed().as_secs()))
            );
        }
        self.asked += 1;
        self.asked_at = Instant::now();
        // Where there is no room for a question, the peer's silence is enough.
        if self.has_room() {
            self.session.keepalive_send().map_err(|error| self.lost(error))?;
        }
        Ok(())
    }

    /// Calls libssh2 until it no longer would block.
    pub(super) async fn drive<T>(
        &mut self,
        mut call: impl FnMut(&Session) -> Result<T, Error>,
    ) -> Result<Result<T, Error>, TransportError> {
        let (mut unread, mut in_vain) = (0, 0);
        loop {
            match call(&self.session) {
                Err(error) if error.code() == EAGAIN => {
                    let left = self.pipe.unread();
                    in_vain = if left == unread && self.pipe.has_more() { in_vain + 1 } else { 0 };
                    unread = left;
                    if in_vain > IN_VAIN {
                        return Err(
                            self.lost(self.pipe.ended().unwrap_or("it sends what is no ssh"))
                        );
                    }
                    self.wait().await?;
                    tokio::task::yield_now().await;
                }
                result => return Ok(result),
            }
        }
    }

    /// The same, for no longer than `limit`.
    pub(super) async fn drive_within<T>(
        &mut self,
        limit: Duration,
        what: &str,
        call: impl FnMut(&Session) -> Result<T, Error>,
    ) -> Result<Result<T, Error>, TransportError> {
        match timeout(limit, self.drive(call)).await {
            Ok(result) => result,
            Err(_) => Err(TransportError::Timeout {
                host: self.peer.clone(),
                message: format!(
                    "{what} took longer than {} s: see whether the host is \
                    overloaded, or allow it more",
                    limit.as_secs()
                ),
            }),
        }
    }

    /// Runs calls that may block for other reasons than the network (an agent that asks a person, a
    /// key that is slow to decrypt) on a thread made for such.
    pub(super) async fn block<T: Send + 'static>(
        &mut self,
        limit: Duration,
        call: impl FnOnce(&Session) -> T + Send + 'static,
    ) -> Result<T, TransportError> {
        let session = self.session.clone();
        let mut done = tokio::task::spawn_blocking(move || {
            session.set_timeout(u32::try_from(limit.as_millis()).unwrap_or(u32::MAX));
            session.set_blocking(true);
            let result = call(&session);
            session.set_blocking(false);
            result
        });
        let watch = self.pipe.watch().map_err(|error| self.lost(error))?;
        loop {
            self.carry()?;
            tokio::select! {
                done = &mut done => return done.map_err(|error| self.lost(error)),
                ready = self.pipe.ready() => ready.map_err(|error| self.lost(error))?,
                wrote = watch.ready(Interest::READABLE), if !self.pipe.is_pending() => {
                    wrote.map_err(|error| self.lost(error))?
                }
                read = watch.ready(Interest::WRITABLE), if self.pipe.is_full() => {
                    read.map_err(|error| self.lost(error))?
                }
            }
        }
    }

    /// The connection is of no use any more.
    pub(super) fn lost(&self, why: impl ToString) -> TransportError {
        TransportError::Lost { host: self.peer.clone(), message: why.to_string() }
    }
}

impl Drop for Link {
    /// Ends the connection now: libssh2 frees a session only when sending fails or succeeds, not
    /// while it would block.
    fn drop(&mut self) {
        self.pipe.shut();
    }
}
