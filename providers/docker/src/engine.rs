//! The engine: its address, its client, and its errors.

use std::error::Error as StdError;
use std::future::Future;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;

use bollard::errors::Error;
use bollard::{API_DEFAULT_VERSION, Docker as Client};
use pallet_core::prelude::*;
use tokio::runtime::Runtime;

use crate::answer::Answer;
use crate::options::Options;

/// Timeout of a call to the engine, in seconds.
const PATIENCE: u64 = 120;
/// Timeout of a call that imports or pulls an image.
const LONG_PATIENCE: Duration = Duration::from_secs(2 * 3600);
/// How often to check whether the user has stopped the operation.
const GLANCE: Duration = Duration::from_millis(250);
/// Directories to search for clients.
const PROGRAMS: [&str; 6] =
    ["/usr/local/bin", "/usr/bin", "/bin", "/opt/homebrew/bin", "/usr/local/sbin", "/usr/sbin"];

/// An engine, and the async runtime for its client.
pub(crate) struct Engine {
    pub(crate) client: Client,
    /// Its address: `unix:///var/run/docker.sock`.
    pub(crate) host: String,
    service: String,
    host_of_pallet: ServiceHost,
    runtime: Runtime,
}

impl Engine {
    /// The engine of a service. Checks only that its socket exists.
    pub(crate) fn new(options: &Options, context: &ServiceContext) -> Answer<Engine> {
        let host = place(options, context)?;
        let service =
            if context.service.is_empty() { "docker" } else { &context.service }.to_owned();
        let client = match host.split_once("://") {
            Some(("unix", path)) => Client::connect_with_unix(path, PATIENCE, API_DEFAULT_VERSION),
            _ => Client::connect_with_http(&host, PATIENCE, API_DEFAULT_VERSION),
        };
        let client = client.map_err(|error| match error {
            Error::SocketNotFoundError(_) => absent(&service, &host),
            error => {
                PluginError::invalid_input(format!("cannot use the engine at {host}: {error}"))
            }
        })?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime
            .map_err(|error| PluginError::failed(format!("cannot start a runtime: {error}")))?;
        Ok(Engine { client, host, service, host_of_pallet: context.host.clone(), runtime })
    }

    /// Runs `work` to completion on this thread.
    pub(crate) fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// A client with a timeout for long calls.
    pub(crate) fn patient(&self) -> Client {
        self.client.clone().with_timeout(LONG_PATIENCE)
    }

    /// Waits for `work` until the user stops the operation.
    pub(crate) async fn unless_cancelled<T>(&self, work: impl Future<Output = T>) -> Answer<T> {
        let mut work = pin!(work);
        loop {
            match tokio::time::timeout(GLANCE, &mut work).await {
                Ok(done) => return Ok(done),
                Err(_) => self.check_cancelled()?,
            }
        }
    }

    /// Returns an error if the user has stopped the operation.
    pub(crate) fn check_cancelled(&self) -> Answer<()> {
        if self.host_of_pallet.is_cancelled() {
            return Err(PluginError::cancelled("it was stopped"));
        }
        Ok(())
    }

    /// Reports progress to the user.
    pub(crate) fn progress(&self, message: impl Into<String>) {
        self.host_of_pallet.progress(message);
    }

    /// The hardware of the engine's machine.
    pub(crate) async fn machine(&self) -> Answer<Hardware> {
        let info = self.client.info().await.map_err(|error| {
            self.error("cannot read the hardware of the engine's machine", error)
        })?;
        Ok(Hardware {
            id: "host".to_owned(),
            cores: info.ncpu.and_then(|cores| u32::try_from(cores).ok()).unwrap_or(1),
            ram: info.mem_total.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or_default()
                >> 20,
            arch: info
                .architecture
                .map(|name| crate::os::architecture(&name))
                .into_iter()
                .collect(),
            ..Hardware::default()
        })
    }

    /// The address at which published ports of the engine's machine are reached from here.
    pub(crate) fn machine_address(&self) -> &str {
        let place = self.host.strip_prefix("tcp://").and_then(|place| place.rsplit_once(':'));
        place.map_or("127.0.0.1", |(host, _)| host.trim_matches(['[', ']']))
    }

