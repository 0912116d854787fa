//! A netlink socket: acknowledged requests, and dumps.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{
    AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with,
};

use super::message::{Attributes, Received, message, received, u32_at};

const REQUEST: u16 = 1;
const ACKNOWLEDGE: u16 = 4;
const DUMP: u16 = 0x300;
/// Create the object; it must not exist.
pub(crate) const CREATE: u16 = 0x400;
pub(crate) const EXCLUSIVE: u16 = 0x200;
/// With [`CREATE`] for a rule: add it at the end of the chain.
pub(crate) const APPEND: u16 = 0x800;

const KIND_ERROR: u16 = 2;
const KIND_DONE: u16 = 3;

pub(crate) struct Socket {
    file: OwnedFd,
    sequence: u32,
}

/// A message of a batch: type, flags, the struct at its beginning, its attributes.
pub(crate) type Part = (u16, u16, Vec<u8>, Attributes);

impl Socket {
    /// Opens a socket for `protocol` in the network namespace of the calling thread.
    pub(crate) fn open(protocol: Option<Protocol>) -> io::Result<Self> {
        let file =
            socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, protocol)?;
        set_socket_timeout(&file, Timeout::Recv, Some(Duration::from_secs(10)))?;
        Ok(Socket { file, sequence: 0 })
    }

    /// Sends a request, and waits for its acknowledgement.
    pub(crate) fn request(
        &mut self,
        kind: u16,
        flags: u16,
        header: &[u8],
        attributes: &Attributes,
    ) -> io::Result<()> {
        self.sequence += 1;
        let bytes = message(kind, REQUEST | ACKNOWLEDGE | flags, self.sequence, header, attributes);
        self.acknowledged(&bytes)
    }

    /// Sends an atomic batch of messages, and waits for its acknowledgement. The last of `parts`
    /// ends the batch, so the one before it is acknowledged.
    pub(crate) fn batch(&mut self, parts: &[Part]) -> io::Result<()> {
        let mut bytes = Vec::new();
        let mut last = 0;
        for (position, (kind, flags, header, attributes)) in parts.iter().enumerate() {
            self.sequence += 1;
            let mut flags = REQUEST | flags;
            if position + 2 == parts.len() {
                flags |= ACKNOWLEDGE;
                last = self.sequence;
            }
            bytes.extend(message(*kind, flags, self.sequence, header, attributes));
        }
        self.sequence = last;
        let outcome = self.acknowledged(&bytes);
        self.sequence += 1;
        outcome
    }

    fn acknowledged(&mut self, bytes: &[u8]) -> io::Result<()> {
        send(&self.file, bytes, SendFlags::empty())?;
        loop {
            for answer in self.receive()? {
                if answer.kind == KIND_ERROR {
                    check(&answer)?;
                    if answer.sequence == self.sequence {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Lists all objects of a kind.
    pub(crate) fn dump(
        &mut self,
        kind: u16,
        header: &[u8],
        attributes: &Attributes,
    ) -> io::Result<Vec<Received>> {
        self.sequence += 1;
        let bytes = message(kind, REQUEST | DUMP, self.sequence, header, attributes);
        send(&self.file, &bytes, SendFlags::empty())?;
        let mut all = Vec::new();
        loop {
            for answer in self.receive()? {
                match answer.kind {
                    KIND_DONE => return Ok(all),
                    KIND_ERROR => check(&answer)?,
                    _ => all.push(answer),
                }
            }
        }
    }

    fn receive(&self) -> io::Result<Vec<Received>> {
        // the kernel sends dumps in parts of at most 32 KiB
        let mut buffer = vec![0; 64 << 10];
        let (length, _) = recv(&self.file, buffer.as_mut_slice(), RecvFlags::empty())?;
        Ok(received(buffer.get(..length).unwrap_or_default()))
    }
}

fn check(answer: &Received) -> io::Result<()> {
    match u32_at(&answer.payload, 0).map(u32::cast_signed) {
        Some(0) | None => Ok(()),
        Some(error) => Err(io::Error::from_raw_os_error(-error)),
    }
}
