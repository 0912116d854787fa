//! One session per node. It is owned by one task, which also answers the server while no command
//! runs.

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use ssh2::{Channel, ErrorCode};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout};

use super::super::agent::{Agent, NO_AGENT};
use super::super::{ConnectSettings, Input, Output, Transport, TransportError};
use super::agent_forward::Forward;
use super::carrier::Carrier;
use super::channel::{self, Event, Outcome, Work};
use super::config;
use super::host_query::HostQuery;
use super::link::Link;
use super::pipe::would_block;
use super::proxy::{self, Connected};
use crate::model::SshConnection;

/// Timeout for closing a connection properly.
const GOODBYE: Duration = Duration::from_secs(2);
/// libssh2's error code if the server opens no channel.
const REFUSED: ErrorCode = ErrorCode::Session(-21);
/// How long to retry if the server opens no channel, and the pauses between retries.
const PATIENCE: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);
const NO_CHANNEL: &str = "the server opens no channel: abandoned commands may still run there \
    (MaxSessions)";
/// How many pieces of output are buffered before the session waits for their reader.
const BUFFERED: usize = 16;

/// A connection over ssh.
pub struct Ssh {
    jobs: mpsc::Sender<Job>,
    peer: String,
    shell_timeout: Duration,
    agent: Agent,
    /// The session that carries this one.
    _via: Option<Carrier>,
}

/// A request to the task of a session.
enum Job {
    Run { command: String, input: Input, agent: Option<PathBuf>, events: mpsc::Sender<Event> },
    Close { done: oneshot::Sender<()> },
}

impl Ssh {
    /// Connects, through other hosts if the ssh configuration says so, verifies the host key and
    /// logs in.
    pub async fn connect(
        connection: &SshConnection,
        settings: &ConnectSettings,
    ) -> Result<Self, TransportError> {
        let Connected { link, agent, via } = proxy::connect(connection, settings).await?;
        Ok(Ssh::start(link, settings, agent, via))
    }

    /// Moves the session into its own task.
    fn start(
        link: Link,
        settings: &ConnectSettings,
        agent: Option<PathBuf>,
        via: Option<Carrier>,
    ) -> Self {
        let (jobs, queue) = mpsc::channel(1);
        let peer = link.peer.clone();
        tokio::spawn(serve(link, settings.command_timeout, queue));
        Ssh {
            jobs,
            peer,
            shell_timeout: settings.shell_timeout,
            agent: Agent::at(agent),
            _via: via,
        }
    }

    fn gone(&self) -> TransportError {
        TransportError::Lost {
            host: self.peer.clone(),
            message: "the connection was closed".to_owned(),
        }
    }
}

#[async_trait]
impl Transport for Ssh {
    async fn exec(
        &mut self,
        command: &str,
        input: Input,
        output: &mut Output<'_>,
    ) -> Result<i32, TransportError> {
        let (events, mut news) = mpsc::channel(BUFFERED);
        let agent = self.agent.take();
        self.jobs
            .send(Job::Run { command: command.to_owned(), input, agent, events })
            .await
            .map_err(|_| self.gone())?;
        while let Some(event) = news.recv().await {
            match event {
                Event::Output(stream, bytes) => output(stream, &bytes),
                Event::Ended(result) => return result,
            }
        }
        Err(self.gone())
    }

    async fn lend_agent(&mut self) -> Result<(), TransportError> {
        self.agent.lend(&self.peer, NO_AGENT).await
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

    fn shell_timeout(&self) -> Duration {
        self.shell_timeout
    }
}

/// The login user: that of the connection, else of the ssh configuration, else the admin user.
pub(in super::super) fn login_user(
    connection: &SshConnection,
    settings: &ConnectSettings,
) -> Result<String, TransportError> {
    let host = config::read(HostQuery::of(connection), settings)?;
    Ok(connection.user.clone().or(host.user).unwrap_or_else(|| settings.user.clone()))
}

/// The task that owns a session: runs the jobs in order, and keeps the session alive between them.
async fn serve(mut link: Link, patience: Option<Duration>, mut queue: mpsc::Receiver<Job>) {
    let mut broken: Option<TransportError> = None;
    let mut spare: Option<Channel> = None;
    let mut forward = Forward::default();
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
                let goodbye = async {
                    let _ = link.drive(|session| session.disconnect(None, "done", None)).await;
                    link.flush().await
                };
                let _ = timeout(GOODBYE, goodbye).await;
                let _ = done.send(());
                return;
            }
            // the caller gave up before the command started
            Some(Job::Run { events, .. }) if events.is_closed() => {}
            Some(Job::Run { command, input, agent, events }) => {
                let result = match &broken {
                    Some(error) => Err(error.clone()),
                    None => {
                        let opened = tokio::select! {
                            opened = open(&mut link, &mut spare) => opened,
                            () = events.closed() => continue,
                        };
                        match opened {
                            Err(error) => Err(broken.insert(error).clone()),
                            Ok(None) => Err(TransportError::Start {
                                host: link.peer.clone(),
                                message: NO_CHANNEL.to_owned(),
                            }),
                            Ok(Some(channel)) => {
                                let work = Work { command: &command, input, patience, agent };
                                match channel::run(&mut link, channel, work, &mut forward, &events)
                                    .await
                                {
                                    Outcome::Reusable(result) => result,
                                    Outcome::Broken(error) => Err(broken.insert(error).clone()),
                                }
                            }
                        }
                    }
                };
                let _ = events.send(Event::Ended(result)).await;
            }
        }
    }
}

/// Returns a channel for the next command: the spare one, or a new one; `None` if the server opens
/// no more. A server that allows few (MaxSessions) may need a moment to release the last one.
async fn open(
    link: &mut Link,
    spare: &mut Option<Channel>,
) -> Result<Option<Channel>, TransportError> {
    if let Some(channel) = spare.take() {
        return Ok(Some(channel));
    }
    let (begun, mut pause) = (Instant::now(), FIRST_PAUSE);
    loop {
        match link.drive(|session| session.channel_session()).await? {
            Ok(channel) => return Ok(Some(channel)),
            Err(error) if error.code() != REFUSED => {
                return Err(link.lost(format!("no channel could be opened: {error}")));
            }
            Err(_) if begun.elapsed() > PATIENCE => return Ok(None),
            Err(_) => {
                sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

/// Keeps an idle session alive until it breaks. It opens the channel of the next command in
/// advance: that saves the command a round trip, and libssh2 answers the server only while a
/// channel is read.
async fn idle(link: &mut Link, spare: &mut Option<Channel>) -> TransportError {
    loop {
        let Some(channel) = spare else {
            match open(link, spare).await {
                Ok(Some(channel)) => *spare = Some(channel),
                // the server may open one later
                Ok(None) => {}
                Err(error) => return error,
            }
            continue;
        };
        if let Err(error) = link.room().await {
            return error;
        }
        match std::io::Read::read(channel, &mut [0; 1]) {
            Err(error) if would_block(&error) => {
                if let Err(error) = link.wait().await {
                    return error;
                }
            }
            Err(error) => return link.lost(error),
            Ok(_) => return link.lost("the server closed a channel"),
        }
    }
}
