//! What lies between a session and the network.
//!
//! libssh2 reads as long as there is something to read, within one call: a peer that sends without
//! end would keep it, and the thread that it runs on, for ever. So it is given one end of a pair of
//! sockets of this machine, and what the peer sends is put in there piece by piece, between its
//! calls. Each call then ends, whatever the peer does.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::ioctl_fionread;
use tokio::io::{AsyncWriteExt, Interest};
use tokio::net::{TcpStream, UnixStream};

use super::proxy_command::ProxyCommand;

/// How much is moved at once: a packet of ssh has no more.
const PIECE: usize = 32 * 1024;

/// What carries a session: a connection of this machine, one end of a tunnel through another
/// session, or a command.
#[derive(Debug)]
pub(super) enum Socket {
    Tcp(TcpStream),
    Tunnel(UnixStream),
    Command(UnixStream, Box<ProxyCommand>),
}

impl Socket {
    async fn ready(&self, interest: Interest) -> io::Result<()> {
        let ready = match self {
            Socket::Tcp(socket) => socket.ready(interest).await,
            Socket::Tunnel(socket) | Socket::Command(socket, _) => socket.ready(interest).await,
        };
        ready.map(drop)
    }

    fn try_read(&self, space: &mut [u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(socket) => socket.try_read(space),
            Socket::Tunnel(socket) | Socket::Command(socket, _) => socket.try_read(space),
        }
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(socket) => socket.try_write(bytes),
            Socket::Tunnel(socket) | Socket::Command(socket, _) => socket.try_write(bytes),
        }
    }
}

/// libssh2's end of the pair.
#[derive(Debug, Clone)]
pub(super) struct Far(Arc<OwnedFd>);

impl AsRawFd for Far {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// Moves bytes between the network and libssh2's end of the pair.
#[derive(Debug)]
pub(super) struct Pipe {
    pub(super) socket: Socket,
    near: StdUnixStream,
    far: Far,
    /// What libssh2 had no room for yet.
    incoming: Vec<u8>,
    /// What the peer had no room for yet.
    outgoing: Vec<u8>,
    /// Why the peer sends nothing more.
    ended: Option<String>,
    /// How much the peer may still send.
    allowed: u64,
    /// How much it has sent.
    received: u64,
}

impl Pipe {
    pub(super) fn new(socket: Socket) -> io::Result<Self> {
        let (near, far) = StdUnixStream::pair()?;
        near.set_nonblocking(true)?;
        Ok(Pipe {
            socket,
            near,
            far: Far(Arc::new(far.into())),
            incoming: Vec::new(),
            outgoing: Vec::new(),
            ended: None,
            allowed: u64::MAX,
            received: 0,
        })
    }

    /// The end for libssh2.
    pub(super) fn far(&self) -> Far {
        self.far.clone()
    }

    /// From now on the peer may send so much.
    pub(super) fn allow(&mut self, bytes: u64) {
        self.allowed = bytes;
    }

    /// How much the peer has sent.
    pub(super) fn received(&self) -> u64 {
        self.received
    }

    /// Why the peer sends nothing more, if it does not.
    pub(super) fn ended(&self) -> Option<&str> {
        self.ended.as_deref()
    }

    /// How much libssh2 has not read yet of what it was given.
    pub(super) fn unread(&self) -> u64 {
        ioctl_fionread(&self.far.0).unwrap_or_default()
    }

