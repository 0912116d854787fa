//! Agent forwarding: each channel that a command on the node opens to the agent gets its own
//! connection to this machine's agent.
//!
//! Only requests that a login needs are passed on: listing keys and signing. Commands on the node
//! cannot add or remove keys. The agent does not learn the hosts on the way, so keys that are
//! restricted to certain hosts (`ssh-add -h`) do not sign.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::path::PathBuf;
use std::task::Poll;

use ssh2::{Channel, ErrorCode};
use tokio::net::UnixStream;

use super::super::TransportError;
use super::super::agent::{LIST, LONGEST};
use super::agent_channel::{AgentChannel, Door};
use super::link::Link;
use super::pipe::would_block;

/// Maximum number of channels in use, and of channels that wait for one of those to end. Any others
/// are closed.
const MOST: usize = 16;
const MOST_WAITING: usize = 256;
/// Maximum number of channels that we closed but the server did not, and of unread bytes in those
/// and the waiting channels.
const TOO_MANY: usize = 256;
const TOO_MUCH: usize = 4 << 20;
/// Maximum number of bytes in transit in one direction of a channel.
const PIECE: usize = 16 * 1024;
/// Message type of the agent protocol: sign.
const SIGN: u8 = 13;
/// A message that every agent answers with a failure: an extension without a name.
const UNKNOWN: [u8; 9] = [0, 0, 0, 5, 27, 0, 0, 0, 0];
/// libssh2's error code for a request that the server denied.
const DENIED: ErrorCode = ErrorCode::Session(-22);

/// Agent forwarding over one session.
#[derive(Default)]
pub(super) struct Forward {
    agent: PathBuf,
    /// Present while a command may use the agent.
    door: Option<Door>,
    relays: Vec<Relay>,
    waiting: VecDeque<AgentChannel>,
    /// Channels that we closed and the server has not closed yet.
    leaving: Vec<AgentChannel>,
    /// Whether the server has granted forwarding before. sshd grants it once per connection and
    /// then denies further requests.
    granted: bool,
}

impl Forward {
    /// Lets a command in `channel` use the agent. The inner error says why the server denied it.
    pub(super) async fn begin(
        &mut self,
        link: &mut Link,
        channel: &mut Channel,
        agent: PathBuf,
    ) -> Result<Result<(), String>, TransportError> {
        match link.drive(|_| channel.request_auth_agent_forwarding()).await? {
            Ok(()) => self.granted = true,
            Err(error) if error.code() == DENIED && self.granted => {}
            Err(error) if error.code() == DENIED => {
                let why = "the server does not allow it: enable it there (AllowAgentForwarding in \
                    its sshd_config, agent-forwarding in authorized_keys)";
                return Ok(Err(why.to_owned()));
            }
            Err(error) => return Err(link.lost(error)),
        }
        self.agent = agent;
        self.door = Some(Door::open(&link.session));
        Ok(Ok(()))
    }

    /// Whether a packet is half sent. Then `serve` must send the rest before anything else is
    /// written.
    pub(super) fn is_stuck(&self) -> bool {
        self.relays.iter().any(|relay| relay.stuck)
    }

    /// Moves all data that can be moved without waiting. Returns whether anything moved, or there
    /// is no room to write.
    pub(super) async fn serve(&mut self, link: &Link) -> Result<bool, TransportError> {
        if let Some(relay) = self.relays.iter_mut().find(|relay| relay.stuck) {
            return relay.write(link);
        }
        let mut moved = false;
        for relay in &mut self.relays {
            if !link.has_room() {
                return Ok(true);
            }
            moved |= relay.carry(link)?;
            if relay.stuck {
                return Ok(moved);
            }
        }
        let (over, going) =
            std::mem::take(&mut self.relays).into_iter().partition(|relay| relay.over);
        self.relays = going;
        self.leaving.extend(Vec::into_iter(over).map(|relay: Relay| relay.channel));
        // Relays that ended must not take room from new ones.
        moved |= self.welcome().await;
        for channel in std::mem::take(&mut self.leaving) {
            match link.has_room() {
                true => self.leaving.extend(channel.close()),
                false => self.leaving.push(channel),
            }
        }
        let sent =
            self.leaving.iter().chain(&self.waiting).map(AgentChannel::unread).sum::<usize>();
        if self.leaving.len() > TOO_MANY || sent > TOO_MUCH {
            return Err(link.lost("it opens too many channels to the ssh agent"));
        }
        Ok(moved)
    }

