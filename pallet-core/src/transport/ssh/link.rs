//! One ssh session that waits without blocking: tokio says when the socket is ready, libssh2 owns a duplicate of it.

use std::future::Future;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use ssh2::{BlockDirections, Error, ErrorCode, Session};
use tokio::io::{AsyncWriteExt, Interest, Ready};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Instant, sleep_until, timeout};

use super::super::TransportError;
use super::proxy_command::ProxyCommand;

/// libssh2's "would block".
const EAGAIN: ErrorCode = ErrorCode::Session(-37);
/// How often a silent peer is asked before it counts as dead.
const UNANSWERED: u32 = 2;

/// What carries a session: a connection of this machine, one end of a tunnel through another session, or a command.
#[derive(Debug)]
pub(super) enum Socket {
    Tcp(TcpStream),
    Tunnel(UnixStream),
    Command(UnixStream, Box<ProxyCommand>),
}

impl Socket {
    async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        match self {
            Socket::Tcp(socket) => socket.ready(interest).await,
            Socket::Tunnel(socket) | Socket::Command(socket, _) => socket.ready(interest).await,
        }
    }

    /// Forgets that the socket is ready, so that the next wait waits. One direction: tokio forgets none if it is given both.
    fn clear(&self, interest: Interest) {
        let would_block = || Err::<(), _>(io::ErrorKind::WouldBlock.into());
        let _ = match self {
            Socket::Tcp(socket) => socket.try_io(interest, would_block),
            Socket::Tunnel(socket) | Socket::Command(socket, _) => socket.try_io(interest, would_block),
        };
    }

    /// Whether the socket is ready at this moment. To be ready to write, a third of the buffer must be free.
    fn is_ready(&self, interest: Interest) -> bool {
        let socket = match self {
            Socket::Tcp(socket) => socket.as_fd(),
            Socket::Tunnel(socket) | Socket::Command(socket, _) => socket.as_fd(),
        };
        let flags = if interest.is_writable() { PollFlags::OUT } else { PollFlags::IN };
        let mut asked = [PollFd::from_borrowed_fd(socket, flags)];
        poll(&mut asked, Some(&Timespec::default())).is_ok() && !asked[0].revents().is_empty()
    }

    fn duplicate(&self) -> io::Result<OwnedFd> {
        match self {
            Socket::Tcp(socket) => socket.as_fd().try_clone_to_owned(),
            Socket::Tunnel(socket) | Socket::Command(socket, _) => socket.as_fd().try_clone_to_owned(),
        }
    }
}

/// A session with its socket. It has one owner, so that no channel is ever dropped while another thread uses the session:
/// libssh2 does not survive that.
pub(super) struct Link {
    pub(super) session: Session,
    socket: Socket,
    pub(super) peer: String,
    keepalive: Option<Duration>,
    heard: Instant,
    asked: u32,
    asked_at: Instant,
}

impl Link {
    pub(super) fn new(socket: Socket, peer: String) -> Result<Self, TransportError> {
        let failed = |message: String| TransportError::Connect { host: peer.clone(), message };
        let session = Session::new().map_err(|error| failed(error.to_string()))?;
        let duplicate = socket.duplicate().map_err(|error| failed(error.to_string()))?;
        let mut owned = session.clone();
        owned.set_tcp_stream(std::net::TcpStream::from(duplicate));
        session.set_blocking(false);
        let now = Instant::now();
        Ok(Link { session, socket, peer, keepalive: None, heard: now, asked: 0, asked_at: now })
    }

    /// Why the command that carries the session has failed, if one does and it has.
    pub(super) async fn command_failure(&mut self) -> Option<String> {
        match &mut self.socket {
            Socket::Command(_, command) => command.failure().await,
            _ => None,
        }
    }

    /// From now on a peer that is silent for `interval` is asked whether it is there.
    pub(super) fn keep_alive(&mut self, interval: Option<Duration>) {
        // libssh2 keeps an interval of its own, of two seconds at least: ours must be longer, so that it sends whenever it is told to.
        self.keepalive = interval.map(|interval| interval.max(Duration::from_secs(3)));
        self.session.set_keepalive(true, 1);
    }