    /// Moves what can be moved without waiting, of what comes as much as the pair has room for.
    /// Says whether the peer gave a sign of life: it has sent something, or taken what there was no
    /// room for. The error is that it sends more than it may.
    pub(super) fn carry(&mut self) -> Result<bool, Flood> {
        let waited = self.is_pending();
        let mut alive = false;
        let mut piece = [0; PIECE];
        loop {
            if self.outgoing.is_empty() {
                match self.near.read(&mut piece) {
                    Ok(read @ 1..) => self.outgoing.extend_from_slice(&piece[..read]),
                    _ => break,
                }
            }
            match self.socket.try_write(&self.outgoing) {
                Ok(wrote) => {
                    self.outgoing.drain(..wrote);
                    alive |= waited;
                }
                Err(error) if would_block(&error) => break,
                // it takes nothing more; what it has sent before may say why
                Err(_) => self.outgoing.clear(),
            }
        }
        // the pair's buffer is what bounds this, however fast the peer sends
        loop {
            if !self.incoming.is_empty()
                && let Ok(wrote) = self.near.write(&self.incoming)
            {
                self.incoming.drain(..wrote);
            }
            if !self.incoming.is_empty() || self.ended.is_some() {
                break;
            }
            match self.socket.try_read(&mut piece) {
                Ok(0) => self.ended = Some("it closed the connection".to_owned()),
                Ok(read) => {
                    self.incoming.extend_from_slice(&piece[..read]);
                    self.received += read as u64;
                    alive = true;
                    self.allowed = self.allowed.checked_sub(read as u64).ok_or(Flood)?;
                }
                Err(error) if would_block(&error) => break,
                Err(error) => self.ended = Some(error.to_string()),
            }
        }
        if self.incoming.is_empty() && self.ended.is_some() {
            let _ = self.near.shutdown(Shutdown::Write);
        }
        Ok(alive)
    }

    /// Waits until more can be moved from or to the peer.
    pub(super) async fn ready(&self) -> io::Result<()> {
        let read = self.incoming.is_empty() && self.ended.is_none();
        match (read, self.is_pending()) {
            (true, true) => self.socket.ready(Interest::READABLE | Interest::WRITABLE).await,
            (true, false) => self.socket.ready(Interest::READABLE).await,
            (false, true) => self.socket.ready(Interest::WRITABLE).await,
            (false, false) => std::future::pending().await,
        }
    }

    /// Whether something waits for room to be sent.
    pub(super) fn is_pending(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// Whether libssh2 finds something to read, or its end, at this moment.
    pub(super) fn has_more(&self) -> bool {
        self.far_is(PollFlags::IN)
    }

    /// Whether libssh2 has room to write at this moment. That is where most of the buffer is free.
    pub(super) fn has_room(&self) -> bool {
        self.far_is(PollFlags::OUT)
    }

    fn far_is(&self, flags: PollFlags) -> bool {
        let mut asked = [PollFd::new(&self.far.0, flags)];
        poll(&mut asked, Some(&Timespec::default())).is_ok() && !asked[0].revents().is_empty()
    }

    /// Tells when libssh2 has read or written on another thread.
    pub(super) fn watch(&self) -> io::Result<Watch> {
        Ok(Watch(UnixStream::from_std(self.near.try_clone()?)?))
    }

    /// Whether something waits for libssh2 to read it.
    pub(super) fn is_full(&self) -> bool {
        !self.incoming.is_empty()
    }

    /// Ends the connection now, to both sides.
    pub(super) fn shut(&mut self) {
        let _ = self.near.shutdown(Shutdown::Both);
        let mut context = Context::from_waker(Waker::noop());
        let _ = match &mut self.socket {
            Socket::Tcp(socket) => pin!(socket.shutdown()).poll(&mut context),
            Socket::Tunnel(socket) | Socket::Command(socket, _) => {
                pin!(socket.shutdown()).poll(&mut context)
            }
        };
    }
}

/// Tells when libssh2 has read or written.
#[derive(Debug)]
pub(super) struct Watch(UnixStream);

impl Watch {
    /// Waits until there is something to read (READABLE), or room to write (WRITABLE); the next
    /// wait waits again.
    pub(super) async fn ready(&self, interest: Interest) -> io::Result<()> {
        self.0.ready(interest).await?;
        let _ = self.0.try_io(interest, || Err::<(), _>(io::ErrorKind::WouldBlock.into()));
        Ok(())
    }
}

/// The peer has sent more than it may.
#[derive(Debug)]
pub(super) struct Flood;

/// Whether reading or writing a channel would block. (Channels speak `std::io`, whose errors hold
/// libssh2's.)
pub(super) fn would_block(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}
