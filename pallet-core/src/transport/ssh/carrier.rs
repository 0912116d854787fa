//! A jump host's session: it carries another session through a tunnel.

use std::io::{Read, Write};

use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot};

use super::super::TransportError;
use super::channel;
use super::link::Link;
use super::pipe::would_block;

/// A session that carries other sessions to hosts behind its peer. Dropping it ends it.
pub(super) struct Carrier {
    requests: mpsc::Sender<Request>,
    /// The session that carries this one.
    _via: Option<Box<Carrier>>,
}

struct Request {
    host: String,
    port: u16,
    socket: UnixStream,
    opened: oneshot::Sender<Result<(), TransportError>>,
}

impl Carrier {
    pub(super) fn start(link: Link, via: Option<Box<Carrier>>) -> Self {
        let (requests, queue) = mpsc::channel(1);
        tokio::spawn(carry(link, queue));
        Carrier { requests, _via: via }
    }

    /// Opens a tunnel: bytes written to the socket arrive at the host. One tunnel at a time.
    pub(super) async fn tunnel(&self, host: &str, port: u16) -> Result<UnixStream, TransportError> {
        let failed = |message: &str| TransportError::Connect {
            host: format!("{host}:{port}"),
            message: message.to_owned(),
        };
        let (near, socket) = UnixStream::pair().map_err(|error| failed(&error.to_string()))?;
        let (opened, answer) = oneshot::channel();
        let gone = |_| failed("lost the connection to its jump host");
        self.requests
            .send(Request { host: host.to_owned(), port, socket, opened })
            .await
            .map_err(|_| gone(()))?;
        answer.await.map_err(|_| gone(()))??;
        Ok(near)
    }
}

/// The task that owns a carrier's session.
async fn carry(mut link: Link, mut queue: mpsc::Receiver<Request>) {
    while let Some(Request { host, port, socket, opened }) = queue.recv().await {
        match open(&mut link, &host, port).await {
            Err(error) => {
                let _ = opened.send(Err(error));
            }
            Ok(channel) => {
                if opened.send(Ok(())).is_ok() && bridge(&mut link, channel, socket).await.is_err()
                {
                    return;
                }
            }
        }
    }
}

/// Opens a channel to a host behind the peer.
async fn open(link: &mut Link, host: &str, port: u16) -> Result<ssh2::Channel, TransportError> {
    let channel = link.drive(|session| session.channel_direct_tcpip(host, port, None)).await?;
    channel.map_err(|error| {
        let message = format!(
            "{} cannot reach it, or may not forward to it (AllowTcpForwarding): {error}",
            link.peer
        );
        TransportError::Connect { host: format!("{host}:{port}"), message }
    })
}

/// Copies bytes between a socket and a channel until one of them ends.
async fn bridge(
    link: &mut Link,
    mut channel: ssh2::Channel,
    socket: UnixStream,
) -> Result<(), TransportError> {
    let (mut up, mut down) = (Buffer::default(), Buffer::default());
    let mut stuck = false;
    loop {
        link.room().await?;
        let mut moved = false;
        if up.is_empty() {
            match socket.try_read(up.space()) {
                Ok(0) => break,
                Ok(read) => up.filled(read),
                Err(error) if would_block(&error) => {}
                Err(_) => break,
            }
        }
        // Write before reading: a write also receives packets, which the read then finds.
        if !up.is_empty() {
            let wrote = channel::unless_blocked(link, channel.write(up.rest()))?;
            stuck = wrote.is_none() && channel.write_window().remaining > 0;
            up.take(wrote.unwrap_or(0));
            moved |= wrote.is_some_and(|wrote| wrote > 0);
        }
        if !stuck && !link.has_room() {
            continue;
        }
        if down.is_empty() && !stuck {
            if let Some(read) = channel::unless_blocked(link, channel.read(down.space()))? {
                down.filled(read);
            }
            if down.is_empty() && channel.eof() {
                break;
            }
        }
        if !down.is_empty() {
            match socket.try_write(down.rest()) {
                Ok(wrote) => {
                    down.take(wrote);
                    moved = true;
                }
                Err(error) if would_block(&error) => {}
                Err(_) => break,
            }
        }
        if moved {
            tokio::task::yield_now().await;
            continue;
        }
        // While the channel is not read, its readiness must not wake us.
        let reads = stuck || down.is_empty() || !up.is_empty();
        let pending = link.is_pending();
        let moved = async { if reads { link.wait().await } else { link.flush().await } };
        tokio::select! {
            ready = moved, if reads || pending => ready?,
            ready = socket.readable(), if up.is_empty() => if ready.is_err() { break },
            ready = socket.writable(), if !down.is_empty() => if ready.is_err() { break },
        }
    }
    while stuck {
        link.room().await?;
        let wrote = channel::unless_blocked(link, channel.write(up.rest()))?;
        stuck = wrote.is_none() && channel.write_window().remaining > 0;
        if stuck {
            link.wait().await?;
        }
    }
    channel::close(link, &mut channel).await
}

/// Bytes in transit in one direction.
struct Buffer {
    bytes: Vec<u8>,
    from: usize,
    to: usize,
}

impl Default for Buffer {
    fn default() -> Self {
        Buffer { bytes: vec![0; 64 * 1024], from: 0, to: 0 }
    }
}

impl Buffer {
    fn is_empty(&self) -> bool {
        self.from == self.to
    }

    fn space(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    fn filled(&mut self, count: usize) {
        (self.from, self.to) = (0, count);
    }

    fn rest(&self) -> &[u8] {
        &self.bytes[self.from..self.to]
    }

    fn take(&mut self, count: usize) {
        self.from += count;
    }
}