    /// Accepts the newly opened channels.
    async fn welcome(&mut self) -> bool {
        let mut arrived = self.door.as_ref().map(Door::take).unwrap_or_default();
        let mut moved = !arrived.is_empty();
        self.waiting.extend(arrived.drain(..arrived.len().min(MOST_WAITING - self.waiting.len())));
        self.leaving.extend(arrived);
        while self.relays.len() < MOST
            && let Some(channel) = self.waiting.pop_front()
        {
            moved = true;
            // Connecting to a local socket does not block: a busy agent refuses the connection.
            match UnixStream::connect(&self.agent).await {
                Ok(agent) => self.relays.push(Relay::new(channel, agent)),
                Err(_) => self.leaving.push(channel),
            }
        }
        moved
    }

    /// Whether libssh2 has received data or channels for the agent since the last `serve`.
    pub(super) fn has_news(&self) -> bool {
        let waiting = self.door.as_ref().is_some_and(|door| door.waiting() > 0);
        !self.is_stuck() && (waiting || self.relays.iter().any(Relay::has_news))
    }

    /// Waits until the agent has sent something, or accepts more.
    pub(super) async fn ready(&mut self) {
        poll_fn(|context| {
            for relay in &mut self.relays {
                let reads = relay.up.is_empty() && relay.agent.poll_read_ready(context).is_ready();
                if reads
                    || (!relay.down.is_empty() && relay.agent.poll_write_ready(context).is_ready())
                {
                    return Poll::Ready(());
                }
            }
            Poll::Pending
        })
        .await;
    }

    /// Ends forwarding: closes all channels; libssh2 refuses new ones.
    pub(super) async fn end(&mut self, link: &mut Link) -> Result<(), TransportError> {
        let Some(door) = self.door.take() else { return Ok(()) };
        self.leaving.extend(door.take());
        drop(door);
        self.leaving.extend(self.waiting.drain(..));
        self.leaving.extend(self.relays.drain(..).map(|relay| relay.channel));
        for channel in std::mem::take(&mut self.leaving) {
            link.room().await?;
            self.leaving.extend(channel.close());
        }
        Ok(())
    }
}

/// A channel with its connection to the agent.
struct Relay {
    channel: AgentChannel,
    agent: UnixStream,
    sieve: Sieve,
    /// Bytes to the agent, and from it.
    down: Vec<u8>,
    up: Vec<u8>,
    /// Whether a packet of `up` is half sent.
    stuck: bool,
    /// Whether one side has ended.
    over: bool,
}

impl Relay {
    fn new(channel: AgentChannel, agent: UnixStream) -> Self {
        Relay {
            channel,
            agent,
            sieve: Sieve::default(),
            down: Vec::new(),
            up: Vec::new(),
            stuck: false,
            over: false,
        }
    }

    fn carry(&mut self, link: &Link) -> Result<bool, TransportError> {
        let mut piece = [0; PIECE];
        let mut moved = false;
        if self.up.is_empty() {
            match self.agent.try_read(&mut piece) {
                Ok(read @ 1..) => self.up.extend_from_slice(&piece[..read]),
                Err(error) if would_block(&error) => {}
                _ => self.over = true,
            }
        }
        if !self.up.is_empty() {
            moved = self.write(link)?;
        }
        if self.down.is_empty() && !self.stuck && link.has_room() {
            let read = self
                .channel
                .read(&mut piece)
                .map_err(|error| link.lost(error))?
                .unwrap_or_default();
            self.over |= self.sieve.pass(&piece[..read], &mut self.down).is_err()
                || (read == 0 && self.channel.eof());
            moved |= read > 0;
        }
        if !self.down.is_empty() {
            match self.agent.try_write(&self.down) {
                Ok(wrote) => {
                    self.down.drain(..wrote);
                    moved = true;
                }
                Err(error) if would_block(&error) => {}
                Err(_) => self.over = true,
            }
        }
        self.over &= !self.stuck;
        Ok(moved || self.over)
    }

