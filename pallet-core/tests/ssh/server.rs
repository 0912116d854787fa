//! An sshd with its own keys, configuration and port, that ends with its test.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use pallet_core::model::{Connection, SshConnection};
use pallet_core::transport::{ConnectSettings, Input, Stream, Transport, TransportError, connect};

pub(crate) struct Server {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) port: u16,
    sshd: Child,
}

impl Server {
    /// A server with an ed25519 host key, which lets the test's user in with `key`.
    pub(crate) fn start() -> Self {
        Server::start_with("")
    }

    /// The same with more lines of sshd_config, which come first and so win. `DIR` is the server's
    /// directory.
    pub(crate) fn start_with(config: &str) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        keygen(&dir.path().join("host"), &["-t", "ed25519", "-N", ""]);
        keygen(&dir.path().join("key"), &["-t", "ed25519", "-N", ""]);
        fs::copy(dir.path().join("key.pub"), dir.path().join("authorized")).expect("copied");
        Server::start_in(dir, config)
    }

    fn start_in(mut dir: tempfile::TempDir, config: &str) -> Self {
        let _ = fs::create_dir("/run/sshd"); // sshd as root wants it
        let path = dir.path().display().to_string();
        // Of this option the last value wins, not the first.
        let startups = if config.contains("MaxStartups") { "" } else { "MaxStartups 100" };
        let rest = format!(
            "{config}\nListenAddress 127.0.0.1\nHostKey {path}/host\nPidFile none\n\
             AuthorizedKeysFile {path}/authorized\n\
             StrictModes no\nUsePAM no\nPermitRootLogin yes\nPasswordAuthentication no\n\
             {startups}\n",
            config = config.replace("DIR", &path)
        );
        loop {
            let port = TcpListener::bind("127.0.0.1:0")
                .expect("a port")
                .local_addr()
                .expect("an address")
                .port();
            fs::write(dir.path().join("sshd_config"), format!("Port {port}\n{rest}"))
                .expect("written");
            let log = fs::File::create(dir.path().join("log")).expect("created");
            let mut command = Command::new("/usr/sbin/sshd");
            command
                .args(["-D", "-e", "-f"])
                .arg(dir.path().join("sshd_config"))
                .stdin(Stdio::null())
                .stderr(log);
            let mut server = Server {
                dir,
                port,
                sshd: command.spawn().expect("sshd is installed (openssh-server)"),
            };
            let started = Instant::now();
            while server.sshd.try_wait().expect("sshd is our child").is_none() {
                if server.log().contains("Server listening") {
                    return server;
                }
                assert!(
                    started.elapsed() < Duration::from_secs(20),
                    "sshd does not start: {}",
                    server.log()
                );
                sleep(Duration::from_millis(10));
            }
            // Another test may have taken the port in between.
            assert!(
                server.log().contains("Address already in use"),
                "sshd does not start: {}",
                server.log()
            );
            dir = std::mem::replace(&mut server.dir, tempfile::tempdir().expect("a directory"));
        }
    }

    /// Ends the processes of all its connections.
    pub(crate) fn kill_connections(&self) {
        let pid = self.sshd.id();
        for child in fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))
            .expect("there")
            .split_whitespace()
        {
            assert!(
                Command::new("kill").args(["-KILL", child]).status().expect("kill runs").success()
            );
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Lets the keys in the named files in, too.
    pub(crate) fn authorize(&self, names: &[&str]) {
        let mut text = fs::read_to_string(self.path("authorized")).expect("there");
        for name in names {
            text.push_str(&fs::read_to_string(self.path(&format!("{name}.pub"))).expect("there"));
        }
        fs::write(self.path("authorized"), text).expect("written");
    }

    /// How the provider says the server is reached: with its host key.
    pub(crate) fn connection(&self) -> SshConnection {
        let key = fs::read_to_string(self.path("host.pub")).expect("there").trim().to_owned();
        SshConnection {
            host: "127.0.0.1".into(),
            port: Some(self.port),
            host_keys: vec![key],
            ..SshConnection::default()
        }
    }

    /// Settings with the key that is let in.
    pub(crate) fn settings(&self) -> ConnectSettings {
        ConnectSettings {
            user: user(),
            identity_files: vec![self.path("key")],
            ..ConnectSettings::default()
        }
    }

    pub(crate) async fn connect(&self) -> Box<dyn Transport> {
        self.connect_with(&self.settings())
            .await
            .unwrap_or_else(|error| panic!("{error}\n{}", self.log()))
    }

    pub(crate) async fn connect_with(
        &self,
        settings: &ConnectSettings,
    ) -> Result<Box<dyn Transport>, TransportError> {
        connect(&Connection::Ssh(self.connection()), settings).await
    }

    /// What there is to say when the connection is refused, without what differs from run to run.
    pub(crate) async fn refusal(&self, settings: &ConnectSettings) -> String {
        let error = self.connect_with(settings).await.err().expect("it is refused");
        self.plain(&error)
    }

    pub(crate) fn plain(&self, error: &TransportError) -> String {
        let text = error
            .to_string()
            .replace(&self.dir.path().display().to_string(), "DIR")
            .replace(&self.port.to_string(), "PORT");
        text.replace(&format!(" {} ", user()), " USER ")
            .replace(&format!(" as {}:", user()), " as USER:")
            .replace(&format!(" {}@", user()), " USER@")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.sshd.kill();
        let _ = self.sshd.wait();
    }
}

/// Who runs the tests, and so can log in.
pub(crate) fn user() -> String {
    let output = Command::new("id").arg("-un").output().expect("id runs");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

pub(crate) fn keygen(path: &Path, options: &[&str]) {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-C", "test", "-f"])
        .arg(path)
        .args(options)
        .output()
        .expect("ssh-keygen runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

/// Runs a command: exit code, output, errors.
pub(crate) async fn run(
    transport: &mut dyn Transport,
    command: &str,
    input: impl Into<Input>,
) -> Result<(i32, String, String), TransportError> {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = transport
        .exec(command, input.into(), &mut |stream, bytes| {
            if stream == Stream::Out { &mut out } else { &mut err }.extend_from_slice(bytes)
        })
        .await?;
    Ok((
        code,
        String::from_utf8_lossy(&out).into_owned(),
        String::from_utf8_lossy(&err).into_owned(),
    ))
}

/// The same where it must work.
pub(crate) async fn say(transport: &mut dyn Transport, command: &str) -> String {
    let (code, out, err) = run(transport, command, Input::none()).await.expect("it runs");
    assert_eq!(code, 0, "{err}");
    out.trim().to_owned()
}
