//! The agent of this machine, lent to a command on the node: each channel that is opened to it
//! there is carried to a connection of its own to the agent.
//!
//! Only what a login needs goes through: the list of keys, and signing. Keys cannot be added or
//! removed from there, and the agent is not told which hosts stand in the way, so that keys that
//! are for certain hosts only (`ssh-add -h`) do not sign.

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

/// How many channels are carried at a time, and how many may wait until one of those ends; what is
/// opened beside them is closed.
const MOST: usize = 16;
const MOST_WAITING: usize = 256;
/// How many channels there may be that are closed here and not by the server, and how much may have
/// come through them and those that wait.
const TOO_MANY: usize = 256;
const TOO_MUCH: usize = 4 << 20;
/// How much is on its way in one direction of a channel.
const PIECE: usize = 16 * 1024;
/// A message of the agent's protocol: signing.
const SIGN: u8 = 13;
/// A message that every agent answers with failure: an extension without a name.
const UNKNOWN: [u8; 9] = [0, 0, 0, 5, 27, 0, 0, 0, 0];
/// The server does not do what was asked for.
const DENIED: ErrorCode = ErrorCode::Session(-22);

/// The agent as it is lent over one session.
#[derive(Default)]
pub(super) struct Forward {
    agent: PathBuf,
    /// Open while a command may use the agent.
    door: Option<Door>,
    relays: Vec<Relay>,
    waiting: VecDeque<AgentChannel>,
    /// Channels that are closed, of which the server has not said so.
    leaving: Vec<AgentChannel>,
    /// Whether the server has agreed before: sshd does so once for a connection, and then says no.
    granted: bool,
}

impl Forward {
    /// Lets a command in `channel` use the agent. The inner error says why the server does not.
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
                let why = "the server does not allow it: allow it there (AllowAgentForwarding in \
                    its sshd_config, agent-forwarding in authorized_keys)";
                return Ok(Err(why.to_owned()));
            }
            Err(error) => return Err(link.lost(error)),
        }
        self.agent = agent;
        self.door = Some(Door::open(&link.session));
        Ok(Ok(()))
    }

    /// Whether a packet is half sent: nothing else may be written until `serve` has sent the rest.
    pub(super) fn is_stuck(&self) -> bool {
        self.relays.iter().any(|relay| relay.stuck)
    }

    /// Carries what can be carried without waiting. Says whether anything moved, or there is no
    /// room.
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
        // those that have ended take no room from those that come after them
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
            return Err(link.lost("it opens channels to the ssh agent without end"));
        }
        Ok(moved)
    }

    /// Takes in the channels that were opened.
    async fn welcome(&mut self) -> bool {
        let mut arrived = self.door.as_ref().map(Door::take).unwrap_or_default();
        let mut moved = !arrived.is_empty();
        self.waiting.extend(arrived.drain(..arrived.len().min(MOST_WAITING - self.waiting.len())));
        self.leaving.extend(arrived);
        while self.relays.len() < MOST
            && let Some(channel) = self.waiting.pop_front()
        {
            moved = true;
            // to connect to a socket of this machine waits for nobody: an agent that is busy
            // refuses
            match UnixStream::connect(&self.agent).await {
                Ok(agent) => self.relays.push(Relay::new(channel, agent)),
                Err(_) => self.leaving.push(channel),
            }
        }
        moved
    }

    /// Whether libssh2 has taken in something for it since it was served.
    pub(super) fn has_news(&self) -> bool {
        let waiting = self.door.as_ref().is_some_and(|door| door.waiting() > 0);
        !self.is_stuck() && (waiting || self.relays.iter().any(Relay::has_news))
    }

    /// Waits until there is something to carry from the agent, or it takes more.
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

    /// Lends the agent no longer: what is open is closed, and what comes now libssh2 refuses.
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

/// One channel, and the connection to the agent that it is carried to.
struct Relay {
    channel: AgentChannel,
    agent: UnixStream,
    sieve: Sieve,
    /// On their way to the agent, and from it.
    down: Vec<u8>,
    up: Vec<u8>,
    /// Whether a packet of these is half sent.
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
        // Where the server's window is open, it is the packet that could not be sent as a whole.
        self.stuck = wrote.is_none() && self.channel.window() > 0;
        self.up.drain(..wrote.unwrap_or_default());
        Ok(wrote.is_some_and(|wrote| wrote > 0))
    }

    fn has_news(&self) -> bool {
        let writes = !self.up.is_empty() && self.channel.window() > 0;
        writes || (self.down.is_empty() && (self.channel.unread() > 0 || self.channel.eof()))
    }
}

/// Lets the messages through that a login needs. In the place of another one goes one that the
/// agent knows even less, so that its answers stay in order.
#[derive(Default)]
struct Sieve {
    /// The length and the kind of the next message, as far as they have come.
    head: Vec<u8>,
    /// How much of the message is still to come, and whether it goes through.
    left: usize,
    passes: bool,
}

/// A message that is none.
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
