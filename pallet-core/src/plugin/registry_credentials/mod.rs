//! Credentials for container registries, from the files and helpers that docker, podman and other
//! tools share.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::provider::Credential;

/// Timeout of a helper; it may have to ask a person.
const HELPER_TIMEOUT: Duration = Duration::from_secs(120);

/// The name of Docker Hub in helpers and configuration files.
pub const DOCKER_HUB: &str = "https://index.docker.io/v1/";

/// Where to look for registry credentials.
#[derive(Debug, Clone, Default)]
pub struct RegistryCredentials {
    /// Files like docker's `config.json` and podman's `auth.json`; they need not exist. The first
    /// file that has the registry wins.
    pub files: Vec<PathBuf>,
    /// Directories with credential helpers, `docker-credential-*`.
    pub helper_path: Vec<PathBuf>,
}

/// How to log in to a registry.
#[derive(Clone, PartialEq, Eq)]
pub enum RegistryLogin {
    /// With a user and a password.
    Password {
        /// The user.
        user: String,
        /// The password.
        password: String,
    },
    /// With a token that must be exchanged for one that the registry accepts.
    IdentityToken(String),
    /// With a token that the registry accepts.
    RegistryToken(String),
}

impl fmt::Debug for RegistryLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RegistryLogin(a secret)")
    }
}

/// A login, with the file or helper that it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundLogin {
    /// The login.
    pub login: RegistryLogin,
    /// The file or helper, for messages.
    pub source: String,
}

/// Credentials that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RegistryCredentialsError {
    /// A file is unreadable.
    #[error("cannot read {}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A helper fails.
    #[error("{program} {message}")]
    Helper {
        /// The helper: `docker-credential-pass`.
        program: String,
        /// What is wrong.
        message: String,
    },
}

type Answer<T> = Result<T, RegistryCredentialsError>;

impl RegistryCredentials {
    /// The login for a registry; `None` if there is none. Blocks.
    pub fn find(&self, registry: &str) -> Answer<Option<FoundLogin>> {
        for file in &self.files {
            let Some(config) = read(file)? else { continue };
            if let Some(helper) = helper_of(&config, registry)
                && let Some(found) = self.ask(helper, registry)?
            {
                return Ok(Some(found));
            }
            if let Some(entry) = entry(&config["auths"], registry)
                && let Some(login) = login_of(file, registry, entry)?
            {
                return Ok(Some(FoundLogin { login, source: file.display().to_string() }));
            }
        }
        Ok(None)
    }

    /// All registries in the files, with the source of their credentials.
    pub fn known(&self) -> Answer<Vec<Credential>> {
        let mut known: Vec<Credential> = Vec::new();
        for file in &self.files {
            let Some(config) = read(file)? else { continue };
            let tables = [&config["auths"], &config["credHelpers"]];
            let names: BTreeSet<_> = tables
                .into_iter()
                .filter_map(Value::as_object)
                .flat_map(|table| table.keys())
                .map(|key| host_of(key))
                .collect();
            for registry in names {
                let name = format!("registry {registry}");
                if known.iter().any(|known| known.name == name) {
                    continue;
                }
                let source = match helper_of(&config, registry) {
                    Some(helper) => format!("docker-credential-{helper}"),
                    None => file.display().to_string(),
                };
                known.push(Credential { name, source, found: true });
            }
        }
        Ok(known)
    }

    /// Calls a helper: `docker-credential-NAME get`. `None` if it has no credentials for the
    /// registry.
    fn ask(&self, helper: &str, registry: &str) -> Answer<Option<FoundLogin>> {
        let program = format!("docker-credential-{helper}");
        let failed = |message: String| RegistryCredentialsError::Helper {
            program: program.clone(),
            message: format!("gives no credentials for {registry}: {message}"),
        };
        let path = self
            .helper_path
            .iter()
            .map(|directory| directory.join(&program))
            .find(|file| !helper.contains('/') && file.is_file())
            .ok_or_else(|| failed("it is not installed on the PATH".to_owned()))?;
        let server = if is_docker_hub(host_of(registry)) { DOCKER_HUB } else { registry };
        let output = run(&path, server)
            .map_err(|error| failed(format!("it cannot be run: {error}")))?
            .ok_or_else(|| {
                failed(format!("it does not answer within {} s", HELPER_TIMEOUT.as_secs()))
            })?;
        let said = String::from_utf8_lossy(&output.out);
        if !output.status.success() {
            let errors = String::from_utf8_lossy(&output.errors);
            if said.contains("credentials not found") || errors.contains("credentials not found") {
                return Ok(None);
            }
            let mut lines = said.lines().chain(errors.lines()).map(str::trim);
            let line = lines.find(|line| !line.is_empty());
            return Err(failed(line.unwrap_or("it failed without a message").to_owned()));
        }
        let answer: Value = serde_json::from_str(&said)
            .map_err(|_| failed("its answer is not valid JSON".to_owned()))?;
        let (Some(user), Some(secret)) = (answer["Username"].as_str(), answer["Secret"].as_str())
        else {
            return Err(failed("its answer has no Username and Secret".to_owned()));
        };
        let login = match user {
            "<token>" => RegistryLogin::IdentityToken(secret.to_owned()),
            user => RegistryLogin::Password { user: user.to_owned(), password: secret.to_owned() },
        };
        Ok(Some(FoundLogin { login, source: program }))
    }
}

