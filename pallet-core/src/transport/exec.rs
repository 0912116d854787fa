//! Runs commands through a local command that takes another command as its last arguments, such as
//! `nsenter` or `docker exec`.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep_until};

use super::agent::{Agent, NO_AGENT, NO_SSH};
use super::input::{Feed, Gate};
use super::{ConnectSettings, Input, Output, Stream, Transport, TransportError};

/// How long to wait for output after a command ended but left a background process with its output
/// open.
const LINGER: Duration = Duration::from_millis(500);

/// Runs each command as a child process: the prefix, then `sh -c COMMAND`.
#[derive(Debug)]
pub struct Exec {
    prefix: Vec<String>,
    peer: String,
    command_timeout: Option<Duration>,
    shell_timeout: Duration,
    /// The agent, if the commands run on this machine.
    agent: Agent,
}

impl Exec {
    /// Creates a transport that puts `command` before every command.
    pub fn new(command: &[String], settings: &ConnectSettings) -> Result<Self, TransportError> {
        match command.first() {
            Some(program) => Ok(Exec::with_prefix(command.to_vec(), program.clone(), settings)),
            None => Err(TransportError::Config {
                message: "the provider's command to reach the node is empty: it needs a program, \
                    such as `nsenter`"
                    .to_owned(),
            }),
        }
    }

    pub(super) fn with_prefix(
        prefix: Vec<String>,
        peer: String,
        settings: &ConnectSettings,
    ) -> Self {
        Exec {
            prefix,
            peer,
            command_timeout: settings.command_timeout,
            shell_timeout: settings.shell_timeout,
            agent: Agent::default(),
        }
    }

    pub(super) fn with_agent(self, agent: Option<PathBuf>) -> Self {
        Exec { agent: Agent::at(agent), ..self }
    }

    fn spawn(&mut self, command: &str) -> Result<Child, TransportError> {
        let mut words = self.prefix.iter().map(String::as_str).chain(["sh", "-c", command]);
        let program = words.next().unwrap_or("sh");
        let agent = self.agent.take();
        Command::new(program)
            .envs(agent.map(|agent| ("SSH_AUTH_SOCK", agent)))
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // its own process group: a signal to the command's group must not reach Pallet
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| TransportError::Start {
                host: self.peer.clone(),
                message: format!("cannot start `{program}`: {error}"),
            })
    }
}

