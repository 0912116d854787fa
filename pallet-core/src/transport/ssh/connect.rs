//! Opens one session: connects, exchanges keys, verifies the host, and logs in. Retries if the host
//! is only busy.

use std::time::Duration;

use ssh2::{Error, ErrorCode, MethodType};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use super::super::{ConnectSettings, TransportError};
use super::auth;
use super::carrier::Carrier;
use super::destination::Destination;
use super::host_key::HostKeys;
use super::link::Link;
use super::pipe::Socket;
use super::proxy_command::ProxyCommand;

/// Preferred key exchanges: the cheapest for both sides. Others are used if the server offers
/// nothing else, the post-quantum ones first.
const KEX: [&str; 2] = ["curve25519-sha256", "curve25519-sha256@libssh.org"];
/// How long one handshake may delay others.
const SHARE: Duration = Duration::from_secs(1);
/// The pause before the first retry with a busy host.
const FIRST_PAUSE: Duration = Duration::from_millis(150);
/// The longest pause between retries.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// Why one attempt failed.
enum Failure {
    /// The host is up but busy: sshd refuses connections at random if many handshakes are in
    /// progress (MaxStartups).
    Busy(String),
    Final(TransportError),
}

impl From<TransportError> for Failure {
    fn from(error: TransportError) -> Self {
        Failure::Final(error)
    }
}

/// Connects to a host and logs in.
pub(super) async fn establish(
    to: &Destination,
    settings: &ConnectSettings,
    via: Option<&Carrier>,
) -> Result<Link, TransportError> {
    let limit = to.config.connect_timeout.unwrap_or(settings.connect_timeout);
    let address = settings.shared.address(&to.peer);
    let _room = address.acquire_owned().await.map_err(|error| to.failed(error.to_string()))?;
    let host_keys = HostKeys::find(to, settings)?;
    let first = Instant::now();
    let (mut pause, mut attempts) = (FIRST_PAUSE, 1);
    let mut link = loop {
        match attempt(to, settings, via, &host_keys, limit).await {
            Ok(link) => break link,
            Err(Failure::Final(error)) => return Err(error),
            Err(Failure::Busy(message)) if first.elapsed() + pause > limit => {
                return Err(to.failed(format!(
                    "{message}, {attempts} times: sshd is overloaded \
                    (MaxStartups), or it bans this address"
                )));
            }
            Err(Failure::Busy(_)) => {
                sleep(pause.mul_f64(jitter())).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
                attempts += 1;
            }
        }
    };
    link.begin("the login");
    auth::log_in(&mut link, to, settings, limit).await?;
    link.logged_in();
    link.keep_alive(to.config.server_alive_interval.unwrap_or(settings.keepalive));
    Ok(link)
}