    fn write(&mut self, link: &Link) -> Result<bool, TransportError> {
        let wrote = self.channel.write(&self.up).map_err(|error| link.lost(error))?;
        // If the server's window is open, a blocked write means that a packet is half sent.
        self.stuck = wrote.is_none() && self.channel.window() > 0;
        self.up.drain(..wrote.unwrap_or_default());
        Ok(wrote.is_some_and(|wrote| wrote > 0))
    }

    fn has_news(&self) -> bool {
        let writes = !self.up.is_empty() && self.channel.window() > 0;
        writes || (self.down.is_empty() && (self.channel.unread() > 0 || self.channel.eof()))
    }
}

/// Passes on only the messages that a login needs. It replaces any other message by one that the
/// agent does not know, so that the number and order of the answers stay the same.
#[derive(Default)]
struct Sieve {
    /// The length and the type of the next message, as far as they have arrived.
    head: Vec<u8>,
    /// How many bytes of the message are still to come, and whether the message is passed on.
    left: usize,
    passes: bool,
}

/// The bytes are not a valid message.
#[derive(Debug)]
struct Malformed;

impl Sieve {
    fn pass(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
        while let Some((first, rest)) = bytes.split_first() {
            if self.left > 0 {
                let (body, rest) = bytes.split_at(self.left.min(bytes.len()));
                if self.passes {
                    out.extend_from_slice(body);
                }
                self.left -= body.len();
                bytes = rest;
                continue;
            }
            self.head.push(*first);
            bytes = rest;
            if let &[a, b, c, d, kind] = self.head.as_slice() {
                let length = u32::from_be_bytes([a, b, c, d]);
                if !(1..=LONGEST).contains(&length) {
                    return Err(Malformed);
                }
                self.left = usize::try_from(length - 1).map_err(|_| Malformed)?;
                self.passes = kind == LIST || kind == SIGN;
                out.extend_from_slice(if self.passes { &self.head } else { &UNKNOWN });
                self.head.clear();
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 1).expect("it is short").to_be_bytes();
        [&length[..], &[kind], body].concat()
    }

    #[test]
    fn only_what_a_login_needs_goes_through_in_any_pieces() {
        let (list, sign) = (message(LIST, b""), message(SIGN, b"\0\0\0\x04blobdata"));
        // remove all keys; add a key; an extension
        let others = [
            message(19, b""),
            message(17, &[1; 5000]),
            message(27, b"\0\0\0\x18session-bind@openssh.com"),
        ];
        let sent: Vec<u8> = [&list, &others[0], &sign, &others[1], &others[2], &list]
            .into_iter()
            .flatten()
            .copied()
            .collect();
        let wanted: Vec<u8> = [&list[..], &UNKNOWN, &sign, &UNKNOWN, &UNKNOWN, &list].concat();
        for size in [1, 2, 7, sent.len()] {
            let (mut sieve, mut passed) = (Sieve::default(), Vec::new());
            for piece in sent.chunks(size) {
                sieve.pass(piece, &mut passed).expect("they are messages");
            }
            assert_eq!(passed, wanted, "in pieces of {size}");
        }
    }

    #[test]
    fn what_is_no_message_ends_it() {
        for wrong in [[0, 0, 0, 0, LIST], [0, 4, 0, 1, SIGN], [255; 5]] {
            assert!(Sieve::default().pass(&wrong, &mut Vec::new()).is_err(), "{wrong:?}");
        }
    }
}
