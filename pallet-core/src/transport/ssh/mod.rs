//! ssh, by libssh2. One session per node, owned by one task, which also answers the server while no command runs.

use std::time::Duration;

use async_trait::async_trait;
use ssh2::{Channel, ErrorCode};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::{ConnectSettings, Input, Output, Transport, TransportError};
use crate::model::SshConnection;

mod auth;
mod channel;
mod config;
mod config_file;
mod connect;
mod host_key;
mod key;
mod known_hosts;
mod link;
mod openssh;
mod proxy;
mod proxy_command;
mod remembered;
mod tokens;

use channel::{Event, Outcome};
use config::{Asked, HostConfig};
use link::Link;
use proxy::Carrier;
pub(super) use remembered::Remembered;

/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_secs(2);
/// The server opens no channel.
const REFUSED: ErrorCode = ErrorCode::Session(-21);
const NO_CHANNEL: &str = "the server opens no channel: earlier commands that were given up may still run there (MaxSessions)";
/// How many pieces of output wait for their reader before the session does.
const BUFFERED: usize = 16;

/// A connection over ssh.
pub struct Ssh {
    jobs: mpsc::Sender<Job>,
    peer: String,
    /// The connection that this one goes through.
    _via: Option<Carrier>,
}

/// What the task of a session is asked to do.
enum Job {
    Run { command: String, input: Input, events: mpsc::Sender<Event> },
    Close { done: oneshot::Sender<()> },
}

impl Ssh {
    /// Connects, through other hosts if the ssh configuration says so, verifies the host key and logs in.
    pub async fn connect(connection: &SshConnection, settings: &ConnectSettings) -> Result<Self, TransportError> {
        proxy::connect(connection, settings).await
    }

    /// Gives the session to a task of its own.
    fn start(link: Link, settings: &ConnectSettings, via: Option<Carrier>) -> Self {
        let (jobs, queue) = mpsc::channel(1);
        let peer = link.peer.clone();
        tokio::spawn(serve(link, settings.command_timeout, queue));
        Ssh { jobs, peer, _via: via }
    }

    fn gone(&self) -> TransportError {
        TransportError::Lost { host: self.peer.clone(), message: "the connection was closed".to_owned() }
    }
}

#[async_trait]
impl Transport for Ssh {
    async fn exec(&mut self, command: &str, input: Input, output: &mut Output<'_>) -> Result<i32, TransportError> {
        let (events, mut news) = mpsc::channel(BUFFERED);
        self.jobs.send(Job::Run { command: command.to_owned(), input, events }).await.map_err(|_| self.gone())?;
        while let Some(event) = news.recv().await {
            match event {
                Event::Output(stream, bytes) => output(stream, &bytes),
                Event::Ended(result) => return result,
            }
        }
        Err(self.gone())
    }

    async fn close(&mut self) {
        let (done, answer) = oneshot::channel();
        if self.jobs.send(Job::Close { done }).await.is_ok() {
            let _ = timeout(GOODBYE, answer).await;
        }
    }

    fn peer(&self) -> &str {
        &self.peer
    }
}

/// Who will log in: the connection's user, else that of the ssh configuration, else the admin user.
pub(super) fn login_user(connection: &SshConnection, settings: &ConnectSettings) -> Result<String, TransportError> {
    let asked = Asked { host: &connection.host, user: connection.user.as_deref(), port: connection.port };
    let host = HostConfig::read(asked, settings)?;
    Ok(connection.user.clone().or(host.user).unwrap_or_else(|| settings.user.clone()))
}

/// Owns a session until nobody needs it: does the jobs in order, and keeps the session alive between them.
async fn serve(mut link: Link, patience: Option<Duration>, mut queue: mpsc::Receiver<Job>) {
    let mut broken: Option<TransportError> = None;
    let mut spare: Option<Channel> = None;
    loop {
        let job = match &broken {
            Some(_) => queue.recv().await,
            None => tokio::select! {
                job = queue.recv() => job,
                error = idle(&mut link, &mut spare) => {
                    broken = Some(error);
                    continue;
                }
            },
        };
        match job {
            None => break,
            Some(Job::Close { done }) => {
                if let Some(mut channel) = spare.take() {
                    let _ = channel::close(&mut link, &mut channel).await;
                }
                let goodbye = link.drive(|session| session.disconnect(None, "done", None));
                let _ = timeout(GOODBYE, goodbye).await;
                let _ = done.send(());
                return;
            }
            // The caller has gone before the command's turn came.
            Some(Job::Run { events, .. }) if events.is_closed() => {}
            Some(Job::Run { command, input, events }) => {
                let result = match &broken {
                    Some(error) => Err(error.clone()),
                    None => match open(&mut link, &mut spare).await {
                        Err(error) => Err(broken.insert(error).clone()),
                        Ok(None) => Err(TransportError::Start { host: link.peer.clone(), message: NO_CHANNEL.to_owned() }),
                        Ok(Some(channel)) => match channel::run(&mut link, channel, &command, input, patience, &events).await {
                            Outcome::Reusable(result) => result,
                            Outcome::Broken(error) => Err(broken.insert(error).clone()),
                        },
                    },
                };
                let _ = events.send(Event::Ended(result)).await;
            }
        }
    }
}

/// A channel for the next command: the spare one, or a new one; `None` if the server opens no more.
async fn open(link: &mut Link, spare: &mut Option<Channel>) -> Result<Option<Channel>, TransportError> {
    if let Some(channel) = spare.take() {
        return Ok(Some(channel));
    }
    match link.drive(|session| session.channel_session()).await? {
        Ok(channel) => Ok(Some(channel)),
        Err(error) if error.code() == REFUSED => Ok(None),
        Err(error) => Err(link.lost(format!("no channel could be opened: {error}"))),
    }
}

/// Keeps a session alive that nobody uses, until it breaks. The channel of the next command is opened ahead: that spares the
/// command a round trip, and reading a channel is the one way to have libssh2 answer the server.
async fn idle(link: &mut Link, spare: &mut Option<Channel>) -> TransportError {
    loop {
        let Some(channel) = spare else {
            match open(link, spare).await {
                Ok(Some(channel)) => *spare = Some(channel),
                Ok(None) => std::future::pending().await,
                Err(error) => return error,
            }
            continue;
        };
        if let Err(error) = link.room().await {
            return error;
        }
        match std::io::Read::read(channel, &mut [0; 1]) {
            Err(error) if link::would_block(&error) => {
                if let Err(error) = link.wait().await {
                    return error;
                }
            }
            Err(error) => return link.lost(error),
            Ok(_) => return link.lost("the server closed a channel"),
        }
    }
}