#[async_trait]
impl Transport for Exec {
    async fn exec(
        &mut self,
        command: &str,
        input: Input,
        output: &mut Output<'_>,
    ) -> Result<i32, TransportError> {
        let mut child = self.spawn(command)?;
        let lost = |error: io::Error| TransportError::Lost {
            host: self.peer.clone(),
            message: error.to_string(),
        };
        let (mut stdin, mut stdout, mut stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (mut out, mut err) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
        let mut feed = Feed::new(input);
        let (mut chunk, mut written, mut fed) = (Vec::new(), 0, false);
        let mut ended: Option<ExitStatus> = None;
        let mut active = Instant::now();
        loop {
            if ended.is_some() && stdout.is_none() && stderr.is_none() {
                break;
            }
            let mut gate = None;
            if stdin.is_some() && !fed && written == chunk.len() {
                written = 0;
                match feed.next().await? {
                    Some(next) => chunk = next,
                    None if feed.gate().is_some() => (chunk, gate) = (Vec::new(), feed.gate()),
                    None if feed.stays_open() => (chunk, fed) = (Vec::new(), true),
                    None => stdin = None,
                }
            }
            let patience = if ended.is_some() { Some(LINGER) } else { self.command_timeout };
            tokio::select! {
                read = read(
                    &mut stdout, &mut out
                ), if stdout.is_some() => match read.map_err(lost)? {
                    0 => stdout = None,
                    read => output(Stream::Out, &out[..read]),
                },
                read = read(
                    &mut stderr, &mut err
                ), if stderr.is_some() => match read.map_err(lost)? {
                    0 => stderr = None,
                    read => output(Stream::Err, &err[..read]),
                },
                wrote = write(
                    &mut stdin, &chunk[written..]
                ), if stdin.is_some() && !fed && gate.is_none() => match wrote {
                    Ok(wrote) => written += wrote,
                    Err(_) => stdin = None, // the command reads no more
                },
                () = opened(&gate), if gate.is_some() => {}
                status = child.wait(), if ended.is_none() => {
                    ended = Some(status.map_err(lost)?);
                    stdin = None;
                },
                () = sleep_until(active + patience.unwrap_or_default()), if patience.is_some() => {
                    match (ended, self.command_timeout) {
                        (None, Some(limit)) => return Err(timed_out(&self.peer, limit)),
                        _ => break,
                    }
                },
            }
            active = Instant::now();
        }
        Ok(ended.map_or(0, |status| {
            status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
        }))
    }

    async fn lend_agent(&mut self) -> Result<(), TransportError> {
        let without = if self.prefix.is_empty() { NO_AGENT } else { NO_SSH };
        self.agent.lend(&self.peer, without).await
    }

    async fn close(&mut self) {}

    fn peer(&self) -> &str {
        &self.peer
    }

    fn shell_timeout(&self) -> Duration {
        self.shell_timeout
    }
}

async fn opened(gate: &Option<Gate>) {
    if let Some(gate) = gate {
        gate.opened().await;
    }
}

async fn read(from: &mut Option<impl AsyncRead + Unpin>, buffer: &mut [u8]) -> io::Result<usize> {
    match from {
        Some(from) => from.read(buffer).await,
        None => Ok(0),
    }
}

async fn write(to: &mut Option<impl AsyncWrite + Unpin>, bytes: &[u8]) -> io::Result<usize> {
    match to {
        Some(to) => to.write(bytes).await,
        None => Ok(0),
    }
}

/// The error for a command that was silent for too long.
pub(super) fn timed_out(host: &str, limit: Duration) -> TransportError {
    let message = format!(
        "the command neither read nor wrote anything for {} s: raise the timeout, or check what it \
         waits for",
        limit.as_secs()
    );
    TransportError::Timeout { host: host.to_owned(), message }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::super::{ConnectSettings, Input, InputPart, Stream, Transport, TransportError};
    use super::Exec;

    fn through_env(settings: &ConnectSettings) -> Exec {
        Exec::new(&["env".to_owned(), "GREETING=hi".to_owned()], settings)
            .expect("the prefix is not empty")
    }

    #[tokio::test]
    async fn puts_the_prefix_before_the_shell() {
        let mut text = Vec::new();
        let code = through_env(&ConnectSettings::default())
            .exec("echo $GREETING", Input::none(), &mut |_, b| text.extend_from_slice(b))
            .await;
        assert_eq!((code.expect("it ran"), text.as_slice()), (0, b"hi\n".as_slice()));
    }

    #[tokio::test]
    async fn much_output_and_much_input_at_once() {
        let big =
            Input(vec![InputPart::Bytes(vec![b'x'; 8 << 20]), InputPart::Bytes(b"end".to_vec())]);
        let mut count = 0;
        let code = through_env(&ConnectSettings::default())
            .exec(
                "head -c 5000000 /dev/zero; head -c 5000000 /dev/zero >&2; cat",
                big,
                &mut |stream, b| {
                    count += if stream == Stream::Out { b.len() } else { 0 };
                },
            )
            .await;
        assert_eq!((code.expect("it ran"), count), (0, 5_000_000 + (8 << 20) + 3));
    }

    #[tokio::test]
    async fn input_that_nobody_reads_and_a_background_process_do_not_hold_it_up() {
        let started = Instant::now();
        let code = through_env(&ConnectSettings::default())
            .exec("sleep 20 & exit 4", vec![0; 4 << 20].into(), &mut |_, _| {})
            .await;
        assert_eq!(code.expect("it ran"), 4);
        assert!(started.elapsed() < Duration::from_secs(10), "took {:?}", started.elapsed());
    }

    #[tokio::test]
    async fn silence_ends_it() {
        let settings = ConnectSettings {
            command_timeout: Some(Duration::from_millis(300)),
            ..ConnectSettings::default()
        };
        let error = through_env(&settings)
            .exec("echo $$; sleep 30", Input::none(), &mut |_, _| {})
            .await
            .expect_err("too slow");
        assert!(matches!(error, TransportError::Timeout { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_missing_program_is_named() {
        let mut exec = Exec::new(&["/no/such/program".to_owned()], &ConnectSettings::default())
            .expect("the prefix is not empty");
        let error =
            exec.exec("true", Input::none(), &mut |_, _| {}).await.expect_err("there is none");
        expect_test::expect![
            "cannot run a command on /no/such/program: cannot start `/no/such/program`: No such \
             file or directory (os error 2)"
        ]
        .assert_eq(&error.to_string());
        assert!(Exec::new(&[], &ConnectSettings::default()).is_err());
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_read_is_named() {
        let error = through_env(&ConnectSettings::default())
            .exec("cat", Input::file("/no/such/file"), &mut |_, _| {})
            .await;
        expect_test::expect!["cannot read /no/such/file: No such file or directory (os error 2)"]
            .assert_eq(&error.expect_err("unreadable").to_string());
    }
}