fn read(file: &Path) -> Answer<Option<Value>> {
    let wrong = |error| RegistryCredentialsError::File { path: file.to_owned(), error };
    match fs::read(file) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| wrong(io::Error::other(error.to_string()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(wrong(error)),
    }
}

/// The helper for this registry, or the default helper.
fn helper_of<'a>(config: &'a Value, registry: &str) -> Option<&'a str> {
    entry(&config["credHelpers"], registry)
        .unwrap_or(&config["credsStore"])
        .as_str()
        .filter(|name| !name.is_empty())
}

/// The entry for a registry: by its name, or by a URL as older tools write it.
fn entry<'a>(table: &'a Value, registry: &str) -> Option<&'a Value> {
    let table = table.as_object()?;
    let host = host_of(registry);
    let matches =
        |key: &str| host_of(key) == host || (is_docker_hub(host) && is_docker_hub(host_of(key)));
    table
        .get(registry)
        .or_else(|| table.iter().find(|(key, _)| matches(key)).map(|(_, value)| value))
}

/// A registry, without scheme and path.
fn host_of(registry: &str) -> &str {
    let rest = registry.split_once("://").map_or(registry, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

fn is_docker_hub(host: &str) -> bool {
    matches!(host, "docker.io" | "index.docker.io" | "registry-1.docker.io")
}

/// The login in an entry of `auths`; `None` if the entry only refers to a helper.
fn login_of(file: &Path, registry: &str, entry: &Value) -> Answer<Option<RegistryLogin>> {
    let text = |key: &str| entry[key].as_str().filter(|text| !text.is_empty());
    if let Some(token) = text("registrytoken") {
        return Ok(Some(RegistryLogin::RegistryToken(token.to_owned())));
    }
    if let Some(token) = text("identitytoken") {
        return Ok(Some(RegistryLogin::IdentityToken(token.to_owned())));
    }
    let Some(encoded) = text("auth") else {
        let pair = text("username").zip(text("password"));
        return Ok(pair.map(|(user, password)| RegistryLogin::Password {
            user: user.to_owned(),
            password: password.to_owned(),
        }));
    };
    let decoded = STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let pair = decoded.as_deref().and_then(|text| text.split_once(':'));
    let (user, password) = pair.ok_or_else(|| {
        let message = format!("the entry for {registry} is not base64 of USER:PASSWORD");
        RegistryCredentialsError::File { path: file.to_owned(), error: io::Error::other(message) }
    })?;
    Ok(Some(RegistryLogin::Password {
        user: user.to_owned(),
        password: password.trim_end_matches('\0').to_owned(),
    }))
}

struct Output {
    status: ExitStatus,
    out: Vec<u8>,
    errors: Vec<u8>,
}

/// Runs a helper; `None` on timeout.
fn run(program: &Path, server: &str) -> io::Result<Option<Output>> {
    let mut child = Command::new(program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // a helper that does not read its input reports an error of its own
        let _ = input.write_all(server.as_bytes());
    }
    let (out, errors) = (reader(child.stdout.take()), reader(child.stderr.take()));
    let Some(status) = wait(&mut child)? else { return Ok(None) };
    let read = |reader: JoinHandle<Vec<u8>>| reader.join().unwrap_or_default();
    Ok(Some(Output { status, out: read(out), errors: read(errors) }))
}

fn reader(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // whatever was read before the error is enough for a message
            let _ = pipe.read_to_end(&mut bytes);
        }
        bytes
    })
}

fn wait(child: &mut Child) -> io::Result<Option<ExitStatus>> {
    let end = Instant::now() + HELPER_TIMEOUT;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() > end {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(10));
    }
}
