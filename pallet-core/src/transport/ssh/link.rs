//! One ssh session that waits without blocking. libssh2 has one end of a pipe, and tokio reports
//! when data can be moved through it.

use std::time::Duration;

use ssh2::{BlockDirections, Error, ErrorCode, Session};
use tokio::io::Interest;
use tokio::time::{Instant, sleep_until, timeout};

use super::super::TransportError;
use super::pipe::{Pipe, Socket};

/// libssh2's "would block".
const EAGAIN: ErrorCode = ErrorCode::Session(-37);
/// Maximum number of unanswered keepalives.
const UNANSWERED: u32 = 2;
/// How many bytes a peer may send before the key exchange is complete, and again before the login
/// is complete.
pub(super) const BEFORE_LOGIN: u64 = 1 << 20;
/// How long a peer that announced the end of the connection may take to close it.
const ENDING: Duration = Duration::from_secs(1);
/// How many times in a row libssh2 may fail to read bytes that are available.
const IN_VAIN: u32 = 1000;

/// A session with its socket. It has one owner: libssh2 does not survive a channel that is dropped
/// while another thread uses the session.
pub(super) struct Link {
    pub(super) session: Session,
    pipe: Pipe,
    pub(super) peer: String,
    /// What Pallet waits for until the login is complete, for messages.
    stage: &'static str,
    keepalive: Option<Duration>,
    heard: Instant,
    asked: u32,
    asked_at: Instant,
}

/// What libssh2 needs to do to continue.
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

    /// Begins a stage before the login is complete. The peer may send only a limited amount.
    pub(super) fn begin(&mut self, stage: &'static str) {
        self.stage = stage;
        self.pipe.allow(BEFORE_LOGIN);
    }

    /// Ends the limit on what the peer may send: the login is complete.
    pub(super) fn logged_in(&mut self) {
        self.pipe.allow(u64::MAX);
    }

    /// Whether the peer has sent anything.
    pub(super) fn has_spoken(&self) -> bool {
        self.pipe.received() > 0
    }

    /// Whether the peer has closed the connection.
    pub(super) fn has_ended(&self) -> bool {
        self.pipe.ended().is_some()
    }

    /// Whether the peer closes the connection within `ENDING`.
    pub(super) async fn is_ending(&mut self) -> bool {
        let ending = async {
            while self.carry().is_ok() && !self.has_ended() && self.pipe.ready().await.is_ok() {}
        };
        // only the state afterwards counts, not whether it timed out
        let _ = timeout(ENDING, ending).await;
        self.has_ended()
    }

    /// Why the ProxyCommand failed, if there is one and it failed.
    pub(super) async fn command_failure(&mut self) -> Option<String> {
        match &mut self.pipe.socket {
            Socket::Command(_, command) => command.failure().await,
            _ => None,
        }
    }

    /// Sends a keepalive whenever the peer was silent for `interval`.
    pub(super) fn keep_alive(&mut self, interval: Option<Duration>) {
        // libssh2 has an interval of its own, at least 2 s. Ours must be longer, so that every
        // keepalive we ask for is sent.
        self.keepalive = interval.map(|interval| interval.max(Duration::from_secs(3)));
        self.session.set_keepalive(true, 1);
    }

    /// Whether there is room to write a few small packets.
    pub(super) fn has_room(&self) -> bool {
        self.pipe.has_room()
    }

    /// Whether written bytes wait to be sent.
    pub(super) fn is_pending(&self) -> bool {
        self.pipe.is_pending()
    }

    /// Waits until there is room to write. Call it before every call that uses an open channel:
    /// libssh2 answers and acknowledges what it reads, and if such a small packet does not fit,
    /// libssh2 must be called again in exactly the same way.
    pub(super) async fn room(&mut self) -> Result<(), TransportError> {
        self.until(Next::Write).await
    }

    /// Waits until everything is sent.
    pub(super) async fn flush(&mut self) -> Result<(), TransportError> {
        loop {
            self.carry()?;
            if !self.pipe.is_pending() {
                return Ok(());
            }
            self.pipe.ready().await.map_err(|error| self.lost(error))?;
        }
    }

    /// Waits for the direction that blocked libssh2 last.
    pub(super) async fn wait(&mut self) -> Result<(), TransportError> {
        let outbound = matches!(
            self.session.block_directions(),
            BlockDirections::Outbound | BlockDirections::Both
        );
        self.until(if outbound { Next::Write } else { Next::Read }).await
    }

    /// Waits until libssh2 can continue. Detects dead peers.
    ///
    /// Bytes may be left in the pipe even if nothing new arrived, because libssh2 may not read all
    /// that it is given. So this checks libssh2's end of the pipe.
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

    /// Moves data between libssh2 and the network, without waiting.
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
                    "it sent over {} KB before {} was complete: is this an ssh server, and the \
                     right port?",
                    BEFORE_LOGIN / 1024,
                    self.stage
                );
                Err(TransportError::Connect { host: self.peer.clone(), message })
            }
        }
    }

    /// The peer is alive: it sent something, or accepted data.
    fn hear(&mut self) {
        self.heard = Instant::now();
        self.asked = 0;
    }

    /// Sends a keepalive to a silent peer. Fails if it did not answer the last ones.
    fn ask(&mut self) -> Result<(), TransportError> {
        if self.asked >= UNANSWERED {
            return Err(
                self.lost(format!("it has been silent for {} s", self.heard.elapsed().as_secs()))
            );
        }
        self.asked += 1;
        self.asked_at = Instant::now();
        // If there is no room for a keepalive, the silence itself is enough.
        if self.has_room() {
            self.session.keepalive_send().map_err(|error| self.lost(error))?;
        }
        Ok(())
    }

    /// Calls libssh2 until it no longer blocks.
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
                        return Err(self.lost(self.pipe.ended().unwrap_or("it does not speak ssh")));
                    }
                    self.wait().await?;
                    tokio::task::yield_now().await;
                }
                result => return Ok(result),
            }
        }
    }

    /// Like [`Link::drive`], with a timeout.
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
                    "{what} took longer than {} s: check whether the host is overloaded, or raise \
                     the timeout",
                    limit.as_secs()
                ),
            }),
        }
    }

    /// Runs a call that may block for other reasons than the network (an agent that asks a person,
    /// a key that is slow to decrypt) on a blocking thread.
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

    /// The error for a connection that is unusable.
    pub(super) fn lost(&self, why: impl ToString) -> TransportError {
        TransportError::Lost { host: self.peer.clone(), message: why.to_string() }
    }
}

impl Drop for Link {
    /// Closes the connection now: libssh2 frees a session only if sending fails or succeeds, not
    /// while it would block.
    fn drop(&mut self) {
        self.pipe.shut();
    }
}
