//! The pipe between libssh2 and the network.
//!
//! Within one call, libssh2 reads as long as there is something to read: a peer that never stops
//! sending would block the call, and its thread, forever. So libssh2 gets one end of a local socket
//! pair, and Pallet feeds it the peer's data piece by piece between calls. Each call then ends,
//! whatever the peer does.

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

/// How many bytes are moved at once: ssh packets are not larger.
const PIECE: usize = 32 * 1024;

/// The transport of a session: a TCP connection, one end of a tunnel through another session, or a
/// command.
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
    /// Bytes that libssh2 had no room for yet.
    incoming: Vec<u8>,
    /// Bytes that the peer had no room for yet.
    outgoing: Vec<u8>,
    /// Why the peer sends nothing more.
    ended: Option<String>,
    /// How many more bytes the peer may send.
    allowed: u64,
    /// How many bytes the peer has sent.
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

    /// Limits how many more bytes the peer may send.
    pub(super) fn allow(&mut self, bytes: u64) {
        self.allowed = bytes;
    }

    /// How many bytes the peer has sent.
    pub(super) fn received(&self) -> u64 {
        self.received
    }

    /// Why the peer sends nothing more, if it has ended.
    pub(super) fn ended(&self) -> Option<&str> {
        self.ended.as_deref()
    }

    /// How many bytes wait for libssh2 to read them.
    pub(super) fn unread(&self) -> u64 {
        ioctl_fionread(&self.far.0).unwrap_or_default()
    }

    /// Moves data without waiting; incoming data only as far as the pair has room. Returns whether
    /// the peer showed a sign of life: it sent something, or accepted bytes that were waiting.
    /// Fails if the peer sent more than allowed.
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
                // the peer accepts nothing more; what it sent before may say why
                Err(_) => self.outgoing.clear(),
            }
        }
        // the buffer of the pair limits this loop, however fast the peer sends
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

    /// Waits until the peer has sent something, or accepts more.
    pub(super) async fn ready(&self) -> io::Result<()> {
        let read = self.incoming.is_empty() && self.ended.is_none();
        match (read, self.is_pending()) {
            (true, true) => self.socket.ready(Interest::READABLE | Interest::WRITABLE).await,
            (true, false) => self.socket.ready(Interest::READABLE).await,
            (false, true) => self.socket.ready(Interest::WRITABLE).await,
            (false, false) => std::future::pending().await,
        }
    }

    /// Whether bytes wait to be sent.
    pub(super) fn is_pending(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// Whether libssh2 would find data, or the end, if it read now.
    pub(super) fn has_more(&self) -> bool {
        self.far_is(PollFlags::IN)
    }

    /// Whether libssh2 has room to write now: most of the buffer is free.
    pub(super) fn has_room(&self) -> bool {
        self.far_is(PollFlags::OUT)
    }

    fn far_is(&self, flags: PollFlags) -> bool {
        let mut asked = [PollFd::new(&self.far.0, flags)];
        poll(&mut asked, Some(&Timespec::default())).is_ok() && !asked[0].revents().is_empty()
    }

    /// Watches libssh2's reads and writes on another thread.
    pub(super) fn watch(&self) -> io::Result<Watch> {
        Ok(Watch(UnixStream::from_std(self.near.try_clone()?)?))
    }

    /// Whether bytes wait for room in the pair.
    pub(super) fn is_full(&self) -> bool {
        !self.incoming.is_empty()
    }

    /// Closes both sides of the connection now.
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

/// Reports when libssh2 has read or written.
#[derive(Debug)]
pub(super) struct Watch(UnixStream);

impl Watch {
    /// Waits until there is data to read (READABLE) or room to write (WRITABLE), then resets, so
    /// that the next call waits again.
    pub(super) async fn ready(&self, interest: Interest) -> io::Result<()> {
        self.0.ready(interest).await?;
        let _ = self.0.try_io(interest, || Err::<(), _>(io::ErrorKind::WouldBlock.into()));
        Ok(())
    }
}

/// The peer has sent more than allowed.
#[derive(Debug)]
pub(super) struct Flood;

/// Whether reading or writing a channel would block. Channels return `io::Error`, which wraps
/// libssh2's error.
pub(super) fn would_block(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}