    /// The client's command line that runs a command in a container, up to the container's id.
    pub(crate) fn exec(&self, program: Option<&str>) -> Vec<String> {
        let program = program.map_or_else(|| installed(&self.host), str::to_owned);
        let is_podman = Path::new(&program)
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("podman"));
        let place: &[&str] = if is_podman { &["--remote", "--url"] } else { &["-H"] };
        let words = [&[program.as_str()], place, &[&self.host, "exec", "-i", "-u", "0"]].concat();
        words.into_iter().map(str::to_owned).collect()
    }

    /// Translates an error of the engine. `what` says what failed.
    pub(crate) fn error(&self, what: &str, error: Error) -> PluginError {
        match error {
            Error::DockerResponseServerError { status_code, message } => {
                let kind = match status_code {
                    400 => ErrorKind::InvalidInput,
                    401 | 403 => ErrorKind::Unauthorized,
                    404 => ErrorKind::NotFound,
                    429 | 503 => ErrorKind::Transient,
                    _ => ErrorKind::Failed,
                };
                PluginError::new(kind, format!("{what}: {}", one_line(&message)))
            }
            Error::DockerStreamError { error } => {
                PluginError::failed(format!("{what}: {}", one_line(&error)))
            }
            Error::SocketNotFoundError(_) => absent(&self.service, &self.host),
            Error::RequestTimeoutError => PluginError::transient(format!(
                "{what}: the engine at {} does not answer in time",
                self.host
            )),
            error => self.broken(what, &error),
        }
    }

    /// An error of the connection itself.
    fn broken(&self, what: &str, error: &Error) -> PluginError {
        let mut causes =
            std::iter::successors(Some(error as &dyn StdError), |error| (*error).source());
        let cause = causes.find_map(|error| error.downcast_ref::<io::Error>());
        let host = &self.host;
        match cause.map(io::Error::kind) {
            Some(io::ErrorKind::NotFound) => absent(&self.service, host),
            Some(io::ErrorKind::PermissionDenied) => {
                let error = PluginError::unauthorized(format!(
                    "this user may not use the engine at {host}: permission denied"
                ));
                error.with_help(
                    "run pallet-cli as a user who may: root, or a member of the group `docker`",
                )
            }
            Some(io::ErrorKind::ConnectionRefused) => {
                let error = PluginError::transient(format!(
                    "no Docker or Podman listens at {host}: connection refused"
                ));
                error.with_help(format!(
                    "start it, or set the option `host` of services.{}",
                    self.service
                ))
            }
            Some(_) => {
                let cause = cause.map(ToString::to_string).unwrap_or_default();
                PluginError::transient(format!(
                    "{what}: lost the engine at {host}: {}",
                    one_line(&cause)
                ))
            }
            None => PluginError::failed(format!(
                "{what}: the engine at {host} gives an invalid answer: {}",
                one_line(&error.to_string())
            )),
        }
    }
}

/// The address of a service's engine.
pub(crate) fn place(options: &Options, context: &ServiceContext) -> Answer<String> {
    let Some(host) = &options.host else { return Ok(usual_host(&context.home)) };
    match host.split_once("://") {
        Some(("unix", path)) if path.starts_with('/') => Ok(host.clone()),
        Some(("tcp", place)) if place.contains(':') => Ok(host.clone()),
        _ => {
            let message = format!(
                "services.{}: option `host`: `{host}` is not the address of an engine",
                context.service
            );
            let help = "write unix:///path/of/socket or tcp://host:port; the socket of an engine \
                elsewhere can be forwarded with ssh -L";
            Err(PluginError::invalid_input(message).with_help(help))
        }
    }
}

/// Whether the engine says that something does not exist.
pub(crate) fn is_absent(error: &Error) -> bool {
    matches!(error, Error::DockerResponseServerError { status_code: 404, .. })
}

/// Whether the engine says that something already exists, or is being removed.
pub(crate) fn is_conflict(error: &Error) -> bool {
    match error {
        Error::DockerResponseServerError { status_code: 409, .. } => true,
        // Podman
        Error::DockerResponseServerError { status_code: 500, message } => {
            message.contains("already in use") || message.contains("already exists")
        }
        _ => false,
    }
}