    /// Whether there is room to write a few packets that are not data.
    pub(super) fn has_room(&self) -> bool {
        self.socket.is_ready(Interest::WRITABLE)
    }

    /// Waits until there is room to write, which every call that uses an open channel must do. libssh2 answers and acknowledges
    /// what it reads; where such a small packet does not fit, it wants the same call from the same place on the stack again.
    pub(super) async fn room(&mut self) -> Result<(), TransportError> {
        self.until(Interest::WRITABLE).await
    }

    /// Waits for what libssh2 waited for when it last would have blocked.
    pub(super) async fn wait(&mut self) -> Result<(), TransportError> {
        let outbound = matches!(self.session.block_directions(), BlockDirections::Outbound | BlockDirections::Both);
        self.until(if outbound { Interest::WRITABLE } else { Interest::READABLE }).await
    }

    /// Waits until the socket is ready. A peer that is dead is noticed here.
    ///
    /// That nothing has happened since libssh2 would have blocked does not mean that nothing is there: it may leave a part of what
    /// has arrived in the socket. So the socket itself is asked.
    async fn until(&mut self, interest: Interest) -> Result<(), TransportError> {
        loop {
            self.socket.clear(interest);
            if self.socket.is_ready(interest) {
                // An answer may be there before it is waited for. That there is room to write is no answer.
                if interest.is_readable() {
                    self.hear();
                }
                return Ok(());
            }
            let next = self.keepalive.map(|interval| self.heard.max(self.asked_at) + interval);
            let ask_at = next.unwrap_or_else(Instant::now);
            tokio::select! {
                ready = self.socket.ready(interest) => {
                    ready.map_err(|error| self.lost(error))?;
                    if self.socket.is_ready(interest) {
                        self.hear();
                    }
                }
                () = sleep_until(ask_at), if next.is_some() => self.ask()?,
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
        if self.socket.is_ready(Interest::READABLE) {
            self.hear();
            return Ok(());
        }
        if self.asked >= UNANSWERED {
            return Err(self.lost(format!("it has been silent for {} s", self.heard.elapsed().as_secs())));
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
        loop {
            match call(&self.session) {
                Err(error) if error.code() == EAGAIN => {
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
                message: format!("{what} took longer than {} s: see whether the host is overloaded, or allow it more", limit.as_secs()),
            }),
        }
    }

    /// Runs calls that may block for other reasons than the network (an agent that asks a person, a key that is slow to decrypt)
    /// on a thread made for such.
    pub(super) async fn block<T: Send + 'static>(
        &mut self,
        limit: Duration,
        call: impl FnOnce(&Session) -> T + Send + 'static,
    ) -> Result<T, TransportError> {
        let session = self.session.clone();
        let done = tokio::task::spawn_blocking(move || {
            session.set_timeout(u32::try_from(limit.as_millis()).unwrap_or(u32::MAX));
            session.set_blocking(true);
            let result = call(&session);
            session.set_blocking(false);
            result
        });
        done.await.map_err(|error| self.lost(error))
    }

    /// The connection is of no use any more.
    pub(super) fn lost(&self, why: impl ToString) -> TransportError {
        TransportError::Lost { host: self.peer.clone(), message: why.to_string() }
    }
}

impl Drop for Link {
    /// Ends the connection now: libssh2 frees a session only when sending fails or succeeds, not while it would block.
    fn drop(&mut self) {
        let mut context = Context::from_waker(Waker::noop());
        let _ = match &mut self.socket {
            Socket::Tcp(socket) => pin!(socket.shutdown()).poll(&mut context),
            Socket::Tunnel(socket) | Socket::Command(socket, _) => pin!(socket.shutdown()).poll(&mut context),
        };
    }
}

/// Whether reading or writing a channel would block. (Channels speak `std::io`, whose errors hold libssh2's.)
pub(super) fn would_block(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}