async fn attempt(
    to: &Destination,
    settings: &ConnectSettings,
    via: Option<&Carrier>,
    host_keys: &HostKeys,
    limit: Duration,
) -> Result<Link, Failure> {
    let socket = match (via, &to.config.proxy_command) {
        (Some(via), _) => match timeout(limit, via.tunnel(&to.config.host_name, to.port)).await {
            Ok(tunnel) => Socket::Tunnel(tunnel?),
            Err(_) => {
                return Err(to
                    .failed(format!(
                        "its jump host could not reach it within {} s: is it up?",
                        limit.as_secs()
                    ))
                    .into());
            }
        },
        (None, Some(command)) => {
            let started = ProxyCommand::start(command);
            let (command, socket) = started
                .map_err(|error| to.failed(format!("its ProxyCommand does not start: {error}")))?;
            Socket::Command(socket, Box::new(command))
        }
        (None, None) => {
            let room = settings
                .shared
                .dials
                .clone()
                .acquire_owned()
                .await
                .map_err(|error| to.failed(error.to_string()))?;
            let socket = dial(to, limit).await?;
            drop(room);
            Socket::Tcp(socket)
        }
    };
    let mut share = Some(
        settings
            .shared
            .handshakes
            .clone()
            .acquire_owned()
            .await
            .map_err(|error| to.failed(error.to_string()))?,
    );
    let mut link = Link::new(socket, to.peer.clone())?;
    prefer(&link, MethodType::Kex, &KEX).map_err(|error| to.failed(error.to_string()))?;
    prefer(&link, MethodType::HostKey, &host_keys.algorithms())
        .map_err(|error| to.failed(error.to_string()))?;
    let mut session = link.session.clone();
    link.begin("the key exchange");
    let agreed = {
        let mut agreeing =
            std::pin::pin!(link.drive_within(limit, "the key exchange", |_| session.handshake()));
        tokio::select! {
            agreed = &mut agreeing => agreed,
            // a slow handshake gives its slot to another
            () = sleep(SHARE) => {
                drop(share.take());
                agreeing.await
            }
        }
    };
    if matches!(agreed, Ok(Err(_)) | Err(TransportError::Lost { .. }))
        && let Some(why) = link.command_failure().await
    {
        return Err(to.failed(format!("its ProxyCommand failed: {why}")).into());
    }
    match agreed {
        Ok(Ok(())) => {}
        Ok(Err(error)) if is_refusal(&error) && !link.is_ending().await => {
            let message = format!("it does not speak ssh ({error}): is this the right port?");
            return Err(to.failed(message).into());
        }
        Ok(Err(error)) if is_refusal(&error) => {
            return Err(Failure::Busy("it closes the connection before its greeting".to_owned()));
        }
        Err(TransportError::Lost { message, .. }) => {
            return Err(Failure::Busy(format!("it closes the connection ({message})")));
        }
        Ok(Err(error)) => {
            let message = format!(
                "no common key exchange or cipher: {error}; `ssh -vv` lists what sshd offers"
            );
            return Err(to.failed(message).into());
        }
        Err(TransportError::Timeout { .. }) if !link.has_spoken() => {
            let message = format!(
                "it accepts the connection but sends nothing for {} s: is this an ssh server, \
                    and the right port?",
                limit.as_secs()
            );
            return Err(to.failed(message).into());
        }
        Err(error) => return Err(error.into()),
    }
    host_keys.verify(&link.session, to)?;
    Ok(link)
}

async fn dial(to: &Destination, limit: Duration) -> Result<TcpStream, Failure> {
    let connecting = TcpStream::connect((to.config.host_name.as_str(), to.port));
    match timeout(limit, connecting).await {
        Ok(Ok(socket)) => {
            socket.set_nodelay(true).map_err(|error| to.failed(error.to_string()))?;
            Ok(socket)
        }
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionReset => {
            Err(Failure::Busy(error.to_string()))
        }
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            Err(to.failed("nothing listens there: is sshd running on this port?").into())
        }
        Ok(Err(error)) => Err(to.failed(error.to_string()).into()),
        Err(_) => Err(to
            .failed(format!(
                "no answer for {} s: is it up, or does a firewall drop the connection?",
                limit.as_secs()
            ))
            .into()),
    }
}

/// Orders libssh2's algorithms, with `first` first. Excludes host certificates: libssh2 does not
/// verify them.
fn prefer(link: &Link, kind: MethodType, first: &[&str]) -> Result<(), Error> {
    let mut known = link.session.supported_algs(kind)?;
    known.retain(|name| !name.contains("-cert-v"));
    let chosen = first.iter().copied().filter(|name| known.contains(name));
    let rest = known.iter().copied().filter(|name| !first.contains(name));
    link.session.method_pref(kind, &chosen.chain(rest).collect::<Vec<_>>().join(","))
}

/// Whether the server closed the connection, or sent something else, where its greeting should be.
fn is_refusal(error: &Error) -> bool {
    matches!(error.code(), ErrorCode::Session(-43 | -13 | -7 | -2))
}

/// A random factor from 0.5 to 1.5, so that refused clients do not all retry at the same time.
fn jitter() -> f64 {
    0.5 + fastrand::f64()
}