fn absent(service: &str, host: &str) -> PluginError {
    let error = PluginError::failed(format!(
        "no Docker or Podman listens at {host}: there is no such socket"
    ));
    error.with_help(format!("start it, or set the option `host` of services.{service}"))
}

/// The engine's message in one line.
pub(crate) fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first usual socket that exists, otherwise Docker's.
fn usual_host(home: &Path) -> String {
    let docker = PathBuf::from("/var/run/docker.sock");
    let user = std::fs::metadata(home).map(|home| home.uid()).unwrap_or_default();
    let others = [
        home.join(".docker/run/docker.sock"),
        PathBuf::from(format!("/run/user/{user}/docker.sock")),
        PathBuf::from(format!("/run/user/{user}/podman/podman.sock")),
        PathBuf::from("/run/podman/podman.sock"),
    ];
    let found =
        std::iter::once(&docker).chain(&others).find(|path| path.exists()).unwrap_or(&docker);
    format!("unix://{}", found.display())
}

/// The installed client, preferably the engine's own; each works with both engines.
fn installed(host: &str) -> String {
    let names = if host.contains("podman") { ["podman", "docker"] } else { ["docker", "podman"] };
    let found = |name: &str| {
        PROGRAMS.iter().map(|directory| Path::new(directory).join(name)).find(|path| path.is_file())
    };
    names
        .into_iter()
        .find_map(found)
        .map_or_else(|| names[0].to_owned(), |path| path.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engine(host: &str) -> Answer<Engine> {
        let options = serde_json::from_value(json!({ "host": host })).unwrap();
        Engine::new(&options, &ServiceContext { service: "box".into(), ..Default::default() })
    }

    fn unreachable(host: &str) -> PluginError {
        match engine(host) {
            Ok(engine) => engine.run(engine.machine()).unwrap_err(),
            Err(error) => error,
        }
    }

    #[test]
    fn an_engine_that_cannot_be_reached_is_one_clear_line() {
        let directory = tempfile::tempdir().unwrap();
        let error = unreachable(&format!("unix://{}/none", directory.path().display()));
        assert!(
            error.message.contains("/none: there is no such socket")
                && error.help.contains("services.box"),
            "{error}"
        );

        let path = directory.path().join("dead");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let error = unreachable(&format!("unix://{}", path.display()));
        assert_eq!(error.kind, ErrorKind::Transient);
        assert!(error.message.contains("/dead: connection refused"), "{error}");

        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let error = unreachable(&format!("tcp://127.0.0.1:{port}"));
        assert!(
            error.message.contains("connection refused") && !error.to_string().contains('\n'),
            "{error}"
        );
    }

    #[test]
    fn what_is_no_engine_is_told_as_such() {
        use std::io::{Read, Write};
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let host = format!("tcp://{}", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]);
            stream
                .write_all(
                    b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\n\
                hello",
                )
                .unwrap();
        });
        let error = unreachable(&host);
        server.join().unwrap();
        assert!(error.message.contains("gives an invalid answer"), "{error}");
    }

    #[test]
    fn hosts_that_cannot_be_meant_are_refused() {
        for host in ["ssh://web", "/var/run/docker.sock", "unix://docker.sock", "tcp://host", ""] {
            let Err(error) = engine(host) else { panic!("{host} was taken") };
            assert_eq!(error.kind, ErrorKind::InvalidInput);
            assert!(error.to_string().contains("unix:///path/of/socket"), "{error}");
        }
    }

    #[test]
    fn each_client_has_its_own_words_for_the_place() {
        let engine = engine("tcp://[::1]:2375").unwrap();
        assert_eq!(
            engine.exec(Some("docker")),
            ["docker", "-H", "tcp://[::1]:2375", "exec", "-i", "-u", "0"]
        );
        assert_eq!(
            engine.exec(Some("/usr/bin/podman"))[..3],
            ["/usr/bin/podman", "--remote", "--url"]
        );
        assert_eq!(engine.machine_address(), "::1");
    }
}
